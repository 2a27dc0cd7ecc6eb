// The buffer's decisions, alone and in a simulated player: times in seconds.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Buffer } from "./assets/buffer.js";

const STEP_S = 0.01;

// A player fed by writes of `cadence_s`; each write comes `late(n)` seconds late. Returns what was heard.
function play({ buffer, cadence_s, seconds, late = () => 0, ahead_s = buffer.target_s, from_s = 0 }) {
  let dry_s = 0, dry = false, written_s = 0, rateMin = 1, rateMax = 1;
  const writes = [];
  for (let n = 1; n * cadence_s <= seconds; n += 1) writes.push({ at_s: n * cadence_s + late(n), size_s: cadence_s });
  for (let now_s = from_s; now_s < from_s + seconds; now_s += STEP_S) {
    while (writes.length && writes[0].at_s <= now_s - from_s) {
      ahead_s += writes[0].size_s;
      written_s += writes.shift().size_s;
      const { rate, jump_s } = buffer.decide(ahead_s);
      ahead_s -= jump_s;
      [rateMin, rateMax] = [Math.min(rateMin, rate), Math.max(rateMax, rate)];
      dry = false;
    }
    ahead_s -= STEP_S * buffer.rate;
    if (ahead_s < 0) {
      dry_s += STEP_S;
      ahead_s = 0;
      if (!dry) buffer.stalled();
      dry = true;
    }
    buffer.relax(STEP_S);
  }
  return { dry_s, ahead_s, rateMin, rateMax };
}

test("at a cadence of 100 ms the target is about a quarter of a second", () => {
  const { target_s } = new Buffer(0.1);
  assert.ok(target_s >= 0.2 && target_s <= 0.3, String(target_s));
});

for (const cadence_s of [0.1, 0.2, 0.5, 1, 2, 4]) {
  test(`punctual writes every ${cadence_s} s never run dry and need no change of speed`, () => {
    const heard = play({ buffer: new Buffer(cadence_s), cadence_s, seconds: 60 });
    assert.deepEqual([heard.dry_s, heard.rateMin, heard.rateMax], [0, 1, 1]);
  });
}

test("a longer cadence announced as the edge announces it is grown into without a gap", () => {
  // docs/protocol.md: `cadence` comes (new - old) / 0.05 s before its first chunk.
  const buffer = new Buffer(0.1);
  const ahead_s = buffer.target_s - 0.1;
  buffer.cadence(1);
  const warned = play({ buffer, cadence_s: 0.1, seconds: (1 - 0.1) / 0.05, ahead_s });
  assert.equal(warned.dry_s, 0);
  assert.equal(warned.rateMin, 0.95);
  const after = play({ buffer, cadence_s: 1, seconds: 60, ahead_s: warned.ahead_s });
  assert.equal(after.dry_s, 0);
});

test("a shorter cadence is approached by playing faster, never faster than anybody hears", () => {
  const buffer = new Buffer(1);
  const ahead_s = buffer.target_s;
  buffer.cadence(0.1);
  const heard = play({ buffer, cadence_s: 0.1, seconds: 60, ahead_s });
  assert.equal(heard.dry_s, 0);
  assert.ok(heard.rateMax > 1 && heard.rateMax <= 1.06, String(heard.rateMax));
  assert.ok(heard.ahead_s < buffer.target_s + 0.05, String(heard.ahead_s));
});

test("each stall holds half as much again, up to three seconds over the cadence", () => {
  const buffer = new Buffer(0.1);
  const before_s = buffer.target_s;
  buffer.stalled();
  assert.ok(Math.abs(buffer.target_s - 1.5 * before_s) < 1e-9);
  for (let n = 0; n < 50; n += 1) buffer.stalled();
  assert.ok(buffer.target_s <= 0.1 + 3.2, String(buffer.target_s));
  assert.equal(buffer.stalls, 51);
});

test("a network that is late by half a second every five seconds stops being heard", () => {
  const buffer = new Buffer(0.1);
  const late = (n) => (n % 50 < 5 ? 0.5 - 0.1 * (n % 50) : 0);
  play({ buffer, cadence_s: 0.1, seconds: 60, late });
  const stalls = buffer.stalls;
  assert.ok(stalls >= 1, "at first it is heard");
  play({ buffer, cadence_s: 0.1, seconds: 20, late, ahead_s: buffer.target_s });
  assert.equal(buffer.stalls, stalls, "then the buffer is long enough");
});

test("what stalls have added is forgotten slowly: half of it in about three minutes", () => {
  const buffer = new Buffer(0.1);
  for (let n = 0; n < 4; n += 1) buffer.stalled();
  const grown_s = buffer.extra_s;
  buffer.relax(60);
  assert.ok(buffer.extra_s > 0.7 * grown_s);
  for (let n = 0; n < 120; n += 1) buffer.relax(1);
  assert.ok(buffer.extra_s > 0.4 * grown_s && buffer.extra_s < 0.6 * grown_s, String(buffer.extra_s / grown_s));
});

test("who is many seconds behind jumps to the target in one step", () => {
  const buffer = new Buffer(0.1);
  const { jump_s, rate } = buffer.decide(60);
  assert.ok(Math.abs(60 - jump_s - buffer.target_s) < 1e-9);
  assert.equal(rate, 1);
  assert.equal(buffer.decide(buffer.target_s + 2).jump_s, 0, "two seconds are caught up by playing faster");
});
