"""Captions: how late they are at a listener's, how wrong, and what they cost."""

import json
import statistics
import tempfile
import time
import urllib.request
from pathlib import Path

import numpy as np
import psutil

from benchmarks.record import keep
from captioned import SAID, SILENT_S, Captioned, read_stream, speaking, word_error_rate, words
from hearing import speech
from rostra.audio.frame import frame_to_pcm16
from rostra.audio.resample import for_recogniser
from rostra.captions.backlog import Backlog
from rostra.captions.moonshine import Moonshine
from rostra.captions.utterances import Utterances
from rostra.core.messages import Chunk, FeedFrames
from rostra.core.units import CHUNK_FRAMES, CHUNK_NS, CHUNK_SAMPLES, SAMPLE_RATE_HZ, SECOND_NS
from states import wait_for_state
from system import free_port, running, wait_until

SECONDS = 54.0  # some silence, the recording, and what comes of its last words


def main(what: str = "alone,3") -> None:
    """`alone`: the captioner's own code against a clock of processor time; a number: so often the whole system."""
    for name in what.split(","):
        keep(*(("captions-alone", _alone()) if name == "alone" else ("captions", _system(int(name)))))


def _alone() -> dict[str, object]:
    """What one free core would do: recognising takes as long as it takes of a processor, whoever else wants it."""
    utterances, backlog, recogniser, got = Utterances("aloud"), Backlog(), Moonshine(), Captioned()
    recogniser.recognise(np.zeros(16_000, np.float32))
    sound = np.concatenate(
        (np.zeros(SILENT_S * SAMPLE_RATE_HZ, np.float32), speech(), np.zeros(2 * SAMPLE_RATE_HZ))
    )
    free_s = spent_s = 0.0
    for seq in range(len(sound) // CHUNK_SAMPLES):
        now_s = got.chunks_s[seq] = (seq + 1) * CHUNK_NS / SECOND_NS
        pcm = frame_to_pcm16(sound[seq * CHUNK_SAMPLES : (seq + 1) * CHUNK_SAMPLES])
        utterances.offer(FeedFrames("reader", 1 + seq * CHUNK_FRAMES, 0, 2, pcm))
        heard = {"reader": 1 + (seq + 1) * CHUNK_FRAMES}
        for work in utterances.hear(Chunk("aloud", 1, seq, 0, "live", -20.0, {}, heard=heard), now_s=now_s):
            backlog.offer(work)
        while free_s <= now_s and (work := backlog.take(now_s)) is not None:
            began_s = time.process_time()
            phrases = recogniser.recognise(for_recogniser(work.utterance.sound))
            took_s = time.process_time() - began_s
            spent_s += took_s
            free_s = max(free_s, now_s) + took_s
            backlog.done(work, began_s=now_s, now_s=free_s)
            text = " ".join(phrase.text for phrase in phrases)
            got.captions.append((free_s, {"id": work.id, "start": work.utterance.start, "text": text}))
    late_s = sorted(got.lateness_s(got.begins()))
    return {
        "words read, of those said": f"{len(late_s)} of {len(words(SAID))}",
        "lateness p50, p95, p99 (s)": _percentiles(late_s),
        "word error rate": f"{word_error_rate(words(SAID), words(got.text())):.3f}",
        "share of a core while one speaks": f"{spent_s / (len(speech()) / SAMPLE_RATE_HZ):.0%}",
    }


def _percentiles(late_s: list[float]) -> str:
    return ", ".join(f"{late_s[int(len(late_s) * share)]:.2f}" for share in (0.5, 0.95, 0.99))


def _system(rounds: int) -> dict[str, object]:
    late_s: list[float] = []
    rates: list[float] = []
    shares: list[float] = []
    afterwards: list[float] = []
    took_s: list[float] = []
    bytes_per_s: list[float] = []
    for _ in range(rounds):
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
    return {
        "words read, of those said": f"{len(late_s)} of {len(words(SAID)) * rounds}",
        "lateness p50, p95, p99 (s)": ", ".join(f"{late_s[int(len(late_s) * p)]:.2f}" for p in (0.5, 0.95, 0.99)),
        "word error rate, live": f"{statistics.median(rates):.3f}",
        "word error rate, afterwards": f"{statistics.median(afterwards):.3f}",
        "transcript after the recording (s)": f"{statistics.median(took_s):.1f}",
        "share of a core while one speaks": f"{statistics.median(shares):.0%}",
        "memory (MB), live only": memory_mb,
        "caption events to each listener (B/s)": round(statistics.median(bytes_per_s)),
    }
