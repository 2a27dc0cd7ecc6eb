// What stands on the page of what was said: the newest of each utterance, three at most, nothing old.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Captions, chosenCaptions, keepCaptions, nextSize } from "./assets/captions.js";

const S = 48000;
const said = (start_s, text, more = {}) =>
  ({ id: `anna-${start_s}`, name: "Anna", start: start_s * S, at: (start_s + 2) * S, text, status: "final", ...more });
const texts = (captions, heard_s) => captions.lines(heard_s * S).map(({ text }) => text);

test("a caption replaces what was there of the same utterance", () => {
  const captions = new Captions();
  captions.take(said(0, "It was", { status: "partial" }));
  captions.take(said(0, "It was the best of times."));
  assert.deepEqual(texts(captions, 2), ["It was the best of times."]);
});

test("a final caption without words takes away what was guessed", () => {
  const captions = new Captions();
  captions.take(said(0, "You", { status: "partial" }));
  captions.take(said(0, ""));
  assert.deepEqual(texts(captions, 2), []);
});

test("what could not be recognised is a gap, not nothing", () => {
  const captions = new Captions();
  captions.take(said(0, "", { status: "skipped" }));
  assert.deepEqual(texts(captions, 2), ["[…]"]);
});

test("the last three in the order of their saying, whoever was recognised first", () => {
  const captions = new Captions();
  for (const start_s of [1, 3, 0, 2]) captions.take(said(start_s, String(start_s), { id: `seat-${start_s}` }));
  assert.deepEqual(texts(captions, 4), ["1", "2", "3"]);
});

test("what was said long ago goes by itself", () => {
  const captions = new Captions();
  captions.take(said(0, "long ago"));
  captions.take(said(6, "just now"));
  assert.deepEqual(texts(captions, 8), ["long ago", "just now"]);
  assert.deepEqual(texts(captions, 10), ["just now"]);
  assert.deepEqual(texts(captions, 30), []);
});

test("as much is kept as can be shown, however long the evening", () => {
  const captions = new Captions();
  for (let n = 0; n < 1000; n += 1) captions.take(said(n, String(n), { at: 10_000 * S }));
  assert.deepEqual(texts(captions, 10_000), ["997", "998", "999"]);
});

test("the reader's choice is kept; without storage, or with what is not ours in it, captions are off", () => {
  const kept = new Map();
  const storage = () => ({ getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) });
  const forbidden = () => { throw new Error("SecurityError"); };
  assert.deepEqual(chosenCaptions(storage), { shown: false, size: 1 });
  keepCaptions({ shown: true, size: nextSize(1) }, storage);
  assert.deepEqual(chosenCaptions(storage), { shown: true, size: 2 });
  keepCaptions({ shown: true, size: 99 }, storage);
  assert.equal(chosenCaptions(storage).size, 1);
  kept.set("rostra.captions", "{");
  assert.deepEqual(chosenCaptions(storage), { shown: false, size: 1 });
  keepCaptions({ shown: true, size: 1 }, forbidden);
  assert.deepEqual(chosenCaptions(forbidden), { shown: false, size: 1 });
  assert.deepEqual([nextSize(1), nextSize(2), nextSize(3)], [2, 3, 1]);
});
