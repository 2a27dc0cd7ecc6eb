// The framed reader: every frame exactly once, however the network cuts the bytes.

import assert from "node:assert/strict";
import { test } from "node:test";

import { EVENT, FrameReader, INIT, MEDIA, NoRostraStream } from "./assets/framing.js";
import { event, init, joined, media } from "./stream_bytes.js";

const read = (pieces) => {
  const reader = new FrameReader();
  return pieces.flatMap((piece) => [...reader.feed(piece)]);
};

const whole = joined([init("head"), event({ type: "hello", seq: 7 }), media(7, "sound"), media(4_000_000_000, "")]);

test("a stream is the same frames however it is cut into pieces", () => {
  const expected = read([whole]);
  assert.deepEqual(expected.map(({ kind, seq }) => [kind, seq]), [[INIT, -1], [EVENT, -1], [MEDIA, 7], [MEDIA, 4_000_000_000]]);
  assert.equal(new TextDecoder().decode(expected[2].bytes), "sound");
  for (let size = 1; size < whole.length; size += 1) {
    const pieces = [];
    for (let at = 0; at < whole.length; at += size) pieces.push(whole.slice(at, at + size));
    assert.deepEqual(read(pieces), expected, `pieces of ${size} bytes`);
  }
});

test("a frame keeps its bytes when the piece it came in is reused", () => {
  const piece = media(1, "sound");
  const [frame] = read([piece]);
  piece.fill(0);
  assert.equal(new TextDecoder().decode(frame.bytes), "sound");
});

test("an unfinished frame yields nothing", () => {
  assert.deepEqual(read([media(1, "sound").slice(0, -1)]), []);
});

for (const [what, bytes] of [
  ["an unknown kind", [9, 0, 0, 1, 0]],
  ["kind 0", [0, 0, 0, 1, 0]],
  ["a frame of 16 MB", [2, 255, 255, 255]],
  ["a media frame without a sequence number", [2, 0, 0, 3, 1, 2, 3]],
  ["a web page", [...new TextEncoder().encode("<!doctype html>")]],
]) {
  test(`${what} is no Rostra stream`, () => {
    assert.throws(() => read([Uint8Array.from(bytes)]), NoRostraStream);
  });
}
