// The player's pure parts: how much sound it holds, and how it cuts the stream into frames.
import assert from "node:assert/strict";
import test from "node:test";

const assets = new URL("../../../src/rostra/edge/pages/assets/", import.meta.url);
const { Buffer } = await import(new URL("buffer.js", assets));
const { FrameReader } = await import(new URL("framing.js", assets));
const { text } = await import(new URL("texts.js", assets));

test("the buffer is the cadence and a margin", () => {
  assert.ok(Math.abs(new Buffer(0.1).target_s - 0.22) < 1e-9);
  assert.ok(Math.abs(new Buffer(1).target_s - 1.12) < 1e-9);
});

test("each stall makes it half as large again, up to a bound, and time makes it small again", () => {
  const buffer = new Buffer(0.1);
  const before = buffer.target_s;
  buffer.stalled();
  assert.ok(Math.abs(buffer.target_s - 1.5 * before) < 1e-9);
  for (let n = 0; n < 50; n += 1) buffer.stalled();
  assert.ok(buffer.target_s <= before + 3);
  for (let n = 0; n < 3600; n += 1) buffer.relax(1);
  assert.ok(buffer.target_s < before + 0.01);
});

test("it catches up gently, falls back gently, rests at the target, and jumps when it is far behind", () => {
  const buffer = new Buffer(0.1);
  assert.deepEqual(buffer.decide(0.22), { jump_s: 0, rate: 1 });
  assert.equal(buffer.decide(0.3).rate, 1.06);
  assert.equal(buffer.decide(0.24).rate, 1.06, "once moving it moves to the target");
  assert.equal(buffer.decide(0.219).rate, 1);
  assert.equal(buffer.decide(0.1).rate, 0.95);
  assert.ok(buffer.decide(9).jump_s > 8);
});

test("a longer cadence is prepared by playing slower before it comes", () => {
  const buffer = new Buffer(0.1);
  buffer.cadence(1);
  assert.equal(buffer.decide(0.22).rate, 0.95);
});

function frame(kind, payload) {
  return Uint8Array.of(kind, payload.length >> 16, (payload.length >> 8) & 255, payload.length & 255, ...payload);
}

test("frames are read as they were written, however they are cut", () => {
  const stream = [frame(1, [9, 9]), frame(2, [0, 1, 17, 112, 5]), frame(3, [123, 125])].flatMap((part) => [...part]);
  for (let cut = 1; cut <= stream.length; cut += 1) {
    const reader = new FrameReader(), read = [];
    for (let at = 0; at < stream.length; at += cut) read.push(...reader.feed(Uint8Array.from(stream.slice(at, at + cut))));
    assert.deepEqual(read.map(({ kind, seq, bytes }) => [kind, seq, [...bytes]]), [[1, -1, [9, 9]], [2, 70000, [5]], [3, -1, [123, 125]]]);
  }
});

test("what is no Rostra stream is refused", () => {
  assert.throws(() => [...new FrameReader().feed(new TextEncoder().encode("HTTP/1.1"))]);
});

test("both languages have every word", async () => {
  const source = await (await import("node:fs/promises")).readFile(new URL("texts.js", assets), "utf8");
  const keys = (name) => new Set([...source.split(`  ${name}: {`)[1].split("\n  },")[0].matchAll(/(\w+): "/g)].map((match) => match[1]));
  assert.deepEqual(keys("en"), keys("nl"));
  assert.equal(text("nl", "listeners", { n: 3 }), "3 luisteraars");
});
