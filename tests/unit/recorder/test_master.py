"""The replay is as loud as podcasts are, below its peak, sample by sample where it was said, in both files."""

from pathlib import Path

import numpy as np
import pytest

from hearing import speech
from rostra.audio.containers import ogg
from rostra.audio.dynamics import LEVELLER_GAIN_MAX_DB
from rostra.audio.frame import Samples
from rostra.audio.loudness import TARGET_LUFS, integrated_lufs
from rostra.audio.opus import OpusEncoder
from rostra.audio.source import frames_from
from rostra.audio.true_peak import to_db, true_peak
from rostra.core.units import CHUNK_SAMPLES, FRAME_SAMPLES, SAMPLE_RATE_HZ
from rostra.recorder.level import PEAK_MAX_DBTP
from rostra.recorder.master import gain_for, master

SECONDS = 12


def pages(samples: Samples) -> list[bytes]:
    encoder = OpusEncoder(64_000)
    packets = [encoder.encode(frame) for frame in samples.reshape(-1, FRAME_SAMPLES)]
    return [ogg.chunk(packets[at : at + 5], pts=at // 5 * CHUNK_SAMPLES) for at in range(0, len(packets), 5)]


def said(lufs: float) -> Samples:
    sound = speech()[: SECONDS * SAMPLE_RATE_HZ]
    return (sound * 10 ** ((lufs - integrated_lufs(sound)) / 20)).astype(np.float32)


def mastered(folder: Path, recorded: list[bytes], gain_db: float) -> dict[str, Samples]:
    files = {"opus": folder / "replay.opus", "m4a": folder / "replay.m4a"}
    master(recorded, gain_db=gain_db, **files, tags={"title": "Tw\u00e9e steden"})
    return {name: np.concatenate(list(frames_from(str(path)))) for name, path in files.items()}


@pytest.mark.parametrize("lufs", [-30.0, -19.0, -16.0, -12.0])
def test_however_loud_it_was_the_replay_is_at_its_target_and_its_peaks_below_theirs(
    tmp_path: Path, lufs: float
) -> None:
    recorded = pages(said(lufs))
    gain_db = gain_for(lufs, lambda: recorded, count=len(recorded))
    for name, heard in mastered(tmp_path, recorded, gain_db).items():
        assert integrated_lufs(heard) == pytest.approx(TARGET_LUFS, abs=0.5), name
        assert to_db(true_peak(heard)) <= PEAK_MAX_DBTP, name


def test_of_a_long_recording_stretches_from_all_over_it_tell_the_gain(monkeypatch: pytest.MonkeyPatch) -> None:
    recorded = pages(said(-19.0))
    gain_db = gain_for(-19.0, lambda: recorded, count=len(recorded))
    monkeypatch.setattr("rostra.recorder.master._STRETCH_CHUNKS", 25)  # each time of other words
    monkeypatch.setattr("rostra.recorder.master._TRIED_CHUNKS", len(recorded))
    assert gain_for(-19.0, lambda: recorded * 3, count=3 * len(recorded)) == pytest.approx(gain_db, abs=0.5)


def test_the_replay_is_what_was_said_sample_by_sample_and_as_long(tmp_path: Path) -> None:
    sound = said(-19.0)
    for name, heard in mastered(tmp_path, pages(sound), 0.0).items():
        assert 0 <= len(heard) - len(sound) <= FRAME_SAMPLES, name
        middle = slice(SAMPLE_RATE_HZ, 3 * SAMPLE_RATE_HZ)
        likeness = {
            shift: float(np.corrcoef(np.roll(heard, -shift)[middle], sound[middle])[0, 1]) for shift in range(-3, 4)
        }
        assert max(likeness, key=likeness.__getitem__) == 0, name
        assert likeness[0] > 0.99, name


def test_a_whisper_is_not_made_a_shout_and_silence_stays_silence(tmp_path: Path) -> None:
    whispered = pages(said(-55.0))
    assert gain_for(-55.0, lambda: whispered, count=len(whispered)) == LEVELLER_GAIN_MAX_DB
    silent = pages(np.zeros(SAMPLE_RATE_HZ, np.float32))
    assert gain_for(float("-inf"), lambda: silent, count=len(silent)) == 0.0
    for heard in mastered(tmp_path, silent, 0.0).values():
        assert float(np.abs(heard).max()) < 1e-3


def test_a_damaged_page_costs_what_it_holds_and_moves_nothing(tmp_path: Path) -> None:
    sound = said(-19.0)
    recorded = pages(sound)
    for at, packets in ((20, [b"\xff\xff\xff"] * 5), (21, []), (22, [b"\xf8"] * 9)):
        recorded[at] = ogg.chunk(packets, pts=at * CHUNK_SAMPLES)
    after = slice(5 * SAMPLE_RATE_HZ, 7 * SAMPLE_RATE_HZ)
    for name, heard in mastered(tmp_path, recorded, 0.0).items():
        assert np.corrcoef(heard[after], sound[after])[0, 1] > 0.98, name
