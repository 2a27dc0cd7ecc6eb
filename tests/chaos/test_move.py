"""P6: a programme moves from stage to stage while somebody speaks, and nobody hears it."""

import subprocess
from pathlib import Path

import numpy as np
from scipy.signal import correlate

from hearing import ffmpeg_hears, speech
from rostra.audio.frame import Samples
from rostra.audio.recordings import two_cities
from rostra.core.units import SAMPLE_RATE_HZ
from rostra.rehearsal.listener import Listener
from states import wait_for_state
from system import running
from voices import sliding_energies

MOVES = 4
PIECE_S = 1


def places(heard: Samples) -> list[tuple[float, float]]:
    """For each second of what was heard: where in the recording it is said (s), and how alike the two are."""
    said = speech()[::6]
    found = []
    for start in range(0, len(heard) - PIECE_S * SAMPLE_RATE_HZ, PIECE_S * SAMPLE_RATE_HZ):
        piece = heard[start : start + PIECE_S * SAMPLE_RATE_HZ][::6]
        products = correlate(said, piece, mode="valid")
        likeness = products / np.sqrt(sliding_energies(said, len(piece)) * max(float(np.sum(piece**2)), 1e-9))
        at = int(np.argmax(likeness))
        found.append((at / (SAMPLE_RATE_HZ / 6) - start / SAMPLE_RATE_HZ, float(likeness[at])))
    return found


def test_p6_planned_moves_in_mid_sentence_lose_nothing(tmp_path: Path) -> None:
    with running(tmp_path, recorders="0") as system:
        announced = system.schedule(at="+3s", doors="3s", id="evening")
        system.feed("evening", str(two_cities()), "--original", stderr=subprocess.DEVNULL)
        wait_for_state(system, "evening", "live")
        media = bytearray()
        listener = Listener(announced["url"], sink=media.extend)
        moved: list[str] = []

        def on_read(_: object) -> None:
            """A move each two seconds, from wherever it is to the other."""
            if len(media) > 16_000 * (len(moved) + 1) and len(moved) < MOVES:
                other = "stage-2" if system.active_stage("evening") == "stage-1" else "stage-1"
                system.rostra("move", "evening", "--to", other)
                moved.append(other)

        report = listener.listen(seconds=25, on_read=on_read)
        assert len(moved) == MOVES
        assert (report.missing_chunks, report.missed_chunks, report.moved) == (0, 0, 0), report
        again = system.rostra("move", "evening", "--to", system.active_stage("evening"), check=False)
        assert again.returncode == 1
        assert "already" in again.stderr
        nowhere = system.rostra("move", "evening", "--to", "stage-9", check=False)
        assert nowhere.returncode == 1
        assert "Nobody answered" in nowhere.stderr
        assert system.rostra("fsck").returncode == 0
    heard = ffmpeg_hears(bytes(media), tmp_path / "heard.webm").samples
    found = places(heard[SAMPLE_RATE_HZ:])
    lags = [at for at, likeness in found if likeness > 0.8]
    assert len(lags) > 0.8 * len(found), found
    assert max(lags) - min(lags) < 0.002, "not a sample of speech is lost or said twice"
