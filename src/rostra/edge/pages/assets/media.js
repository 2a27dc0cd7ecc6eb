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
  constructor(audio, onStatus) {
    this.audio = audio;
    this.buffer = new Buffer();
    this.started = false;
    this.#onStatus = onStatus;
    audio.addEventListener("waiting", () => this.#waiting());
    audio.addEventListener("playing", () => { this.#dry = false; onStatus("playing", {}); });
  }

  #onStatus;
  #source = null;
  #sink = null;
  #queue = [];
  #init = null;
  #timer = 0;
  #dry = false;
  #ticked_ms = 0;

  async open(mime) {
    const Kind = Source();
    this.#source = new Kind();
    if (Kind === globalThis.ManagedMediaSource) this.audio.disableRemotePlayback = true; // else sourceopen never comes
    this.audio.src = URL.createObjectURL(this.#source);
    await new Promise((resolve) => this.#source.addEventListener("sourceopen", resolve, { once: true }));
    URL.revokeObjectURL(this.audio.src);
    this.#sink = this.#source.addSourceBuffer(mime);
    this.#sink.mode = "segments"; // currentTime is the programme clock
    this.#sink.addEventListener("updateend", () => { this.#control(); this.#pump(); });
    this.#ticked_ms = performance.now();
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  close() {
    clearInterval(this.#timer);
    this.#queue = [];
    this.#sink = null;
    this.audio.pause();
    this.audio.removeAttribute("src");
    this.audio.load();
  }

  get ahead_s() {
    const ranges = this.audio.buffered;
    return ranges.length ? Math.max(0, ranges.end(ranges.length - 1) - this.audio.currentTime) : 0;
  }

  init(bytes) {
    if (this.#init) return; // another edge, the same container: what follows fits
    this.#init = bytes;
    this.#queue.unshift(bytes);
    this.#pump();
  }

  append(bytes) {
    this.#queue.push(bytes);
    if (this.#queue.length > QUEUE_CHUNKS_MAX) this.#queue.splice(1, this.#queue.length - QUEUE_CHUNKS_MAX);
    this.#pump();
  }

  #pump() {
    if (!this.#sink || this.#sink.updating || !this.#queue.length || this.#source.readyState !== "open") return;
    const all = this.#queue.splice(0);
    const bytes = new Uint8Array(all.reduce((size, part) => size + part.length, 0));
    let at = 0;
    for (const part of all) { bytes.set(part, at); at += part.length; }
    try {
      this.#sink.appendBuffer(bytes);
    } catch (error) {
      if (error.name !== "QuotaExceededError") throw error;
      this.#queue.unshift(bytes);
      this.#trim(0);
    }
  }

  // After an append: start, keep the distance, forget what is long past.
  #control() {
    const audio = this.audio, ranges = audio.buffered;
    if (!ranges.length) return;
    const end_s = ranges.end(ranges.length - 1);
    if (!this.started) {
      if (end_s - ranges.start(ranges.length - 1) < this.buffer.target_s) return;
      this.started = true;
      audio.currentTime = end_s - this.buffer.target_s;
      audio.play().catch((error) => this.#onStatus(error.name === "NotAllowedError" ? "blocked" : "buffering", {}));
      return;
    }
    const { jump_s, rate } = this.buffer.decide(end_s - audio.currentTime);
    if (jump_s) audio.currentTime = end_s - this.buffer.target_s;
    if (audio.playbackRate !== rate) audio.playbackRate = rate;
    this.#trim(2 * BEHIND_KEPT_S);
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
    const audio = this.audio, ranges = audio.buffered;
    for (let index = 0; index < ranges.length; index += 1) { // a hole in the programme: go on behind it
      if (this.started && ranges.start(index) > audio.currentTime && audio.readyState < 3) {
        audio.currentTime = ranges.start(index) + 0.01;
        return;
      }
    }
  }

  #waiting() {
    if (!this.started || this.#dry || this.audio.seeking) return;
    this.#dry = true;
    this.buffer.stalled();
    this.#onStatus("stalled", {});
  }
}
