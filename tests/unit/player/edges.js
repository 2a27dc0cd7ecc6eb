// A few edges and a clock of their own: the world that a ProgrammeStream is given in these tests.

import { event, init, joined, media } from "./stream_bytes.js";

const json = (value, status = 200, headers = {}) => new Response(JSON.stringify(value), { status, headers });

export const HOME = "http://edge-1", OTHER = "http://edge-2";

// One open response of an edge: what is written here is what the player reads.
class Connection {
  constructor(from, signal) {
    this.from = from;
    this.open = true;
    this.body = new ReadableStream({ start: (control) => { this.control = control; } });
    signal.addEventListener("abort", () => this.#finish(() => this.control.error(signal.reason)));
  }

  #finish(how) {
    if (this.open) how();
    this.open = false;
  }

  write(...frames) { if (this.open) this.control.enqueue(joined(frames)); }
  chunks(first, last) { for (let seq = first; seq <= last; seq += 1) this.write(media(seq, `chunk ${seq}`)); }
  end() { this.#finish(() => this.control.close()); }
  lose() { this.#finish(() => this.control.error(new TypeError("network error"))); }
}

export class Edges {
  constructor() {
    this.now_s = 0;
    this.origin = HOME;
    this.offline = false;
    this.timers = new Set();
    this.queries = [];
    this.asked = []; // {at_s, what, base, from}
    this.connections = [];
    this.waitings = []; // what joins are answered first
    this.refusals = new Map(); // base → function of "join" or "stream" that answers instead, or throws
    this.admission = { status: "admitted", ticket: "T", alternates: [HOME, OTHER], cadence_ms: 100, now_ms: 5, renditions: [] };
  }

  random = () => 0.5;
  now_ms = () => this.now_s * 1000;

  after = (seconds, then) => {
    const timer = { due_s: this.now_s + seconds, then };
    this.timers.add(timer);
    return () => this.timers.delete(timer);
  };

  fetch = async (address, options) => {
    const url = new URL(address), base = url.origin, what = url.pathname.split("/").at(-1);
    const from = Number(url.searchParams.get("from") ?? -1);
    this.asked.push({ at_s: this.now_s, what, base, from });
    this.queries.push(Object.fromEntries(url.searchParams));
    const refusal = this.refusals.get(base)?.(what, options.signal);
    if (refusal) return refusal;
    if (what === "join") return json(this.waitings.shift() ?? this.admission);
    const connection = new Connection(from, options.signal);
    this.connections.push(Object.assign(connection, { base }));
    connection.write(init("head"), event({ type: "hello", cadence_ms: 100, seq: from }));
    return new Response(connection.body);
  };

  get openConnections() { return this.connections.filter((each) => each.open); }
  get newest() { return this.connections.at(-1); }

  dead(base) { this.refusals.set(base, () => { throw new TypeError("connection refused"); }); }
  alive(base) { this.refusals.delete(base); }
  hanging(base) {
    this.refusals.set(base, (_, signal) => new Promise((_resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason));
    }));
  }
  refusing(base, status, problem, headers = {}) { this.refusals.set(base, () => json(problem, status, headers)); }

  // Let everything happen that needs no time.
  async settle() {
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }

  // Let `seconds` go by, timer by timer.
  async pass(seconds) {
    const until_s = this.now_s + seconds;
    await this.settle();
    for (;;) {
      const due = [...this.timers].filter((timer) => timer.due_s <= until_s).sort((a, b) => a.due_s - b.due_s)[0];
      if (!due) break;
      this.timers.delete(due);
      this.now_s = due.due_s;
      due.then();
      await this.settle();
    }
    this.now_s = until_s;
  }
}

// What a page hears from its stream.
export class Heard {
  seqs = [];
  events = [];
  statuses = [];
  inits = 0;
  flows = 0;
  init = () => { this.inits += 1; };
  media = (seq) => { this.seqs.push(seq); };
  event = (said) => { this.events.push(said); };
  status = (key) => { this.statuses.push(key); };
  flowing = () => { this.flows += 1; };
  time = () => undefined;
  places = [];
  waiting = (answer) => { this.places.push(answer.number); };
}
