// Chunks into sound: Media Source (ManagedMediaSource where there is one), the smallest safe buffer, holes jumped.

import { Buffer } from "./buffer.js";

const BEHIND_KEPT_S = 10; // of sound already played; trimmed when it has doubled
const QUEUE_CHUNKS_MAX = 300; // 30 s: a page that slept longer jumps to the live edge anyway
const TICK_MS = 100;

const Source = () => globalThis.ManagedMediaSource ?? globalThis.MediaSource;

// The first of `renditions` that this browser can append, or null.
export function playable(renditions) {
  const source = Source();
  return renditions.find((rendition) => source?.isTypeSupported(rendition.mime)) ?? null;
}

export class Media {
  // `on` has status(key, values), paused() when the system stopped the sound (a call, headphones pulled out), and
  // broken() when the browser's decoder has given up.
  constructor(audio, on) {
    this.audio = audio;
    this.buffer = new Buffer();
    this.started = false;
    this.dry = false;
    this.#on = on;
    const listen = (name, then) => audio.addEventListener(name, then, { signal: this.#closed.signal });
    listen("waiting", () => this.#waiting());
    listen("playing", () => { this.dry = false; on.status("playing", {}); });
    listen("pause", () => audio.ended || on.paused());
    listen("error", () => on.broken());
  }

  #on;
  #closed = new AbortController(); // the element outlives this object; its listeners must not
  #source = null;
  #sink = null;
  #queue = [];
  #hasInit = false;
  #last = false;
  #timer = 0;
  #ticked_ms = 0;
  #thirsty = false;

  async open(mime) {
    const Kind = Source();
    this.#source = new Kind();
    if (Kind === globalThis.ManagedMediaSource) this.audio.disableRemotePlayback = true; // else sourceopen never comes
    this.audio.src = URL.createObjectURL(this.#source);
    await new Promise((resolve) => this.#source.addEventListener("sourceopen", resolve, { once: true }));
    URL.revokeObjectURL(this.audio.src);
    if (this.#closed.signal.aborted) return;
    this.#sink = this.#source.addSourceBuffer(mime);
    this.#sink.mode = "segments"; // currentTime is the programme clock
    this.#sink.addEventListener("updateend", () => { this.#control(); this.#pump(); });
    this.#source.addEventListener("startstreaming", () => this.#pump());
    this.#ticked_ms = performance.now();
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#pump();
  }

  close() {
    this.#closed.abort();
    clearInterval(this.#timer);
    this.#queue = [];
    this.#sink = null;
    this.audio.pause();
    this.audio.playbackRate = 1;
    this.audio.removeAttribute("src");
    this.audio.load();
  }

  get ahead_s() {
    const ranges = this.audio.buffered;
    return ranges.length ? Math.max(0, ranges.end(ranges.length - 1) - this.audio.currentTime) : 0;
  }

  init(bytes) {
    if (this.#hasInit) return; // another edge, the same container: what follows fits
    this.#hasInit = true;
    this.#queue.unshift(bytes);
    this.#pump();
  }

  append(bytes) {
    this.#queue.push(bytes);
    if (this.#queue.length > QUEUE_CHUNKS_MAX) this.#queue.splice(1, this.#queue.length - QUEUE_CHUNKS_MAX);
    this.#pump();
  }

  // No more will come: play to the very end; running dry there is no stall.
  finish() {
    this.#last = true;
    this.#pump();
  }

  // A managed source says when it wants data; a listener about to run dry is given it nevertheless.
  get #wanted() {
    return this.#source.streaming !== false || this.ahead_s < this.buffer.target_s;
  }

  #pump() {
    if (!this.#sink || this.#sink.updating || this.#source.readyState !== "open") return;
    if (!this.#queue.length && this.#last) this.#source.endOfStream(); // else the last 80 ms are kept back (Chromium)
    if (!this.#queue.length || !this.#wanted) return;
    const all = this.#queue.splice(0);
    const bytes = new Uint8Array(all.reduce((size, part) => size + part.length, 0));
    let at = 0;
    for (const part of all) { bytes.set(part, at); at += part.length; }
    try {
      this.#sink.appendBuffer(bytes);
    } catch (error) {
      if (error.name !== "QuotaExceededError") return this.#on.broken();
      this.#queue.unshift(bytes);
      this.#trim(0);
    }
  }

  // After an append: start, keep the distance, forget what is long past.
  #control() {
    const audio = this.audio, ranges = audio.buffered;
    if (!this.#sink || !ranges.length) return;
    const end_s = ranges.end(ranges.length - 1);
    if (!this.started) {
      if (end_s - ranges.start(ranges.length - 1) >= this.buffer.target_s) this.#start(end_s);
      return;
    }
    const { jump_s, rate } = this.buffer.decide(end_s - audio.currentTime);
    if (this.dry && this.#thirsty && end_s - audio.currentTime >= this.buffer.target_s) this.#refresh();
    if (jump_s) audio.currentTime = end_s - this.buffer.target_s;
    if (audio.playbackRate !== rate) audio.playbackRate = rate;
    this.#trim(2 * BEHIND_KEPT_S);
  }

  #start(end_s) {
    this.started = true;
    this.audio.currentTime = end_s - this.buffer.target_s;
    this.audio.play().catch((error) => {
      if (error.name === "NotAllowedError") this.#on.status("blocked", {}); // anything else comes as an event
    });
  }

  // After each underrun Chromium waits for twice as much as before, up to three seconds; a seek makes it forget that.
  #refresh() {
    this.#thirsty = false;
    const now_s = this.audio.currentTime;
    this.audio.currentTime = now_s;
  }

  #trim(behind_s) {
    const ranges = this.audio.buffered, now_s = this.audio.currentTime;
    if (ranges.length && now_s - ranges.start(0) > behind_s && !this.#sink.updating && now_s > BEHIND_KEPT_S) {
      this.#sink.remove(0, now_s - BEHIND_KEPT_S);
    }
  }

  #tick() {
    const now_ms = performance.now();
    this.buffer.relax((now_ms - this.#ticked_ms) / 1000);
    this.#ticked_ms = now_ms;
    this.#pump();
    if (this.started && this.audio.readyState < HTMLMediaElement.HAVE_FUTURE_DATA) this.#leap();
  }

  // Dry in front of a hole in the programme: go on behind it.
  #leap() {
    const audio = this.audio, ranges = audio.buffered;
    for (let index = 0; index < ranges.length; index += 1) {
      if (ranges.start(index) > audio.currentTime) {
        audio.currentTime = ranges.start(index) + 0.01;
        return;
      }
    }
  }

  #waiting() {
    if (!this.started || this.dry || this.#last || this.audio.seeking) return;
    this.dry = this.#thirsty = true;
    this.buffer.stalled();
    this.#on.status("stalled", {});
  }
}
