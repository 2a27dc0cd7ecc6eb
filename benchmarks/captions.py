"""Captions: how late they are at a listener's, how wrong, and what they cost."""

import json
import statistics
import tempfile
import time
import urllib.request
from pathlib import Path

import psutil

from benchmarks.record import keep
from captioned import SAID, read_stream, speaking, word_error_rate, words
from states import wait_for_state
from system import free_port, running, wait_until

SECONDS = 54.0  # some silence, the recording, and what comes of its last words


def main(rounds: str = "5") -> None:
    late_s: list[float] = []
    rates: list[float] = []
    shares: list[float] = []
    afterwards: list[float] = []
    took_s: list[float] = []
    bytes_per_s: list[float] = []
    for _ in range(int(rounds)):
        port = free_port()
        with (
            tempfile.TemporaryDirectory() as folder,
            running(Path(folder) / "rostra", captions="on", recorder_port=str(port)) as system,
        ):
            announced = system.schedule(at="+4s", doors="4s", id="aloud")
            wait_until(lambda system=system: system.state("aloud")["captions"], within_s=30, what="captions")
            process = psutil.Process(system.pid("captions-1"))
            with speaking(system, "aloud"):
                wait_for_state(system, "aloud", "live", within_s=20)
                before_s = sum(process.cpu_times()[:2])
                heard = read_stream(announced["url"], seconds=SECONDS)
                shares.append((sum(process.cpu_times()[:2]) - before_s) / SECONDS)
            late_s += heard.lateness_s(heard.begins())
            rates.append(word_error_rate(words(SAID), words(heard.text())))
            bytes_per_s.append(sum(len(json.dumps(event)) for _, event in heard.captions) / SECONDS)
            memory_mb = process.memory_info().rss >> 20
            system.rostra("end", "aloud")
            manifest = system.folder / "data" / "recordings" / "aloud" / "recording.json"
            wait_until(manifest.exists, within_s=60, what="the recording is finished")
            ended_s = time.monotonic()
            wait_until(lambda m=manifest: "transcript.json" in m.read_text(), within_s=120, what="the transcript")
            took_s.append(time.monotonic() - ended_s)
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/r/aloud/transcript.txt", timeout=5) as answer:
                text = answer.read().decode()
            afterwards.append(word_error_rate(words(SAID), words(text.removeprefix("reader: "))))
    late_s.sort()
    keep(
        "captions",
        {
            "words read, of those said": f"{len(late_s)} of {len(words(SAID)) * int(rounds)}",
            "lateness p50, p95, p99 (s)": ", ".join(
                f"{late_s[int(len(late_s) * p)]:.2f}" for p in (0.5, 0.95, 0.99)
            ),
            "word error rate, live": f"{statistics.median(rates):.3f}",
            "word error rate, afterwards": f"{statistics.median(afterwards):.3f}",
            "transcript after the recording (s)": f"{statistics.median(took_s):.1f}",
            "share of a core while one speaks": f"{statistics.median(shares):.0%}",
            "memory (MB), live only": memory_mb,
            "caption events to each listener (B/s)": round(statistics.median(bytes_per_s)),
        },
    )
