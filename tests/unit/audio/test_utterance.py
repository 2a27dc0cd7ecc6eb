"""Utterances: nothing that was said is lost between them, pauses end them, noise begins none."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hearing import speech
from rostra.audio.frame import Samples
from rostra.audio.utterance import Utterance, UtteranceCutter
from rostra.core.units import FRAME_SAMPLES, SAMPLE_RATE_HZ


def noise(seconds: float, *, dbfs: float = -65) -> Samples:
    rng = np.random.default_rng(1)
    return (10 ** (dbfs / 20) * rng.standard_normal(round(seconds * SAMPLE_RATE_HZ))).astype(np.float32)


def tone(seconds: float) -> Samples:
    """As loud as a voice, with a syllable's rise and fall four times a second."""
    at_s = np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    loud = 0.2 * (0.6 - 0.4 * np.cos(2 * np.pi * 4 * at_s)) * np.sin(2 * np.pi * 220 * at_s)
    return loud.astype(np.float32)


def cut(*parts: Samples, longest_s: float = 9.0) -> list[Utterance]:
    return list(_cut(np.concatenate(parts), longest_s))


def _cut(sound: Samples, longest_s: float) -> Iterator[Utterance]:
    cutter = UtteranceCutter(longest_s=longest_s)
    for at in range(0, len(sound) - FRAME_SAMPLES + 1, FRAME_SAMPLES):
        if (utterance := cutter.push(at, sound[at : at + FRAME_SAMPLES])) is not None:
            yield utterance
    if (utterance := cutter.flush()) is not None:
        yield utterance


def test_two_sentences_with_a_pause_between_are_two_utterances_with_their_edges() -> None:
    first, second = cut(noise(1), tone(2), noise(1), tone(1), noise(1))
    assert first.start == pytest.approx(0.75 * SAMPLE_RATE_HZ, abs=0.15 * SAMPLE_RATE_HZ)
    assert first.end == pytest.approx(3.2 * SAMPLE_RATE_HZ, abs=0.15 * SAMPLE_RATE_HZ)
    assert second.start > first.end
    assert second.end <= 5.4 * SAMPLE_RATE_HZ
    assert len(first.sound) == first.end - first.start


def test_a_breath_between_words_ends_nothing() -> None:
    assert len(cut(noise(1), tone(1), noise(0.3), tone(1), noise(1))) == 1


def test_noise_silence_and_clicks_are_no_utterances() -> None:
    assert cut(noise(20)) == []
    assert cut(np.zeros(5 * SAMPLE_RATE_HZ, np.float32)) == []
    click = np.zeros(SAMPLE_RATE_HZ, np.float32)
    click[1000:1100] = 0.9
    assert cut(noise(1), click, noise(1)) == []


def test_a_fan_that_is_switched_on_is_noise_after_a_moment() -> None:
    found = cut(noise(3), noise(20, dbfs=-40))
    assert all(each.end < 15 * SAMPLE_RATE_HZ for each in found)


def test_a_voice_over_a_loud_fan_is_still_cut_at_its_pauses() -> None:
    fan = noise(12, dbfs=-42)
    voice = np.concatenate((noise(4), tone(2), noise(2), tone(2), noise(2)))
    found = [each for each in cut(voice + fan) if each.start > 3 * SAMPLE_RATE_HZ]
    assert len(found) == 2


@pytest.mark.parametrize("longest_s", [3.0, 9.0])
def test_who_never_pauses_is_cut_and_nothing_of_it_is_lost(longest_s: float) -> None:
    found = cut(noise(1), tone(25), longest_s=longest_s)
    assert all(each.end - each.start <= longest_s * SAMPLE_RATE_HZ for each in found)
    assert [each.end for each in found[:-1]] == [each.start for each in found[1:]]
    assert found[-1].end == 26 * SAMPLE_RATE_HZ


def test_what_is_open_is_what_has_come_of_the_utterance() -> None:
    cutter = UtteranceCutter(longest_s=9.0)
    sound = np.concatenate((noise(1), tone(2)))
    for at in range(0, len(sound), FRAME_SAMPLES):
        assert cutter.push(at, sound[at : at + FRAME_SAMPLES]) is None
    opened, ended = cutter.open, cutter.flush()
    assert opened is not None
    assert ended is not None
    assert (opened.start, opened.end) == (ended.start, ended.end)
    assert cutter.open is None


def test_the_recording_is_cut_into_its_sentences() -> None:
    found = cut(speech())
    assert 9 <= len(found) <= 13
    said = sum(each.end - each.start for each in found) / SAMPLE_RATE_HZ
    assert said > 34, "42 s with their pauses"


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["noise", "tone"]), st.integers(1, 60)), min_size=1, max_size=8))
def test_utterances_never_overlap_and_have_the_sound_of_their_place(parts: list[tuple[str, int]]) -> None:
    kinds = {"noise": noise, "tone": tone}
    sound = np.concatenate([kinds[kind](frames * 0.1) for kind, frames in parts])
    at = 0
    for each in cut(sound, longest_s=4.0):
        assert at <= each.start < each.end <= len(sound)
        assert np.array_equal(each.sound, sound[each.start : each.end])
        at = each.end
