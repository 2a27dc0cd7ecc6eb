import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from container_readers import read_clusters, read_fragments, read_ogg
from rostra.audio.encoder import PRE_ROLL_SAMPLES, RENDITIONS, ProgrammeEncoder, unit_positions
from rostra.audio.frame import Samples, silence
from rostra.core.units import CHUNK_SAMPLES

HOURS_IN = 5 * 3600 * 48_000
OPUS = ["webm-64", "webm-32", "webm-16", "ogg-64"]


def sound(samples: int, seed: int = 1) -> Samples:
    """A tone with some noise, so that the coders have something to do."""
    t = np.arange(samples) / 48_000
    noise = np.random.default_rng(seed).standard_normal(samples)
    return (0.3 * np.sin(2 * np.pi * 220 * t) + 0.02 * noise).astype(np.float32)


def chunks_of(encoder: ProgrammeEncoder, samples: Samples) -> list[dict[str, bytes]]:
    chunks = [encoder.encode(frame) for frame in samples.reshape(-1, 960)]
    return [chunk for chunk in chunks if chunk is not None]


def test_every_fifth_frame_completes_a_chunk_of_every_rendition() -> None:
    encoder = ProgrammeEncoder(0)
    answers = [encoder.encode(silence()) for _ in range(15)]
    assert [answer is not None for answer in answers] == ([False] * 4 + [True]) * 3
    assert answers[4] is not None
    assert list(answers[4]) == list(RENDITIONS) == list(encoder.init)


def test_the_position_of_the_next_chunk_is_told() -> None:
    encoder = ProgrammeEncoder(HOURS_IN)
    assert encoder.pts == HOURS_IN
    for _ in range(5):
        encoder.encode(silence())
    assert encoder.pts == HOURS_IN + CHUNK_SAMPLES


def test_the_init_is_the_same_from_every_stage_at_any_time() -> None:
    assert ProgrammeEncoder(0).init == ProgrammeEncoder(HOURS_IN, pre_roll=sound(9_600)).init


def test_webm_and_ogg_at_64_carry_the_same_packets() -> None:
    (chunk,) = chunks_of(ProgrammeEncoder(0), sound(CHUNK_SAMPLES))
    (blocks,) = read_clusters(chunk["webm-64"])
    (page,) = read_ogg(chunk["ogg-64"])
    assert [block.packet for block in blocks] == page.packets


@settings(max_examples=300)
@given(st.integers(0, 48 * 3600 * 10))
def test_the_rule_gives_every_aac_unit_to_exactly_one_chunk_and_never_waits(index: int) -> None:
    pts = index * CHUNK_SAMPLES
    here, following = unit_positions(pts), unit_positions(pts + CHUNK_SAMPLES)
    assert following.start == here.stop
    for position in here:
        assert pts - 3_072 < position or index == 0
        assert position + 3_072 <= pts + CHUNK_SAMPLES
    assert here.stop + 3_072 > pts + CHUNK_SAMPLES, "a unit that was complete was left behind"
    assert len(here) in ({2} if index == 0 else {4, 5})


@settings(max_examples=15, deadline=None)
@given(index=st.integers(0, 48 * 3600 * 10), known=st.integers(0, 20_000))
def test_a_stage_that_takes_over_anywhere_makes_the_units_and_numbers_that_the_rule_says(
    index: int, known: int
) -> None:
    start = index * CHUNK_SAMPLES
    chunks = chunks_of(ProgrammeEncoder(start, pre_roll=sound(known)), sound(3 * CHUNK_SAMPLES))
    for offset, chunk in enumerate(chunks):
        pts = start + offset * CHUNK_SAMPLES
        (fragment,) = read_fragments(chunk["mp4-96"])
        positions = unit_positions(pts)
        assert fragment.decode_time == positions.start
        assert len(fragment.units) == len(positions)
        (page,) = read_ogg(chunk["ogg-64"])
        assert (page.granule, page.sequence) == (pts + CHUNK_SAMPLES, pts // CHUNK_SAMPLES + 2)
        (blocks,) = read_clusters(chunk["webm-16"])
        assert blocks[0].time_ms == pts // 48


def test_the_first_units_of_a_conversation_are_not_its_priming() -> None:
    (first,) = chunks_of(ProgrammeEncoder(0), sound(CHUNK_SAMPLES))
    (fragment,) = read_fragments(first["mp4-96"])
    assert (fragment.decode_time, len(fragment.units)) == (0, 2)


@pytest.mark.parametrize("name", OPUS)
def test_equal_sound_and_position_give_equal_bytes(name: str) -> None:
    samples = sound(4 * CHUNK_SAMPLES)
    first = chunks_of(ProgrammeEncoder(HOURS_IN), samples)
    second = chunks_of(ProgrammeEncoder(HOURS_IN), samples)
    assert [chunk[name] for chunk in first] == [chunk[name] for chunk in second]


def test_of_a_long_pre_roll_the_end_counts() -> None:
    samples, long = sound(CHUNK_SAMPLES), sound(30_000, seed=2)
    one = chunks_of(ProgrammeEncoder(HOURS_IN, pre_roll=long), samples)
    other = chunks_of(ProgrammeEncoder(HOURS_IN, pre_roll=long[-PRE_ROLL_SAMPLES:]), samples)
    assert one == other


def test_a_pre_roll_longer_than_the_programme_so_far_is_cut_and_a_short_one_is_padded() -> None:
    samples, before = sound(CHUNK_SAMPLES), sound(30_000, seed=2)
    at_start = chunks_of(ProgrammeEncoder(0, pre_roll=before), samples)
    assert at_start == chunks_of(ProgrammeEncoder(0), samples)
    padded = np.concatenate((np.zeros(PRE_ROLL_SAMPLES - 700, np.float32), before[-700:]))
    one = chunks_of(ProgrammeEncoder(HOURS_IN, pre_roll=before[-700:]), samples)
    assert one == chunks_of(ProgrammeEncoder(HOURS_IN, pre_roll=padded), samples)


def test_sound_that_is_not_a_number_is_silence_and_ends_nothing() -> None:
    broken = silence()
    broken[100:200] = np.nan
    broken[300] = np.inf
    encoder, silent = ProgrammeEncoder(0), ProgrammeEncoder(0)
    poisoned = chunks_of(encoder, np.tile(broken, 5))
    assert poisoned == chunks_of(silent, np.zeros(CHUNK_SAMPLES, np.float32))


def test_a_position_inside_a_chunk_is_a_mistake() -> None:
    with pytest.raises(AssertionError):
        ProgrammeEncoder(960)
