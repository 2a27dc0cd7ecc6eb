// How much sound to hold and how fast to play: pure decisions, times in seconds.

const MARGIN_S = 0.11; // over the cadence: scheduling and network jitter of an ordinary connection
const MARGIN_PER_CADENCE = 0.1; // and a longer write takes longer: 0.12 s at 100 ms, half a second at 4 s
const EXTRA_MAX_S = 3; // a network that needs more than this is down
const RELAX_PER_S = 0.004; // of the extra buffer that stalls have built: half of it is gone in three minutes
const TOLERANCE_S = 0.04; // appends and the page's clock jitter by as much; once moving, it moves to the target
const FAST = 1.06; // catching up; pitch is preserved, nobody minds
const SLOW = 0.95; // growing; likewise
const FAR_S = 3; // further behind than this it is quicker to jump

export class Buffer {
  constructor(cadence_s = 0.1) {
    this.cadence_s = cadence_s;
    this.extra_s = 0;
    this.stalls = 0;
    this.rate = 1;
  }

  get target_s() {
    return this.cadence_s * (1 + MARGIN_PER_CADENCE) + MARGIN_S + this.extra_s;
  }

  // The edge will write every `cadence_s` from some chunk on: grow before, shrink after.
  cadence(cadence_s) {
    this.cadence_s = cadence_s;
  }

  // The sound ran dry: hold half as much again, at most EXTRA_MAX_S over what the cadence needs.
  stalled() {
    this.stalls += 1;
    this.extra_s = Math.min(EXTRA_MAX_S, this.extra_s + this.target_s / 2);
  }

  relax(elapsed_s) {
    this.extra_s *= Math.max(0, 1 - RELAX_PER_S * elapsed_s);
  }

  // What to do with `ahead_s` of sound in the buffer, measured just after an append: a playback rate, or a jump.
  decide(ahead_s) {
    const over_s = ahead_s - this.target_s;
    if (over_s > FAR_S) this.rate = 1;
    else if (over_s > TOLERANCE_S) this.rate = FAST;
    else if (over_s < -TOLERANCE_S) this.rate = SLOW;
    else if ((this.rate > 1 && over_s <= 0) || (this.rate < 1 && over_s >= 0)) this.rate = 1;
    return { jump_s: over_s > FAR_S ? over_s : 0, rate: this.rate };
  }
}
