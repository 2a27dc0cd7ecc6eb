// The listener stream (docs/protocol.md): joins, reads frames, resumes at another edge from the next chunk.

const INIT = 1, MEDIA = 2, EVENT = 3;
const FRAME_BYTES_MAX = 1 << 20;
const SILENCE_MIN_S = 1.5; // an edge that says nothing for this long, or for three cadences, is given up
const BACKOFF_FIRST_S = 0.1, BACKOFF_MAX_S = 5;
const KNOCK_MAX_S = 10; // before the doors open: ask this often at most

// Cuts bytes into frames. Keeps at most one unfinished frame.
export class FrameReader {
  #kept = new Uint8Array(0);

  // Frames {kind, seq, bytes} that `bytes` completes; throws if this is no Rostra stream.
  *feed(bytes) {
    let data = bytes;
    if (this.#kept.length) {
      data = new Uint8Array(this.#kept.length + bytes.length);
      data.set(this.#kept);
      data.set(bytes, this.#kept.length);
    }
    let at = 0;
    while (data.length - at >= 4) {
      const kind = data[at];
      const length = (data[at + 1] << 16) | (data[at + 2] << 8) | data[at + 3];
      if (kind < INIT || kind > EVENT || length > FRAME_BYTES_MAX) throw new Error(`no Rostra stream: frame kind ${kind}`);
      if (data.length - at < 4 + length) break;
      const payload = data.subarray(at + 4, at + 4 + length);
      at += 4 + length;
      if (kind === MEDIA) {
        const seq = new DataView(payload.buffer, payload.byteOffset, 4).getUint32(0);
        yield { kind, seq, bytes: payload.slice(4) };
      } else {
        yield { kind, seq: -1, bytes: payload.slice() };
      }
    }
    this.#kept = data.slice(at);
  }
}

const sleep = (seconds, signal) => new Promise((resolve) => {
  const timer = setTimeout(resolve, seconds * 1000);
  signal.addEventListener("abort", () => { clearTimeout(timer); resolve(); }, { once: true });
});

export class ProgrammeStream {
  // `on` has init(bytes), media(seq, bytes), event(object), status(key, values); all are called in order.
  constructor(path, on) {
    this.path = path;
    this.on = on;
    this.lastSeq = -1;
    this.cadence_s = 0.1;
    this.clockOffset_ms = 0;
    this.edge = location.origin;
    this.resumed = 0;
  }

  #stop = new AbortController();
  #ticket = "";
  #bases = [location.origin];
  #over = false;
  #handover = null;

  stop() {
    this.#stop.abort();
  }

  // Joins; resolves to the answer's renditions, or null if it makes no sense to go on.
  async join() {
    for (let failures = 0; !this.#stop.signal.aborted; ) {
      const asked_ms = Date.now();
      const answer = await this.#post(this.#bases[failures % this.#bases.length]);
      if (answer?.ok) {
        const said = await answer.json();
        this.clockOffset_ms = said.now_ms - (asked_ms + Date.now()) / 2;
        if (said.status === "admitted") {
          this.#ticket = said.ticket;
          this.#bases = [location.origin, ...said.alternates.filter((base) => base !== location.origin)];
          this.cadence_s = said.cadence_ms / 1000;
          return said.renditions;
        }
        failures = 0;
        this.on.status("waiting_doors", {});
        const until_s = ((said.doors_ms ?? 0) - said.now_ms) / 1000;
        await this.#sleep(until_s > 0 && until_s < KNOCK_MAX_S ? until_s + 0.2 : KNOCK_MAX_S * (0.5 + Math.random() / 2));
      } else if (answer?.status === 404 || answer?.status === 410) {
        this.on.status("not_found", {});
        return null;
      } else {
        failures += 1;
        await this.#pause(failures, answer);
      }
    }
    return null;
  }

  // Follows the programme in `rendition` until it ends or `stop` is called.
  async follow(rendition) {
    let failures = 0;
    for (let turn = 0; !this.#over && !this.#stop.signal.aborted; turn += 1) {
      const heard = this.lastSeq;
      const answer = await this.#stream(this.#bases[turn % this.#bases.length], rendition);
      if (this.#over || this.#stop.signal.aborted) return;
      failures = this.lastSeq > heard ? 0 : failures + 1;
      this.resumed += 1;
      if (answer?.status === 403) await this.join(); // a ticket that has run out: ask for another
      if (failures) await this.#pause(failures, answer);
      else this.on.status("resuming", {});
    }
  }

  async #post(base) {
    try {
      return await fetch(`${base}${this.path}/join`, { method: "POST", signal: this.#timeout(5) });
    } catch { // no answer: the caller pauses and tries elsewhere
      return null;
    }
  }

  #timeout(seconds) {
    return AbortSignal.any([this.#stop.signal, AbortSignal.timeout(seconds * 1000)]);
  }

  async #sleep(seconds) {
    await sleep(seconds, this.#stop.signal);
  }

  async #pause(failures, answer) {
    if (failures <= this.#bases.length && !answer) return; // each other edge is tried at once
    const asked_s = Number(answer?.headers.get("Retry-After")) || 0;
    const wait_s = Math.max(asked_s, Math.min(BACKOFF_MAX_S, BACKOFF_FIRST_S * 2 ** failures)) * (0.75 + Math.random() / 2);
    if (navigator.onLine === false) this.on.status("offline", {});
    else if (wait_s >= 1) this.on.status(answer?.status === 503 ? "full" : "retry_in", { n: Math.ceil(wait_s) });
    const online = new AbortController();
    const wake = () => online.abort();
    addEventListener("online", wake, { once: true });
    await sleep(wait_s, AbortSignal.any([this.#stop.signal, online.signal]));
    removeEventListener("online", wake);
  }

  // One response, to its end. Resolves to the answer if it was refused, else to null.
  async #stream(base, rendition, onFirst = () => {}) {
    const quiet = new AbortController();
    const signal = AbortSignal.any([this.#stop.signal, quiet.signal]);
    let timer = 0;
    const watch = () => {
      clearTimeout(timer);
      timer = setTimeout(() => quiet.abort(), Math.max(SILENCE_MIN_S, 3 * this.cadence_s) * 1000);
    };
    try {
      watch();
      const from = this.lastSeq < 0 ? "" : `&from=${this.lastSeq + 1}`;
      const address = `${base}${this.path}/stream?ticket=${this.#ticket}&rendition=${rendition}${from}`;
      const answer = await fetch(address, { signal, cache: "no-store" });
      if (!answer.ok) return answer;
      this.edge = base;
      const frames = new FrameReader(), body = answer.body.getReader();
      for (;;) {
        const { done, value } = await body.read();
        if (done) return null;
        watch();
        for (const frame of frames.feed(value)) {
          this.#take(frame, rendition, base, quiet);
          if (frame.kind === MEDIA) onFirst();
        }
      }
    } catch { // lost, silent, or stopped: `follow` decides what comes next
      return null;
    } finally {
      clearTimeout(timer);
    }
  }

  #take(frame, rendition, base, connection) {
    if (frame.kind === MEDIA) {
      if (frame.seq <= this.lastSeq) return;
      this.lastSeq = frame.seq;
      this.on.media(frame.seq, frame.bytes);
    } else if (frame.kind === INIT) {
      this.on.init(frame.bytes);
    } else {
      const event = JSON.parse(new TextDecoder().decode(frame.bytes));
      if (event.type === "ended") this.#over = true;
      if (event.type === "hello" || event.type === "cadence") this.cadence_s = event.cadence_ms / 1000;
      if (event.type === "drain") this.#drain(event, rendition, base, connection);
      this.on.event(event);
    }
  }

  // The edge asks us to leave: open the next stream first, let go of this one when that one sounds.
  #drain(event, rendition, base, connection) {
    if (this.#handover) return;
    const others = (event.alternates ?? []).filter((other) => other !== base);
    if (others.length) this.#bases = others;
    this.#handover = this.#stream(this.#bases[0], rendition, () => connection.abort()).finally(() => { this.#handover = null; });
  }
}
