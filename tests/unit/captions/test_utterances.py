"""A conversation as work for the recogniser: each seat by itself, partial first, whole at the pause."""

import numpy as np

from rostra.audio.frame import Samples, frame_to_pcm16
from rostra.captions.backlog import Work
from rostra.captions.utterances import Utterances
from rostra.core.messages import Chunk, FeedFrames
from rostra.core.units import CHUNK_FRAMES, CHUNK_SAMPLES, FRAME_SAMPLES, SAMPLE_RATE_HZ


def voice(seconds: float) -> Samples:
    at_s = np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    return (0.2 * np.sin(2 * np.pi * 200 * at_s) * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * at_s))).astype(np.float32)


def quiet(seconds: float) -> Samples:
    return np.zeros(round(seconds * SAMPLE_RATE_HZ), np.float32)


def heard(utterances: Utterances, sounds: dict[str, Samples], *, leaves_at: int | None = None) -> list[Work]:
    """What comes of it when `sounds` are on the air from chunk 0 on; at `leaves_at` nobody is any more."""
    work: list[Work] = []
    for seq in range(min(len(sound) for sound in sounds.values()) // CHUNK_SAMPLES):
        for seat, sound in sounds.items():
            pcm = frame_to_pcm16(sound[seq * CHUNK_SAMPLES : (seq + 1) * CHUNK_SAMPLES])
            utterances.offer(FeedFrames(seat, 1 + seq * CHUNK_FRAMES, 0, 2, pcm))
        on_air = leaves_at is None or seq < leaves_at
        following = dict.fromkeys(sounds, 1 + (seq + 1) * CHUNK_FRAMES) if on_air else {}
        work += utterances.hear(
            Chunk("evening", 1, seq, 0, "live", -20.0, {}, heard=following), now_s=(seq + 1) / 10
        )
    return work


def test_a_sentence_is_partial_and_grows_then_it_is_whole_under_the_same_id() -> None:
    work = heard(Utterances("evening"), {"anna": np.concatenate((quiet(1), voice(3), quiet(1)))})
    *partials, whole = work
    assert [each.final for each in work] == [False] * len(partials) + [True]
    assert len(partials) >= 2
    assert {each.id for each in work} == {whole.id}
    lengths = [each.seconds for each in partials]
    assert lengths == sorted(lengths)
    assert min(np.diff(lengths)) > 0.7
    assert 3.2 <= whole.seconds <= 3.6
    ends_s = whole.utterance.end / SAMPLE_RATE_HZ
    assert whole.at_s - ends_s < 0.6, "it is whole once the pause is one"


def test_all_partials_of_an_utterance_take_a_few_times_its_own_length() -> None:
    work = heard(Utterances("evening"), {"anna": np.concatenate((quiet(1), voice(8), quiet(1)))})
    whole = work[-1]
    assert sum(each.seconds for each in work[:-1]) < 4 * whole.seconds


def test_two_who_speak_at_once_are_two_utterances() -> None:
    sounds = {
        "anna": np.concatenate((quiet(1), voice(2), quiet(2))),
        "bob": np.concatenate((quiet(2), voice(2), quiet(1))),
    }
    finals = [each for each in heard(Utterances("evening"), sounds) if each.final]
    assert [each.seat for each in finals] == ["anna", "bob"]
    assert finals[1].utterance.start < finals[0].utterance.end
    assert finals[1].utterance.start > 1.6 * SAMPLE_RATE_HZ


def test_who_leaves_in_mid_sentence_has_said_what_was_heard_of_it() -> None:
    work = heard(Utterances("evening"), {"anna": np.concatenate((quiet(1), voice(3)))}, leaves_at=25)
    assert work[-1].final
    assert work[-1].utterance.end <= 25 * CHUNK_SAMPLES
    assert len(work[-1].utterance.sound) % FRAME_SAMPLES == 0


def test_after_another_captioner_had_the_conversation_nothing_old_is_told() -> None:
    utterances = Utterances("evening")
    heard(utterances, {"anna": np.concatenate((quiet(1), voice(2)))})
    utterances.leave()
    assert list(utterances.hear(Chunk("evening", 1, 30, 0, "live", -20.0, {}), now_s=3.1)) == []
