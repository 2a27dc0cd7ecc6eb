// The level of what is heard, as a row of columns; while nothing is heard, a slow wave. Never in the way of sound.

const COLUMNS = 40;
const FLOOR_DB = -54;
const COLUMN_MS = 60, CALM_COLUMN_MS = 1000; // the second for whoever prefers less motion
const WAVE_HEIGHT = 0.3, WAVE_PERIOD_MS = 7000, WAVE_COLUMNS = 17; // slower than breathing: it waits, it does not sound

export class Meter {
  constructor(canvas) {
    this.level = 0; // root mean square of the last measurement, full scale 1
    this.#canvas = canvas;
    this.#still = matchMedia("(prefers-reduced-motion: reduce)");
    this.#turn(0);
  }

  #canvas;
  #still;
  #context = null;
  #analyser = null;
  #heard = false;
  #resting = false;
  #samples = new Float32Array(2048);
  #heights = new Array(COLUMNS).fill(0);
  #drawn_ms = -CALM_COLUMN_MS;

  // Call from a tap: only then may a context run.
  prepare() {
    this.#resting = false;
    this.#context ??= new AudioContext({ latencyHint: "interactive" });
    this.#context.resume().catch(() => undefined); // it stays suspended, and the meter a wave
  }

  // Measure `audio`, which plays, by leading its sound through the context. (Listening to it from outside with
  // captureStream makes Chromium stall on a busy machine.) Apple's browsers with a managed source silence an
  // element whose context is interrupted, and a context that does not run would silence it too: no meter there.
  connect(audio) {
    this.#heard = true;
    if (this.#analyser || this.#context.state !== "running" || globalThis.ManagedMediaSource) return;
    const context = this.#context;
    this.#analyser = new AnalyserNode(context, { fftSize: this.#samples.length });
    context.createMediaElementSource(audio).connect(this.#analyser).connect(context.destination);
    context.addEventListener("statechange", () => {
      if (context.state === "suspended" && !this.#resting) context.resume();
    });
  }

  // Nothing is played any more. The element stays connected: it can be taken only once.
  disconnect() {
    this.#heard = false;
    this.level = 0;
  }

  // Nothing will be played any more.
  rest() {
    this.#resting = true;
    this.#context?.suspend();
  }

  #turn(now_ms) {
    if (this.#measuring) this.#measure();
    const pitch_ms = this.#still.matches ? CALM_COLUMN_MS : COLUMN_MS;
    if (now_ms - this.#drawn_ms >= pitch_ms) {
      this.#drawn_ms = now_ms;
      this.#heights.push(Math.max(0, 1 - (20 * Math.log10(this.level + 1e-9)) / FLOOR_DB));
      this.#heights.shift();
      this.#draw(now_ms);
    }
    requestAnimationFrame((next_ms) => this.#turn(next_ms));
  }

  get #measuring() {
    return this.#heard && this.#analyser !== null;
  }

  #measure() {
    this.#analyser.getFloatTimeDomainData(this.#samples);
    let sum = 0;
    for (const sample of this.#samples) sum += sample * sample;
    this.level = Math.sqrt(sum / this.#samples.length);
  }

  #wave(column, now_ms) {
    const phase = this.#still.matches ? 0 : now_ms / WAVE_PERIOD_MS;
    return (WAVE_HEIGHT * (1 - Math.cos(2 * Math.PI * (column / WAVE_COLUMNS - phase)))) / 2;
  }

  #draw(now_ms) {
    const { width, height } = this.#canvas, pen = this.#canvas.getContext("2d");
    const pitch = width / COLUMNS, thick = pitch * 0.45;
    pen.clearRect(0, 0, width, height);
    pen.strokeStyle = getComputedStyle(this.#canvas).color;
    pen.lineWidth = thick;
    pen.lineCap = "round";
    this.#heights.forEach((heard, column) => {
      const tall = (this.#measuring ? heard : Math.max(heard, this.#wave(column, now_ms))) * (height - 2 * thick);
      pen.globalAlpha = this.#measuring ? 0.3 + 0.7 * (column / COLUMNS) : 0.45;
      pen.beginPath();
      pen.moveTo((column + 0.5) * pitch, (height - tall) / 2);
      pen.lineTo((column + 0.5) * pitch, (height + tall) / 2 + 0.01);
      pen.stroke();
    });
  }
}
