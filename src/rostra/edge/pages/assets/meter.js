// The level of what is heard, as a row of columns. Never in the way of the sound itself.

const COLUMNS = 40;
const FLOOR_DB = -54;

export class Meter {
  constructor(canvas, audio) {
    this.level = 0; // root mean square of the last measurement, full scale 1
    this.#canvas = canvas;
    this.#audio = audio;
    this.#still = matchMedia("(prefers-reduced-motion: reduce)");
    this.#history = new Array(COLUMNS).fill(0);
    this.#draw();
  }

  #canvas;
  #audio;
  #still;
  #history;
  #analyser = null;
  #context = null;
  #frame = 0;
  #pushed_ms = 0;

  // Call from a tap. Apple's browsers silence an element whose context is interrupted: there the meter stays still.
  async connect() {
    if (this.#analyser || globalThis.ManagedMediaSource) return;
    const context = new AudioContext({ latencyHint: "interactive" });
    const running = await Promise.race([context.resume().then(() => true), new Promise((r) => setTimeout(r, 1000, false))]);
    if (!running || context.state !== "running") {
      await context.close(); // sound goes on without a meter
      return;
    }
    this.#context = context;
    this.#analyser = context.createAnalyser();
    this.#analyser.fftSize = 2048;
    context.createMediaElementSource(this.#audio).connect(this.#analyser).connect(context.destination);
    context.addEventListener("statechange", () => { if (context.state === "suspended") context.resume(); });
    this.#loop();
  }

  #loop() {
    const samples = new Float32Array(this.#analyser.fftSize);
    const turn = (now_ms) => {
      this.#analyser.getFloatTimeDomainData(samples);
      this.level = Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
      if (now_ms - this.#pushed_ms > (this.#still.matches ? 1000 : 60)) {
        this.#pushed_ms = now_ms;
        const height = Math.max(0, 1 - (20 * Math.log10(this.level + 1e-9)) / FLOOR_DB);
        this.#history.push(height);
        this.#history.shift();
        this.#draw();
      }
      this.#frame = requestAnimationFrame(turn);
    };
    this.#frame = requestAnimationFrame(turn);
  }

  #draw() {
    const { width, height } = this.#canvas, pen = this.#canvas.getContext("2d");
    pen.clearRect(0, 0, width, height);
    pen.fillStyle = getComputedStyle(this.#canvas).color;
    const pitch = width / COLUMNS, thick = pitch * 0.45;
    this.#history.forEach((value, index) => {
      const tall = Math.max(thick, value * (height - 8));
      pen.globalAlpha = 0.3 + 0.7 * (index / COLUMNS);
      pen.beginPath();
      pen.roundRect(index * pitch + (pitch - thick) / 2, (height - tall) / 2, thick, tall, thick / 2);
      pen.fill();
    });
  }
}
