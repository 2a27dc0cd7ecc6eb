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
  #source = null;
  #samples = new Float32Array(2048);
  #heights = new Array(COLUMNS).fill(0);
  #drawn_ms = -CALM_COLUMN_MS;

  // Call from a tap: only then may a context run.
  prepare() {
    this.#context ??= new AudioContext({ latencyHint: "interactive" });
    this.#context.resume().catch(() => undefined); // it stays suspended, and the meter a wave
  }

  // Measure `audio`, which plays. Chrome can be listened to from outside; elsewhere the sound goes through the
  // context, but not on Apple's phones, which silence an element whose context is interrupted: no meter there.
  connect(audio) {
    if (this.#source || this.#context.state !== "running") return; // sound goes on without a meter
    const outside = typeof audio.captureStream === "function";
    if (!outside && globalThis.ManagedMediaSource) return;
    const context = this.#context;
    this.#analyser ??= new AnalyserNode(context, { fftSize: this.#samples.length });
    if (outside) {
      this.#source = context.createMediaStreamSource(audio.captureStream());
      this.#source.connect(this.#analyser);
    } else {
      this.#source = context.createMediaElementSource(audio);
      this.#source.connect(this.#analyser).connect(context.destination);
      context.addEventListener("statechange", () => { if (context.state === "suspended") context.resume(); });
    }
  }

  // The sound is over; what goes through the context stays connected, because an element can be taken only once.
  disconnect() {
    if (this.#source instanceof MediaStreamAudioSourceNode) {
      this.#source.disconnect();
      this.#source = null;
      this.#context.suspend();
    }
    this.level = 0;
  }

  #turn(now_ms) {
    if (this.#source) this.#measure();
    const pitch_ms = this.#still.matches ? CALM_COLUMN_MS : COLUMN_MS;
    if (now_ms - this.#drawn_ms >= pitch_ms) {
      this.#drawn_ms = now_ms;
      this.#heights.push(Math.max(0, 1 - (20 * Math.log10(this.level + 1e-9)) / FLOOR_DB));
      this.#heights.shift();
      this.#draw(now_ms);
    }
    requestAnimationFrame((next_ms) => this.#turn(next_ms));
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
      const tall = (this.#source ? heard : Math.max(heard, this.#wave(column, now_ms))) * (height - 2 * thick);
      pen.globalAlpha = this.#source ? 0.3 + 0.7 * (column / COLUMNS) : 0.45;
      pen.beginPath();
      pen.moveTo((column + 0.5) * pitch, (height - tall) / 2);
      pen.lineTo((column + 0.5) * pitch, (height + tall) / 2 + 0.01);
      pen.stroke();
    });
  }
}
