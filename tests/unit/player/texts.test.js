// Both languages say everything, with the same blanks to fill in.

import assert from "node:assert/strict";
import { test } from "node:test";

import { TEXTS, text } from "./assets/texts.js";

const blanks = (words) => [...words.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();

test("Dutch and English have the same texts with the same blanks", () => {
  assert.deepEqual(Object.keys(TEXTS.nl).sort(), Object.keys(TEXTS.en).sort());
  for (const key of Object.keys(TEXTS.en)) assert.deepEqual(blanks(TEXTS.nl[key]), blanks(TEXTS.en[key]), key);
});

test("a blank is filled with what is given, as it is", () => {
  assert.equal(text("en", "speaker", { name: "<b>$& {name}" }), "Heard now: <b>$& {name}");
});
