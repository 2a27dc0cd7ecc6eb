// The server's clock, seen through late answers and a phone that is wrong.

import assert from "node:assert/strict";
import { test } from "node:test";

import { ServerClock } from "./assets/clock.js";

// A phone whose clock is `off_ms` ahead of the server's; `pass` lets time go by, `set` sets its clock.
function phone(off_ms) {
  const world = { server_ms: 1_000_000, off_ms };
  const clock = new ServerClock(() => world.server_ms + world.off_ms, () => world.server_ms);
  return { world, clock, pass: (ms) => { world.server_ms += ms; }, set: (ms) => { world.off_ms = ms; } };
}

for (const off_ms of [0, 3_600_000, -90_000]) {
  test(`a phone that is ${off_ms} ms ahead shows the server's time`, () => {
    const { world, clock, pass } = phone(off_ms);
    clock.hear(world.server_ms);
    pass(5_000);
    assert.equal(clock.now_ms, world.server_ms);
  });
}

test("an answer from a cache does not turn the clock back", () => {
  const { world, clock } = phone(7_000);
  clock.hear(world.server_ms);
  clock.hear(world.server_ms - 900);
  assert.equal(clock.now_ms, world.server_ms);
});

test("a fresher answer than the page itself sets the clock forward", () => {
  const { world, clock } = phone(-40_000);
  clock.hear(world.server_ms - 1_000);
  clock.hear(world.server_ms - 50, 100);
  assert.equal(clock.now_ms, world.server_ms);
});

test("when somebody sets the phone's clock, the next answer counts, even if it sets ours back", () => {
  const { world, clock, set } = phone(0);
  clock.hear(world.server_ms);
  set(600_000);
  clock.hear(world.server_ms);
  assert.equal(clock.now_ms, world.server_ms);
});

test("before anything was heard the phone's own clock must do", () => {
  const { world, clock } = phone(0);
  assert.equal(clock.now_ms, world.server_ms);
});
