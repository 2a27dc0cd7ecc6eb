"""P2 and P6 over many evenings: whatever dies, freezes or loses its way, everybody hears everything once."""

import os

import pytest
from evening import FIRST_SPEECH_FRAME, FRAMES_PER_CHUNK, KINDS, Evening, Mishap

from rostra.audio.seat import Seat

SEEDS = range(int(os.environ.get("ROSTRA_SEEDS", "100")))
MUSIC_MIN = 400  # of 32,768: -38 dBFS


def complaints(evening: Evening) -> list[str]:
    """What is wrong with an evening; nothing if every promise was kept."""
    return [*about_the_programme(evening), *about_the_listeners(evening)]


def about_the_programme(evening: Evening) -> list[str]:
    frames = evening.programme()
    wrong = []
    if len(frames) < (evening.seconds - 2 - 3) * 50:
        wrong.append(f"only {len(frames)} frames were made")
    silent = [number for number, (speech, music) in enumerate(frames) if speech < 0 and music < MUSIC_MIN]
    longest = longest_run(silent)
    if longest > 12:
        wrong.append(f"{longest} frames of silence in a row")
    spoken = [(number, speech) for number, (speech, _) in enumerate(frames) if speech >= 0]
    if (
        not spoken
        or spoken[0][0] < FIRST_SPEECH_FRAME
        or (spoken[0][0] > FIRST_SPEECH_FRAME and not was_cut_off(evening))
    ):
        wrong.append(f"the speaker was first heard with {spoken[:1]}, not with {FIRST_SPEECH_FRAME}")
    said = [speech for _, speech in spoken]
    if said != list(range(len(said))):
        at = next(index for index, speech in enumerate(said) if speech != index)
        wrong.append(f"after word {at - 1} came {said[at]}")
    return wrong


def was_cut_off(evening: Evening) -> bool:
    """Whether the bus died so shortly before the start that nobody could bring the first word in time."""
    return any(mishap.what == "bus killed" and 4.5 < mishap.at_s < 6 for mishap in evening.mishaps)


def longest_run(numbers: list[int]) -> int:
    longest = run = 0
    before = None
    for number in numbers:
        run = run + 1 if before is not None and number == before + 1 else 1
        longest, before = max(longest, run), number
    return longest


def about_the_listeners(evening: Evening) -> list[str]:
    wrong = []
    programme = evening.programme()
    if len(evening.listeners) < 8:
        wrong.append("somebody never came in")
    for listener in evening.listeners:
        seqs = sorted(listener.frames)
        if listener.missing or listener.repeated:
            wrong.append(f"{listener.name}: {listener.missing} missing, {listener.repeated} repeated")
        if listener.missed and not listener.slow:
            wrong.append(f"{listener.name}: {listener.missed} missed, and was not slow")
        if not seqs or (seqs[-1] + 1) * FRAMES_PER_CHUNK < len(programme) - 250:
            wrong.append(f"{listener.name}: heard nothing more after {seqs[-1:]}")
        for seq in seqs:
            if listener.frames[seq] != programme[seq * FRAMES_PER_CHUNK : (seq + 1) * FRAMES_PER_CHUNK]:
                wrong.append(f"{listener.name}: chunk {seq} is not what the stage made")
                break
    return wrong


@pytest.mark.parametrize("seed", SEEDS)
def test_p2_p6_whatever_happens_everybody_hears_everything_once(seed: int) -> None:
    evening = Evening(seed).run()
    assert complaints(evening) == [], evening.trace


@pytest.mark.parametrize("kind", KINDS)
def test_each_misfortune_happens_and_is_survived(kind: str) -> None:
    evening = Evening(7, seconds=16, planned=[Mishap(8.0, kind, 1.0, "1"), Mishap(12.0, kind, 1.0, "2")]).run()
    assert complaints(evening) == [], evening.trace


def test_equal_seeds_are_equal_evenings() -> None:
    one, other = Evening(3).run(), Evening(3).run()
    assert one.trace == other.trace
    assert one.programme() == other.programme()
    assert [listener.frames for listener in one.listeners] == [listener.frames for listener in other.listeners]


def test_the_canary_a_takeover_that_loses_one_frame_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def skip_one(seat: Seat, next_seq: int) -> None:
        original(seat, next_seq + 1)

    original = Seat.continue_from
    monkeypatch.setattr(Seat, "continue_from", skip_one)
    planned = [Mishap(8.0, "stage killed", 0, "1"), Mishap(12.0, "stage killed", 0, "2")]
    found = complaints(Evening(7, seconds=16, planned=planned).run())
    assert any("after word" in complaint for complaint in found)


def test_p2_doors_that_are_open_before_a_stage_knows_of_them_lack_no_chunk() -> None:
    evening = Evening(3, seconds=26, planned=[], announced_at_s=2.35)
    assert complaints(evening.run()) == [], evening.trace
