// The server's time, whatever the phone's clock says.

const SET_MS = 2000; // the phone's clock moved this much against its own steady clock: somebody has set it

export class ServerClock {
  #wall;
  #steady;
  #offset_ms = null;
  #zero_ms = 0;

  constructor(wall = () => Date.now(), steady = () => performance.now()) {
    this.#wall = wall;
    this.#steady = steady;
  }

  // The server said `said_ms` in an answer that took `took_ms`. Caches and latency only ever make it older, so
  // the greatest offset heard is the truest.
  hear(said_ms, took_ms = 0) {
    const offset_ms = said_ms + took_ms / 2 - this.#wall(), zero_ms = this.#wall() - this.#steady();
    const wasSet = Math.abs(zero_ms - this.#zero_ms) > SET_MS;
    if (this.#offset_ms === null || wasSet || offset_ms > this.#offset_ms) this.#offset_ms = offset_ms;
    this.#zero_ms = zero_ms;
  }

  get now_ms() {
    return this.#wall() + (this.#offset_ms ?? 0);
  }
}
