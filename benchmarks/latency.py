"""Mouth to ear: a click into `rostra feed -`, until Chromium plays it."""

import statistics
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from listening import Listening, chromium

from benchmarks.record import keep
from rostra.rehearsal.crowd import CrowdPlan, run_crowd
from system import running

RATE = 48_000
BEEPS = 16
BEEP_S = 0.06
SECONDS = 30

# 16 tones mark the seconds (prototypes' trick): the page notes when each begins. The clock is the same machine's.
DETECTOR = """
class Det extends AudioWorkletProcessor {
  constructor() { super(); this.buffer = new Float32Array(240); this.filled = 0; this.on = false; }
  process([[samples]]) {
    if (!samples) return true;
    for (const sample of samples) {
      this.buffer[this.filled++] = sample;
      if (this.filled === this.buffer.length) { this.filled = 0; this.look(); }
    }
    return true;
  }
  look() {
    let best = -1, most = 0;
    for (let k = 0; k < 16; k++) {
      const c = 2 * Math.cos(2 * Math.PI * (600 + 300 * k) / sampleRate);
      let a = 0, b = 0;
      for (const v of this.buffer) { const t = v + c * a - b; b = a; a = t; }
      const power = (a * a + b * b - c * a * b) / (this.buffer.length ** 2 / 4);
      if (power > most) { most = power; best = k; }
    }
    const on = most > 0.01;
    if (on && !this.on) this.port.postMessage(best);
    this.on = on;
  }
}
registerProcessor("det", Det);
"""
ATTACH = """
async () => {
  window.beeps = [];
  const context = new AudioContext({ sampleRate: 48000, latencyHint: "interactive" });
  await context.audioWorklet.addModule(URL.createObjectURL(new Blob([%r], { type: "text/javascript" })));
  const source = context.createMediaStreamSource(document.getElementById("audio").captureStream());
  const detector = new AudioWorkletNode(context, "det");
  source.connect(detector);
  detector.port.onmessage = (message) => window.beeps.push([message.data, Date.now()]);
}
"""


def main(listeners: str = "0,500") -> None:
    figures: dict[str, object] = {}
    for count in map(int, listeners.split(",")):
        figures |= {f"{count} others: {name}": value for name, value in _measure(count).items()}
    keep("latency", figures)


def _measure(others: int) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "rostra") as system, chromium() as browser:
        announced = system.schedule(at="+1s", id="beeps")
        feed = system.feed("beeps", "-", "--original", "--live", stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
        stop = threading.Event()
        speaking = threading.Thread(target=_speak, args=(feed, stop))
        speaking.start()
        if others:
            plan = CrowdPlan(
                announced["url"], others, max(500, others / 10), SECONDS + 30, "webm-32", max(1, others // 9_000)
            )
            crowd = threading.Thread(target=run_crowd, args=(plan,))
            crowd.start()
            time.sleep(min(30, 5 + others / 1_000))
        context = browser.new_context(locale="en-GB", bypass_csp=True)
        listening = Listening(context.new_page())
        listening.open(announced["url"])
        listening.press_listen()
        listening.wait("r.state === 'live' && r.started", within_s=20)
        listening.page.evaluate(ATTACH % DETECTOR)
        listening.hear(5)  # the player settles, the hold music has gone
        listening.page.evaluate("() => { window.beeps = []; }")
        listening.hear(SECONDS)
        beeps = listening.page.evaluate("() => window.beeps")
        target_s = listening.rostra()["target_s"]
        cadence = [edge["cadence_ms"] for edge in system.status()["edges"]]
        stop.set()
        speaking.join()
        context.close()
        if others:
            crowd.join()
    lags = [lag for number, at_ms in beeps if (lag := _lag_ms(number, at_ms)) is not None]
    return {
        "beeps heard": len(lags),
        "p50 (ms)": round(statistics.median(lags)),
        "p95 (ms)": round(sorted(lags)[int(len(lags) * 0.95)]),
        "cadence (ms), player's target (s)": f"{max(cadence)}, {target_s:.2f}",
    }


def _lag_ms(number: int, heard_ms: float) -> float | None:
    """How long after its second the beep with this number was heard."""
    second = int(heard_ms // 1000)
    for candidate in range(second, second - BEEPS, -1):
        if candidate % BEEPS == number:
            return heard_ms - candidate * 1000
    return None


def _speak(feed: subprocess.Popen[bytes], stop: threading.Event) -> None:
    """Write a WAV of unknown length in real time: at each full second of the wall clock, a beep."""
    assert feed.stdin is not None
    header = b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\x01\0\x01\0" + RATE.to_bytes(4, "little")
    header += (RATE * 2).to_bytes(4, "little") + b"\x02\0\x10\0data\xff\xff\xff\xff"
    feed.stdin.write(header)
    block = RATE // 100
    begin_s = time.time()
    written = 0
    noise = np.random.default_rng(1)
    while not stop.is_set():
        due = int((time.time() - begin_s) * RATE) // block * block
        while written < due:
            at_s = begin_s + (written + np.arange(block)) / RATE
            second, phase = np.floor(at_s), at_s % 1
            tone = 0.5 * np.sin(2 * np.pi * (600 + 300 * (second % BEEPS)) * phase)
            sound = np.where(phase < BEEP_S, tone, 0.003 * noise.standard_normal(block))
            feed.stdin.write((sound * 32767).astype("<i2").tobytes())
            written += block
        feed.stdin.flush()
        time.sleep(0.002)
    feed.stdin.close()
