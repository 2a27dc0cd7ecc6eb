"""What is heard of a stream, measured: decoded by ffmpeg, compared with the recording by PESQ."""

import json
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import correlate, resample_poly

from machine import require
from rostra.audio.frame import Samples
from rostra.audio.recordings import two_cities
from rostra.audio.source import frames_from
from rostra.core.units import CHUNK_SAMPLES, SAMPLE_RATE_HZ


@cache
def speech() -> Samples:
    samples = np.concatenate(list(frames_from(str(two_cities()))))
    return samples[: len(samples) // CHUNK_SAMPLES * CHUNK_SAMPLES]


@dataclass
class Heard:
    start_s: float
    samples: Samples


def ffmpeg_hears(media: bytes, path: Path) -> Heard:
    """What ffmpeg decodes without a complaint, and the time that it gives to the first sample."""
    ffmpeg, ffprobe = require("ffmpeg"), require("ffprobe")
    path.write_bytes(media)
    decoded = subprocess.run(
        [ffmpeg, "-v", "warning", "-xerror", "-i", path, "-f", "f32le", "-ac", "1", "-ar", "48000", "-"],
        capture_output=True,
        check=True,
    )
    assert decoded.stderr == b"", decoded.stderr.decode()
    probe = subprocess.run(
        [ffprobe, "-v", "error", "-show_entries", "frame=pts_time", "-of", "json", "-read_intervals", "%+#1", path],
        capture_output=True,
        check=True,
    )
    start_s = float(json.loads(probe.stdout)["frames"][0]["pts_time"])
    return Heard(start_s, np.frombuffer(decoded.stdout, np.float32))


def wideband_pesq(heard: Heard, start: int, *, reach_s: float = 0.1) -> list[float]:
    """PESQ-WB (ITU-T P.862.2) of pieces of 4 s, each aligned by itself to the recording within `reach_s`."""
    pesq = pytest.importorskip("pesq", reason="pip install pesq").pesq
    said = resample_poly(speech(), 1, 3)
    early = round((heard.start_s - start / SAMPLE_RATE_HZ) * SAMPLE_RATE_HZ)
    aligned = np.concatenate((np.zeros(max(0, early), np.float32), heard.samples[max(0, -early) :]))
    got = resample_poly(aligned, 1, 3)
    piece, reach, scores = 4 * 16_000, round(reach_s * 16_000), []
    for at in range(piece, len(said) - 2 * piece, piece):
        reference = said[at : at + piece]
        window = got[at - reach : at + piece + reach]
        lag = int(np.argmax(correlate(window, reference, "valid")))
        scores.append(float(pesq(16_000, reference, window[lag : lag + piece], "wb")))
    return scores
