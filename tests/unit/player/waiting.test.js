// The waiting room as the player sees it: the place is kept, the ticket is kept, renditions change unheard (P2, P4).

import assert from "node:assert/strict";
import { test } from "node:test";

import { ProgrammeStream } from "./assets/stream.js";
import { HoldMusic, Seat, Voice, words } from "./assets/waiting.js";
import { Edges, Heard, HOME, OTHER } from "./edges.js";
import { event } from "./stream_bytes.js";

const waiting = (number, again_s = 10) => ({ status: "waiting", place: `P${number}`, number, waiting: 9, wait_s: 60, again_s });
const bps = (name, rate) => ({ name, bps: rate, mime: "audio/webm" });
const ALL = [bps("webm-64", 64000), bps("webm-32", 32000), bps("ogg-64", 64000)], SMALL = ALL.slice(1);

class Storage {
  kept = new Map();
  getItem = (key) => this.kept.get(key) ?? null;
  setItem = (key, value) => { this.kept.set(key, value); };
}

function visitor(edges, storage = new Storage()) {
  const heard = new Heard(), seat = new Seat("evening", () => storage);
  return { heard, seat, storage, stream: new ProgrammeStream("/c/evening", heard, { seat, world: edges }) };
}

test("P2: whoever waits asks again when told to, with the place, and is let in without doing anything", async () => {
  const edges = new Edges(), { heard, seat, stream } = visitor(edges);
  edges.waitings = [waiting(2), waiting(1, 3)];
  const joined = stream.join();
  await edges.settle();
  assert.deepEqual([heard.places, seat.read()], [[2], { place: "P2" }]);
  await edges.pass(10);
  assert.deepEqual(heard.places, [2, 1]);
  await edges.pass(3);
  await joined;
  assert.deepEqual(edges.asked.map(({ at_s }) => at_s), [0, 10, 13]);
  assert.deepEqual(edges.queries.map(({ place }) => place), [undefined, "P2", "P1"]);
  assert.deepEqual(seat.read(), { ticket: "T" });
});

test("a page that is loaded again brings the place, and later the ticket", async () => {
  const edges = new Edges(), first = visitor(edges);
  edges.waitings = [waiting(4)];
  first.stream.join();
  await edges.settle();
  first.stream.stop();
  const second = visitor(edges, first.storage);
  await second.stream.join();
  assert.equal(edges.queries.at(-1).place, "P4");
  await visitor(edges, first.storage).stream.join();
  assert.deepEqual(edges.queries.at(-1), { ticket: "T" });
});

test("a browser that keeps nothing waits all the same", async () => {
  const forbidden = () => { throw new Error("no storage"); };
  const seat = new Seat("evening", forbidden);
  seat.keep({ place: "P" });
  assert.deepEqual(seat.read(), {});
});

test("who is let in listens where the edge says that there is room", async () => {
  const edges = new Edges(), { stream } = visitor(edges);
  edges.admission = { ...edges.admission, alternates: [OTHER, HOME] };
  await stream.join();
  stream.follow("webm-64");
  await edges.settle();
  assert.equal(edges.newest.base, OTHER);
});

test("P4: asked for a smaller rendition, the player goes over before it lets go, and back when there is room", async () => {
  const edges = new Edges(), { heard, stream } = visitor(edges);
  edges.admission = { ...edges.admission, renditions: ALL };
  await stream.join();
  stream.follow("webm-64");
  await edges.settle();
  edges.newest.chunks(0, 9);
  await edges.settle();
  for (const [renditions, expected] of [[SMALL, "webm-32"], [ALL, "webm-64"]]) {
    const old = edges.newest, next = stream.lastSeq + 1;
    edges.admission = { ...edges.admission, renditions };
    old.write(event({ type: "rendition", cap_bps: 0, within_s: 2 }));
    await edges.pass(1);
    assert.deepEqual([stream.rendition, edges.newest.from, old.open], [expected, next, true]);
    assert.equal(edges.queries.at(-1).rendition, expected);
    edges.newest.chunks(next, next + 1);
    await edges.settle();
    assert.equal(old.open, false);
  }
  assert.deepEqual(heard.seqs, Array.from({ length: 14 }, (_, seq) => seq));
  stream.stop();
});

test("newcomers who are sent to a copy are told where it is", async () => {
  const edges = new Edges(), { stream } = visitor(edges);
  edges.waitings = [{ status: "copy", sources: [{ url: "https://cdn/x", mime: "audio/webm" }] }];
  assert.deepEqual(await stream.join(), []);
  assert.equal(stream.copy[0].url, "https://cdn/x");
});

test("places and times are told in words, and what nobody knows is said", () => {
  const told = (answer) => words({ ...waiting(1234), waiting: 5678, ...answer }, "en");
  assert.deepEqual(told({ wait_s: 150 }), ["You are number 1,234 of 5,678 who wait.", "About 3 minutes."]);
  assert.equal(told({ wait_s: 60 })[1], "About a minute.");
  assert.equal(told({ wait_s: 59 })[1], "Less than a minute.");
  assert.equal(told({ wait_s: 0 })[1], "You are next.");
  assert.match(told({ wait_s: null })[1], /Nobody can tell/);
  assert.match(words({ ...waiting(2), wait_s: null, reason: "closed" }, "nl")[1], /servers/);
});

class Audio {
  volume = 1;
  did = [];
  play = async () => { this.did.push("play"); };
  pause = () => { this.did.push("pause"); };
  load = () => { this.did.push("load"); };
  removeAttribute = (name) => { this.did.push(`no ${name}`); };
}

test("the music plays on until the programme takes its element, and ends when somebody leaves", () => {
  const audio = new Audio(), hold = new HoldMusic(audio);
  hold.start();
  hold.start();
  assert.deepEqual([audio.loop, audio.did], [true, ["play"]]);
  hold.handOver();
  hold.stop();
  assert.deepEqual([audio.loop, audio.did], [false, ["play"]]);
  hold.start();
  hold.stop();
  assert.deepEqual(audio.did, ["play", "play", "pause", "no src", "load"]);
});

test("each place is spoken once, only to who wants that, over music that is turned down", () => {
  const audio = new Audio(), spoken = [];
  globalThis.SpeechSynthesisUtterance = class { constructor(said) { this.said = said; } };
  const voice = new Voice(audio, { cancel() {}, speak: (utterance) => spoken.push(utterance) });
  voice.say(["one"], "en");
  voice.want(true);
  voice.say(["one"], "en");
  voice.say(["one"], "en");
  assert.deepEqual(spoken.map(({ said, lang }) => [said, lang]), [["one", "en"]]);
  spoken[0].onstart();
  assert.ok(audio.volume < 0.5);
  spoken[0].onend();
  assert.equal(audio.volume, 1);
});
