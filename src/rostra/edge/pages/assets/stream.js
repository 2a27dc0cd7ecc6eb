// The listener stream (docs/protocol.md): joins, reads frames, resumes at another edge from the next chunk.

import { EVENT, FrameReader, INIT, MEDIA, NoRostraStream } from "./framing.js";

const SILENCE_MIN_S = 1.5; // an edge that says nothing for this long, or for three cadences, is given up
const BACKOFF_FIRST_S = 0.1, BACKOFF_MAX_S = 5; // doubling: an edge that restarts is not met by all at once
const JOIN_TIMEOUT_S = 5;
const CHUNK_SAMPLES = 4800, CHUNK_MS = 100;
const MARGIN_MS = 120; // a buffer of one cadence holds this much more at least
const MINUTE_MS = 60_000; // in which it matters how much sound was lacking
const KNOCK_S = 60; // doors that are still closed: their time may be moved, so ask again this often at most
const SPREAD_SHARE = 0.1, SPREAD_MAX_S = 60; // of the time between doors and start: nobody need come at once

const NO_SEAT = { read: () => ({}), keep: () => undefined };

// What the stream needs of the world; tests pass their own.
const BROWSER = {
  get origin() { return location.origin; },
  get offline() { return navigator.onLine === false; },
  fetch: (address, options) => fetch(address, options),
  random: () => Math.random(),
  now_ms: () => performance.now(),
  after: (seconds, then) => {
    const timer = setTimeout(then, seconds * 1000);
    return () => clearTimeout(timer);
  },
};

// The pause after `failures` in a row, when there are `edges` to try and the last one asked for `asked_s`.
export function backoff_s(failures, edges, asked_s, random) {
  if (failures < edges || (failures <= 1 && !asked_s)) return 0; // every edge once, and a lone one twice
  const own_s = Math.min(BACKOFF_MAX_S, BACKOFF_FIRST_S * 2 ** Math.max(0, failures - edges - 1));
  return Math.max(asked_s, own_s) * (0.75 + random / 2);
}

// How long to wait for doors that open at `doors_ms`, when it is `now_ms` there.
export function knock_s({ doors_ms, starts_ms, now_ms }, random) {
  const closed_s = Math.max(0, (doors_ms - now_ms) / 1000);
  if (closed_s > KNOCK_S) return KNOCK_S * (0.5 + random / 2);
  return closed_s + 0.2 + random * Math.min(SPREAD_MAX_S, SPREAD_SHARE * Math.max(0, (starts_ms - doors_ms) / 1000));
}

export class ProgrammeStream {
  // `on` has init(bytes), media(seq, bytes), event(object), status(key, values), flowing() when an edge's first
  // chunk is there, time(now_ms, took_ms), and waiting(answer) with each new place in the waiting room.
  // `pass` is what the site gave to who is known there, or empty; `seat` keeps {ticket} or {place} over a reload.
  constructor(path, on, { pass = "", seat = NO_SEAT, world = BROWSER } = {}) {
    this.path = path;
    this.on = on;
    this.lastSeq = -1;
    this.cadence_s = 0.1;
    this.edge = world.origin;
    this.resumed = 0;
    this.#world = world;
    this.#pass = pass;
    this.#seat = seat;
    this.copy = []; // where a CDN has the programme, if newcomers are sent there
    this.#bases = [world.origin];
  }

  #world;
  #pass;
  #seat;
  #ticket = "";
  #offered = [];
  #had_ms = 100;
  #coming = null; // the cadence that was announced last
  #bases; // where to go on, the next one first
  #open = new Set(); // of AbortControllers
  #wakers = new Set();
  #stopped = false;
  #current = null; // {control, heard_ms} of the stream that sounds
  #sound_ms = null; // when the newest chunk came
  #bridged_ms = 0; // what a buffer held then, at least
  #lacks = []; // of sound, {at_ms, ms}: pauses that are longer than that, or chunks that were left out
  #told = { at_ms: 0, ms: 0 }; // of a minute of that, what an edge knows
  #successor = null; // the promise of a stream that takes over from it

  stop() {
    this.#stopped = true;
    for (const control of this.#open) control.abort();
    for (const wake of this.#wakers) wake();
  }

  // The network is back or the page was woken: whoever waits tries now, and a stream that is silent is replaced.
  wake() {
    for (const wake of this.#wakers) wake();
    const current = this.#current;
    const silent_s = current ? (this.#world.now_ms() - current.heard_ms) / 1000 : 0;
    if (silent_s > 2 * this.cadence_s + 0.2 && !current.control.signal.aborted) this.#handOver(current);
  }

  // Resolves to the renditions that can be listened to, or to null if there is nothing to wait for.
  async join() {
    for (let failures = 0; !this.#stopped; ) {
      const answer = await this.#knock(this.#bases[0], failures);
      if (answer?.status === "admitted") return this.#admitted(answer);
      if (answer?.status === "copy") {
        this.copy = answer.sources;
        return [];
      }
      if (answer?.status === "waiting") {
        failures = 0;
        this.#seat.keep({ place: answer.place });
        this.on.waiting(answer);
        await this.#sleep(answer.again_s);
      } else if (answer?.status === "early") {
        failures = 0;
        this.on.status("waiting_doors", {});
        await this.#sleep(knock_s(answer, this.#world.random()));
      } else {
        if (this.#isOver(answer)) return null;
        failures += 1;
        this.#turnFrom(answer);
        await this.#pause(failures, answer);
      }
    }
    return null;
  }

  #admitted(answer) {
    this.#ticket = answer.ticket;
    this.#seat.keep({ ticket: answer.ticket });
    this.#bases = [...new Set([...answer.alternates, this.#bases[0], this.#world.origin])];
    this.cadence_s = answer.cadence_ms / 1000;
    this.#offered = answer.renditions;
    return answer.renditions;
  }

  // The largest rendition that is offered now, in the container that has been heard so far.
  #fitting() {
    const container = this.rendition.split("-")[0];
    const same = this.#offered.filter(({ name }) => name.split("-")[0] === container);
    return same.reduce((best, each) => (each.bps > best.bps ? each : best), same[0])?.name ?? this.rendition;
  }

  // Follows the programme in `rendition` until it ends or `stop` is called.
  async follow(rendition) {
    this.rendition = rendition;
    let failures = 0;
    while (!this.#stopped) {
      const had = this.lastSeq;
      let refusal = await this.#stream(this.#bases[0]);
      while (this.#successor) {
        const taken = this.#successor;
        this.#successor = null;
        refusal = await taken;
      }
      if (this.#stopped || this.#isOver(refusal)) return;
      failures = this.lastSeq > had ? 0 : failures + 1;
      if (refusal?.status !== 403) this.#turnFrom(refusal);
      else if ((await this.join()) === null) return; // the ticket has run out; the new one is good here
      else this.rendition = this.#fitting();
      await this.#pause(failures, refusal);
    }
  }

  // Gone for good: say so as the stream would have done.
  #isOver(refusal) {
    if (refusal?.status !== 410) return false;
    this.on.event({ type: "ended", reason: refusal.reason === "cancelled" ? "cancelled" : "ended" });
    this.stop();
    return true;
  }

  // The answer of join, or {status, reason, retry_s, alternates} of a refusal, or null if there was no answer.
  // After `failures` it says that it asks again: a crowd that comes back is no larger crowd.
  async #knock(base, failures = 0) {
    const control = this.#controller(), asked_ms = this.#world.now_ms();
    const forget = this.#world.after(JOIN_TIMEOUT_S, () => control.abort());
    const options = { method: "POST", signal: control.signal };
    const known = Object.entries({ pass: this.#pass, ...this.#seat.read(), again: failures && 1 }).filter(([, value]) => value);
    const query = known.length ? `?${new URLSearchParams(known)}` : "";
    const answer = await this.#world.fetch(`${base}${this.path}/join${query}`, options).catch(() => null);
    const said = answer && (answer.ok ? await answer.json().catch(() => null) : await refused(answer));
    forget();
    this.#open.delete(control);
    if (said?.now_ms) this.on.time(said.now_ms, this.#world.now_ms() - asked_ms);
    return said;
  }

  // The next edge comes first, this one last.
  #turnFrom(refusal) {
    this.#bases = [...new Set([...this.#bases.slice(1), ...(refusal?.alternates ?? []), this.#bases[0]])];
  }

  async #pause(failures, refusal) {
    const wait_s = backoff_s(failures, this.#bases.length, refusal?.retry_s ?? 0, this.#world.random());
    if (wait_s === 0) return;
    if (this.#world.offline) this.on.status("offline", {});
    else if (refusal?.reason === "starting") this.on.status("starting", {});
    else if (wait_s < 1) this.on.status("resuming", {});
    else this.on.status(refusal?.reason === "full" ? "full" : "retry_in", { n: Math.ceil(wait_s) });
    await this.#sleep(wait_s);
  }

  #sleep(seconds) {
    if (this.#stopped) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => { forget(); this.#wakers.delete(done); resolve(); };
      const forget = this.#world.after(seconds, done);
      this.#wakers.add(done);
    });
  }

  // The cadence that the buffer is long enough for: one that is only announced is grown towards until its chunk.
  get #held_ms() {
    return this.#coming && this.lastSeq >= this.#coming.from_seq ? this.#coming.cadence_ms : this.#had_ms;
  }

  // How much later than the buffer bridges the next chunk is.
  get #late_ms() {
    return this.#sound_ms === null ? 0 : Math.max(0, this.#world.now_ms() - this.#sound_ms - this.#bridged_ms);
  }

  // Of sound, the pause that goes on included.
  #lackedSince(then_ms) {
    this.#lacks = this.#lacks.filter(({ at_ms }) => at_ms > then_ms);
    return Math.round(this.#lacks.reduce((sum, { ms }) => sum + ms, this.#late_ms));
  }

  #controller() {
    const control = new AbortController();
    this.#open.add(control);
    return control;
  }

  // One response, to its end: a refusal, or null. Once it sounds, its `predecessor` is let go.
  async #stream(base, predecessor = null) {
    const connection = { base, control: this.#controller(), heard_ms: this.#world.now_ms(), fresh: false };
    try {
      return await this.#read(connection, predecessor);
    } finally {
      connection.forget?.();
      connection.control.abort();
      this.#open.delete(connection.control);
    }
  }

  async #read(connection, predecessor) {
    this.#watch(connection);
    const asked_ms = this.#world.now_ms(), lacked_ms = this.#lackedSince(asked_ms - MINUTE_MS);
    const told_ms = this.#told.at_ms > asked_ms - MINUTE_MS ? Math.min(this.#told.ms, lacked_ms) : 0;
    const lacks = lacked_ms > told_ms ? `&lacked_ms=${lacked_ms}&told_ms=${told_ms}` : "";
    const from = this.lastSeq < 0 ? "" : `&from=${this.lastSeq + 1}&cadence_ms=${this.#held_ms}${lacks}`;
    const address = `${connection.base}${this.path}/stream?ticket=${this.#ticket}&rendition=${this.rendition}${from}`;
    const options = { signal: connection.control.signal, cache: "no-store" };
    const answer = await this.#world.fetch(address, options).catch(() => null);
    if (!answer?.ok) return answer && refused(answer);
    this.#told = { at_ms: asked_ms, ms: lacked_ms };
    const frames = new FrameReader(), body = answer.body.getReader();
    for (;;) {
      const piece = await body.read().catch(() => null); // lost, silent, or let go
      if (!piece || piece.done) return null;
      try {
        for (const frame of frames.feed(piece.value)) {
          if (frame.kind === MEDIA && this.#current !== connection) this.#sounds(connection, predecessor);
          this.#take(frame, connection);
        }
      } catch (error) {
        if (!(error instanceof NoRostraStream)) throw error;
        return null;
      }
      this.#watch(connection); // only now: the cadence may have come in this very piece
    }
  }

  #watch(connection) {
    connection.heard_ms = this.#world.now_ms();
    connection.forget?.();
    const limit_s = Math.max(SILENCE_MIN_S, 3 * this.cadence_s);
    connection.forget = this.#world.after(limit_s, () => connection.control.abort());
  }

  #sounds(connection, predecessor) {
    if (this.#current) this.resumed += 1;
    this.#current = connection;
    this.edge = connection.base;
    predecessor?.control.abort();
    this.on.flowing();
  }

  #take(frame, connection) {
    if (frame.kind === MEDIA) {
      if (frame.seq <= this.lastSeq) return;
      connection.fresh = true;
      const now_ms = this.#world.now_ms(), left_out = this.lastSeq < 0 ? 0 : frame.seq - this.lastSeq - 1;
      const ms = Math.max(this.#late_ms, left_out * CHUNK_MS);
      if (ms > 0) this.#lacks.push({ at_ms: now_ms, ms });
      this.#sound_ms = now_ms;
      this.#bridged_ms = this.#held_ms + MARGIN_MS;
      this.lastSeq = frame.seq;
      this.on.media(frame.seq, frame.bytes);
    } else if (frame.kind === INIT) {
      this.on.init(frame.bytes);
    } else {
      this.#happen(JSON.parse(new TextDecoder().decode(frame.bytes)), connection);
    }
  }

  #happen(event, connection) {
    if (!connection.fresh && event.at < (this.lastSeq + 1) * CHUNK_SAMPLES) return; // of a chunk that comes again
    if (event.type === "ended") this.#stopped = true;
    if (event.type === "hello" || event.type === "cadence") {
      this.cadence_s = event.cadence_ms / 1000;
      this.#had_ms = event.type === "hello" ? event.cadence_ms : this.#held_ms;
      this.#coming = event.type === "hello" ? null : event;
    }
    if (event.type === "rendition") this.#step(event);
    if (event.type === "drain") {
      const others = (event.alternates ?? []).filter((base) => base !== connection.base);
      this.#bases = [...new Set([...others, ...this.#bases])];
      this.#handOver(connection);
    }
    this.on.event(event);
  }

  // The edge asks for smaller renditions, or has room for larger ones again: in its own time each player goes over.
  async #step({ within_s }) {
    await this.#sleep(within_s * this.#world.random());
    const answer = this.#stopped ? null : await this.#knock(this.#bases[0]);
    if (answer?.status !== "admitted") return; // it stays with what it has
    this.#admitted(answer);
    const fitting = this.#fitting();
    if (fitting === this.rendition || !this.#current) return;
    this.rendition = fitting;
    this.#handOver(this.#current);
  }

  // Make before break: the next stream is opened, and this one let go when that one sounds.
  #handOver(connection) {
    if (this.#successor || this.#stopped) return;
    this.#successor = this.#stream(this.#bases[0], connection);
  }
}

async function refused(answer) {
  const problem = await answer.json().catch(() => ({}));
  const { reason = "", alternates = [] } = problem;
  return { status: answer.status, reason, alternates, retry_s: Number(answer.headers.get("Retry-After")) || 0 };
}
