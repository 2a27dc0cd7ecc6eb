"""Loudness that is measured chunk by chunk is that of the whole."""

import numpy as np
import pytest

from rostra.audio import loudness
from rostra.audio.containers import ogg
from rostra.audio.opus import OpusEncoder
from rostra.core.units import CHUNK_SAMPLES, FRAME_SAMPLES, SAMPLE_RATE_HZ
from rostra.recorder.journal import Level
from rostra.recorder.level import LevelMeter, integrated_lufs, unlimited_gain_db


def pages(samples: np.ndarray) -> list[bytes]:
    encoder = OpusEncoder(64_000)
    packets = [encoder.encode(frame) for frame in samples.reshape(-1, FRAME_SAMPLES)]
    return [ogg.chunk(packets[at : at + 5], pts=at // 5 * CHUNK_SAMPLES) for at in range(0, len(packets), 5)]


@pytest.mark.parametrize("level", [0.5, 0.05])
def test_chunk_by_chunk_is_what_the_meter_says_of_the_whole(level: float) -> None:
    at_s = np.arange(10 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    samples = (level * np.sin(2 * np.pi * 440 * at_s) * (np.sin(at_s) > 0)).astype(np.float32)
    meter = LevelMeter()
    levels = [meter.add(page) for page in pages(samples)]
    measured = integrated_lufs([each.lufs for each in levels])
    assert measured == pytest.approx(loudness.integrated_lufs(samples), abs=0.2)
    assert max(each.peak_dbtp for each in levels) == pytest.approx(20 * np.log10(level), abs=1.5), (
        "Opus rings where the tone begins"
    )


def test_silence_and_damage_are_no_loudness() -> None:
    meter = LevelMeter()
    broken = ogg.chunk([b"\xff\xff\xff"] * 5, pts=0)
    levels = [meter.add(page) for page in [*pages(np.zeros(4 * CHUNK_SAMPLES, np.float32)), broken]]
    assert integrated_lufs([each.lufs for each in levels]) == -np.inf


@pytest.mark.parametrize(
    ("recorded", "gain_db"),
    [
        (Level(-20.0, -9.0), 4.0),
        (Level(-20.0, -3.0), 2.0),
        (Level(-12.0, -1.0), -4.0),
        (Level(-60.0, -50.0), 20.0),
        (Level(-70.0, -70.0), 0.0),
    ],
)
def test_without_a_limiter_the_gain_ends_where_a_peak_or_a_leveller_does(recorded: Level, gain_db: float) -> None:
    assert unlimited_gain_db(recorded) == gain_db
