// What a listener signs: a minute at a time, only if wanted, and by any key that the browser can make.

import assert from "node:assert/strict";
import { test } from "node:test";
import { webcrypto } from "node:crypto";

import { Receipts } from "./assets/receipts.js";

const EDGE = "https://edge.example";
const { subtle } = webcrypto;
const old = new Proxy(subtle, {
  get: (it, name) => name === "generateKey"
    ? (kind, ...more) => kind.name === "Ed25519" ? Promise.reject(new Error("unknown")) : it.generateKey(kind, ...more)
    : it[name].bind(it),
});

function listener(crypto = subtle, status = 200) {
  const asked = [];
  const fetch = async (address, { method }) => {
    asked.push({ address, method });
    return { ok: status === 200, status, json: async () => ({ who: "edge-1" }) };
  };
  const receipts = new Receipts("evening", { subtle: crypto, fetch });
  receipts.wanted = true;
  receipts.ask(0);
  return { receipts, asked };
}

// Seconds [begin, end), ten chunks each but for those that `lose`; silent where `silent` says so.
function hears(receipts, begin, end, { lose = () => false, silent = () => false } = {}) {
  const minutes = [];
  for (let second = begin; second < end; second += 1) {
    for (let seq = 10 * second; seq < 10 * (second + 1); seq += 1) if (!lose(seq)) receipts.chunk(seq);
    const minute = receipts.pass(1000 * (second + 1), 1000, !silent(second));
    if (minute) minutes.push(minute);
  }
  return minutes;
}

test("a minute has what came, what did not, and how long there was silence", () => {
  const { receipts } = listener();
  const [first, second] = hears(receipts, 0, 122, { lose: (seq) => seq >= 300 && seq < 305, silent: (at) => at === 40 });
  assert.deepEqual(first, { from_seq: 0, to_seq: 609, chunks: 605, gaps: 5, silent_ms: 1000 });
  assert.deepEqual(second, { from_seq: 610, to_seq: 1209, chunks: 600, gaps: 0, silent_ms: 0 });
});

test("a gap between two minutes is counted", () => {
  const { receipts } = listener();
  const [, second] = hears(receipts, 0, 122, { lose: (seq) => seq >= 610 && seq < 620 });
  assert.deepEqual([second.chunks, second.gaps], [590, 10]);
});

test("nothing is signed unless the listener wants it, or before anything was heard", () => {
  const { receipts } = listener();
  receipts.wanted = false;
  assert.deepEqual(hears(receipts, 0, 130), []);
  receipts.wanted = true;
  receipts.ask(0);
  assert.deepEqual(hears(receipts, 0, 130, { silent: () => true }), []);
});

for (const [name, crypto] of Object.entries({ Ed25519: subtle, "P-256": old })) {
  test(`${name}: what is signed is sent, kept with its promise, and printed for the verifier`, async () => {
    const { receipts, asked } = listener(crypto);
    receipts.refuse();
    const [minute] = hears(receipts, 0, 61);
    receipts.refuse(); // after the first sound there is nothing to be let into
    assert.equal(await receipts.say(minute, EDGE, 1_723_485_600_000.4), true);
    assert.equal(asked[0].method, "POST");
    const sent = new URL(asked[0].address);
    assert.equal(sent.pathname, "/c/evening/receipts");
    assert.equal(Buffer.from(sent.searchParams.get("receipt"), "base64url").toString(), receipts.saved[0].receipt);
    const { heard } = JSON.parse(receipts.saved[0].receipt);
    assert.deepEqual([heard.refused, heard.first_sound_ms, heard.at_ms], [1, 1000, 1_723_485_600_000]);
    assert.equal(JSON.parse(receipts.file).promise.who, "edge-1");
    console.log(`receipt ${receipts.saved[0].receipt}`);
  });
}

test("one key signs all minutes of a conversation, and where no ledger is kept that is said", async () => {
  const { receipts } = listener(subtle, 404);
  for (const minute of hears(receipts, 0, 122)) assert.equal(await receipts.say(minute, EDGE, 0), false);
  const keys = receipts.saved.map(({ receipt }) => JSON.parse(receipt).key);
  assert.deepEqual([keys.length, new Set(keys).size, receipts.saved[0].promise], [2, 1, null]);
});

test("a page without TLS has no keys", () => {
  assert.equal(new Receipts("evening", { subtle: null }).possible, false);
});
