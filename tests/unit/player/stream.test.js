// The stream among edges that die, drain, refuse and fall silent (promises P3 and P6).

import assert from "node:assert/strict";
import { test } from "node:test";

import { ProgrammeStream, backoff_s, knock_s } from "./assets/stream.js";
import { Edges, Heard, HOME, OTHER } from "./edges.js";
import { event, media } from "./stream_bytes.js";

const range = (first, last) => Array.from({ length: last - first + 1 }, (_, n) => first + n);
const streams = (edges) => edges.asked.filter(({ what }) => what === "stream");

// A listener who has heard chunks 0 to 9 from HOME.
async function listening(edges = new Edges()) {
  const heard = new Heard(), stream = new ProgrammeStream("/c/evening", heard, { world: edges });
  await stream.join();
  const followed = stream.follow("webm-64");
  await edges.settle();
  edges.newest.chunks(0, 9);
  await edges.settle();
  return { edges, heard, stream, followed };
}

test("P6: an edge that dies is followed by the next one at once, from the next chunk", async () => {
  const { edges, heard, stream } = await listening();
  edges.newest.lose();
  await edges.settle();
  assert.deepEqual(streams(edges).at(-1), { at_s: 0, what: "stream", base: OTHER, from: 10 });
  edges.newest.chunks(10, 12);
  await edges.settle();
  assert.deepEqual(heard.seqs, range(0, 12));
  assert.deepEqual([stream.edge, stream.resumed, heard.statuses], [OTHER, 1, []]);
});

test("chunks that come a second time are not played a second time, nor are their events", async () => {
  const { edges, heard } = await listening();
  edges.newest.lose();
  await edges.settle();
  edges.newest.write(event({ type: "notice", at: 8 * 4800, text: "old" }), media(8, ""), media(9, ""));
  edges.newest.write(event({ type: "notice", at: 10 * 4800, text: "new" }), media(10, ""));
  await edges.settle();
  assert.deepEqual(heard.seqs, range(0, 10));
  assert.deepEqual(heard.events.filter(({ type }) => type === "notice").map(({ text }) => text), ["new"]);
});

test("P6: when an edge drains, the next stream sounds before the old one is let go, and only one is kept", async () => {
  const { edges, heard, stream } = await listening();
  const old = edges.newest;
  old.write(event({ type: "drain", alternates: [OTHER] }));
  await edges.settle();
  assert.deepEqual(edges.openConnections.map(({ base }) => base), [HOME, OTHER]);
  old.chunks(10, 11);
  await edges.settle();
  edges.newest.chunks(10, 12);
  await edges.settle();
  assert.deepEqual(edges.openConnections.map(({ base }) => base), [OTHER]);
  edges.newest.chunks(13, 14);
  await edges.pass(1);
  assert.deepEqual(heard.seqs, range(0, 14));
  assert.deepEqual([heard.statuses, streams(edges).length, stream.edge], [[], 2, OTHER]);
});

test("the edge that took over from one that drained may drain or die in its turn", async () => {
  const { edges, heard } = await listening();
  for (const [first, base] of [[10, OTHER], [12, HOME]]) {
    edges.newest.write(event({ type: "drain", alternates: [base] }));
    await edges.settle();
    edges.newest.chunks(first, first + 1);
    await edges.settle();
    assert.deepEqual(edges.openConnections.map((each) => each.base), [base]);
  }
  edges.newest.lose();
  await edges.settle();
  edges.newest.chunks(14, 15);
  await edges.settle();
  assert.deepEqual(heard.seqs, range(0, 15));
  assert.equal(edges.openConnections.length, 1);
});

test("a lone edge that drains is resumed at the same address, where its successor answers", async () => {
  const edges = new Edges();
  edges.admission.alternates = [HOME];
  await listening(edges);
  edges.newest.write(event({ type: "drain", alternates: [] }));
  await edges.settle();
  assert.deepEqual(streams(edges).map(({ base, from }) => [base, from]), [[HOME, -1], [HOME, 10]]);
});

test("an edge that falls silent is given up after a second and a half", async () => {
  const { edges } = await listening();
  await edges.pass(1.4);
  assert.equal(streams(edges).length, 1);
  await edges.pass(0.2);
  assert.deepEqual(streams(edges).map(({ base }) => base), [HOME, OTHER]);
});

test("at a cadence of four seconds twelve seconds of silence are borne", async () => {
  const { edges } = await listening();
  edges.newest.write(event({ type: "cadence", cadence_ms: 4000, from_seq: 100 }), media(10, ""));
  await edges.pass(11.9);
  assert.equal(streams(edges).length, 1);
  await edges.pass(0.2);
  assert.equal(streams(edges).length, 2);
});

test("when every edge is gone it tries all at once, then less and less often, and says so", async () => {
  const { edges, heard } = await listening();
  edges.dead(HOME);
  edges.dead(OTHER);
  edges.newest.lose();
  await edges.pass(60);
  const times_s = streams(edges).map(({ at_s }) => at_s);
  assert.deepEqual(times_s.slice(1, 3), [0, 0]);
  const pauses_s = times_s.slice(3).map((at_s, n) => at_s - times_s[n + 2]);
  assert.ok(Math.max(...pauses_s) <= 5 && pauses_s.at(-1) > 4, String(pauses_s));
  assert.ok(times_s.length < 25, String(times_s.length));
  assert.ok(heard.statuses.includes("retry_in"));
  edges.alive(OTHER);
  await edges.pass(10);
  assert.equal(edges.newest.from, 10);
});

test("an edge that takes the connection and answers nothing is passed over", async () => {
  const { edges } = await listening();
  edges.hanging(OTHER);
  edges.newest.lose();
  await edges.pass(1.6);
  assert.deepEqual(streams(edges).map(({ base }) => base), [HOME, OTHER, HOME]);
});

test("when the network comes back nobody waits for the end of a pause", async () => {
  const { edges, stream } = await listening();
  edges.dead(HOME);
  edges.dead(OTHER);
  edges.offline = true;
  edges.newest.lose();
  await edges.pass(30.1);
  const tries = streams(edges).length;
  edges.alive(HOME);
  edges.alive(OTHER);
  edges.offline = false;
  stream.wake();
  await edges.settle();
  assert.equal(streams(edges).length, tries + 1);
  assert.equal(edges.openConnections.length, 1);
});

test("a page that wakes with a silent stream replaces it at once, and one that flows keeps it", async () => {
  const { edges, heard, stream } = await listening();
  stream.wake();
  await edges.settle();
  assert.equal(streams(edges).length, 1, "it flows");
  edges.now_s += 1; // asleep: no timer has run
  stream.wake();
  await edges.settle();
  assert.equal(edges.openConnections.length, 2);
  edges.newest.chunks(10, 10);
  await edges.settle();
  assert.deepEqual([edges.openConnections.length, heard.seqs.at(-1)], [1, 10]);
});

test("a ticket that is refused is replaced, and the programme goes on from the next chunk", async () => {
  const { edges, heard } = await listening();
  edges.refusals.set(OTHER, (what) => {
    if (what === "stream") edges.alive(OTHER);
    return what === "stream" ? new Response("{}", { status: 403 }) : null;
  });
  edges.admission = { ...edges.admission, alternates: [OTHER, HOME] };
  edges.newest.lose();
  await edges.pass(1);
  assert.deepEqual(edges.asked.slice(2).map(({ what, base }) => [what, base]), [["stream", OTHER], ["join", OTHER], ["stream", OTHER]]);
  edges.newest.chunks(10, 11);
  await edges.settle();
  assert.deepEqual(heard.seqs, range(0, 11));
});

test("a conversation that ended while nobody was connected is over, and nobody asks again", async () => {
  const { edges, heard, followed } = await listening();
  for (const base of [HOME, OTHER]) edges.refusing(base, 410, { reason: "ended" });
  edges.newest.lose();
  await followed;
  assert.deepEqual(heard.events.at(-1), { type: "ended", reason: "ended" });
  await edges.pass(60);
  assert.equal(streams(edges).length, 2);
});

test("the last frame ends it", async () => {
  const { edges, heard, followed } = await listening();
  edges.newest.write(event({ type: "ended", reason: "cancelled" }));
  edges.newest.end();
  await followed;
  assert.equal(heard.events.at(-1).reason, "cancelled");
  assert.equal(streams(edges).length, 1);
});

test("whoever stops listening leaves no connection, timer or retry behind", async () => {
  const { edges, stream, followed } = await listening();
  stream.stop();
  await followed;
  await edges.pass(60);
  assert.deepEqual([edges.openConnections.length, edges.timers.size, streams(edges).length], [0, 0, 1]);
});

test("a full edge is left for the alternates it names, and asked again when it said", async () => {
  const edges = new Edges(), heard = new Heard(), stream = new ProgrammeStream("/c/evening", heard, { world: edges });
  for (const base of [HOME, OTHER]) {
    edges.refusing(base, 503, { reason: "full", alternates: [OTHER] }, { "Retry-After": "10" });
  }
  const joining = stream.join();
  await edges.pass(8);
  assert.deepEqual(edges.asked.map(({ base, at_s }) => [base, at_s]), [[HOME, 0], [OTHER, 0]]);
  assert.deepEqual(heard.statuses, ["full"]);
  edges.alive(HOME);
  await edges.pass(4);
  assert.deepEqual(await joining, []);
});

test("whoever comes before the doors open is let in when they have opened", async () => {
  const edges = new Edges(), heard = new Heard(), stream = new ProgrammeStream("/c/evening", heard, { world: edges });
  const admission = edges.admission;
  edges.admission = { status: "early", state: "scheduled", doors_ms: 30_000, starts_ms: 90_000, now_ms: 0 };
  const joining = stream.join();
  await edges.pass(29);
  assert.deepEqual([edges.asked.length, heard.statuses], [1, ["waiting_doors"]]);
  edges.admission = admission;
  await edges.pass(7);
  assert.deepEqual([edges.asked.length, await joining], [2, []]);
});

test("bytes that are no Rostra stream are treated as a lost edge", async () => {
  const { edges } = await listening();
  edges.newest.write(new TextEncoder().encode("<html>a captive portal</html>"));
  await edges.settle();
  assert.equal(streams(edges).at(-1).base, OTHER);
});

test("pauses double from a tenth of a second to five, and no edge is asked earlier than it said", () => {
  const pauses = range(0, 12).map((failures) => backoff_s(failures, 2, 0, 0.5));
  assert.deepEqual(pauses.slice(0, 6), [0, 0, 0.1, 0.1, 0.2, 0.4]);
  assert.equal(pauses.at(-1), 5);
  assert.ok(backoff_s(2, 1, 10, 0) >= 7.5);
});

test("a crowd before closed doors neither asks often nor all at once", () => {
  const half_hour = { doors_ms: 1_800_000, starts_ms: 3_600_000 };
  assert.ok(knock_s({ ...half_hour, now_ms: 0 }, 0) >= 30);
  const last = (random) => knock_s({ ...half_hour, now_ms: 1_799_000 }, random);
  assert.ok(last(0) >= 1 && last(0.999) - last(0) > 59, "spread over a minute of the half hour");
  assert.ok(knock_s({ doors_ms: 5_000, starts_ms: 10_000, now_ms: 5_000 }, 1) < 1, "with little time, little spread");
});

test("who goes on says what it lacks, and what of it an edge knows already", async () => {
  const { edges } = await listening();
  const said = () => { const { lacked_ms, told_ms } = edges.queries.at(-1); return [lacked_ms, told_ms]; };
  edges.newest.lose();
  await edges.settle();
  assert.deepEqual(said(), [undefined, undefined]); // at once: the buffer bridges it
  edges.newest.chunks(10, 12);
  await edges.settle();
  await edges.pass(1.4);
  edges.newest.lose();
  await edges.settle();
  assert.deepEqual(said(), ["1180", "0"]); // of 1.4 s the buffer had 0.22
  edges.newest.chunks(14, 15); // one is left out, in that pause
  await edges.settle();
  edges.newest.lose();
  await edges.settle();
  assert.deepEqual(said(), [undefined, undefined]);
  edges.newest.chunks(26, 27); // ten are
  await edges.settle();
  edges.newest.lose();
  await edges.settle();
  assert.deepEqual(said(), ["2180", "1180"]);
  for (let seq = 28; seq < 640; seq += 1) {
    edges.newest.chunks(seq, seq);
    await edges.pass(0.1);
  }
  edges.newest.lose();
  await edges.settle();
  assert.deepEqual(said(), [undefined, undefined]); // what was more than a minute ago is past
});
