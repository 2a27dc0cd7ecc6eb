// The buffer's decisions, alone and in a simulated player: times in seconds.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Buffer } from "./assets/buffer.js";

const STEP_S = 0.01;

// Writes of `cadence_s` of sound each, in [from_s, to_s), each late by `late(n)`.
function* every(cadence_s, from_s, to_s, late = () => 0) {
  for (let n = 0; from_s + n * cadence_s < to_s - 1e-9; n += 1) {
    yield { at_s: from_s + n * cadence_s + late(n), size_s: cadence_s };
  }
}

// A player that starts with `ahead_s` and is given `writes`. Returns what was heard.
function play({ buffer, writes, seconds, ahead_s = buffer.target_s }) {
  const coming = [...writes];
  let dry_s = 0, dry = false, rateMin = 1, rateMax = 1;
  for (let step = 0; step * STEP_S < seconds; step += 1) {
    while (coming.length && coming[0].at_s <= step * STEP_S + 1e-9) {
      ahead_s += coming.shift().size_s;
      const { rate, jump_s } = buffer.decide(ahead_s);
      ahead_s -= jump_s;
      [rateMin, rateMax, dry] = [Math.min(rateMin, rate), Math.max(rateMax, rate), false];
    }
    ahead_s -= STEP_S * buffer.rate;
    if (ahead_s < 0) {
      [dry_s, ahead_s] = [dry_s + STEP_S, 0];
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
    const heard = play({ buffer: new Buffer(cadence_s), writes: every(cadence_s, cadence_s, 60), seconds: 60 });
    assert.deepEqual([heard.dry_s, heard.rateMin, heard.rateMax], [0, 1, 1]);
  });
}

for (const [before_s, after_s] of [[0.1, 0.2], [0.1, 1], [0.5, 2], [0.1, 4]]) {
  test(`a cadence that goes from ${before_s} to ${after_s} s as edges announce it is grown into without a gap`, () => {
    const warned_s = (after_s - before_s) / 0.05; // docs/protocol.md: `from_seq` is this far ahead
    const buffer = new Buffer(before_s);
    const ahead_s = buffer.target_s - before_s;
    buffer.cadence(after_s);
    const writes = [...every(before_s, 0, warned_s), ...every(after_s, warned_s + after_s - before_s, warned_s + 60)];
    const heard = play({ buffer, writes, seconds: warned_s + 60, ahead_s });
    assert.deepEqual([heard.dry_s, heard.rateMin], [0, 0.95]);
  });
}

test("a shorter cadence is approached by playing faster, never faster than anybody hears", () => {
  const buffer = new Buffer(1);
  const ahead_s = buffer.target_s;
  buffer.cadence(0.1);
  const heard = play({ buffer, writes: every(0.1, 0.1, 60), seconds: 60, ahead_s });
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
  play({ buffer, writes: every(0.1, 0.1, 60, late), seconds: 60 });
  const stalls = buffer.stalls;
  assert.ok(stalls >= 1, "at first it is heard");
  play({ buffer, writes: every(0.1, 0.1, 20, late), seconds: 20 });
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
