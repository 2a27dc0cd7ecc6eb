"""P7: the replay has every chunk that anybody has, each once; what nobody has is silence, and is said."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from rostra.core.messages import StageEvent
from rostra.core.units import CHUNK_NS, CHUNK_SAMPLES, SECOND_NS
from rostra.recorder.journal import Closed, Conversing, Happened, Journal, Seated, Segment
from rostra.recorder.replay import PRE_ROLL_CHUNKS, Chapter, Silence, Sound, chapters, first_chunk, gaps, plan

DOORS_NS = 1_000 * SECOND_NS


def segment(first: int, end: int, because: str = "begin") -> Segment:
    return Segment(f"{first}-{end}", "programme", first, end, 1, DOORS_NS + first * CHUNK_NS, because)


def journal(*segments: Segment, language: str = "en", ended_chunk: int = 0) -> Journal:
    since_ns = DOORS_NS + ended_chunk * CHUNK_NS
    conversation = Conversing(0, "evening", "Evening", DOORS_NS, DOORS_NS, "UTC", language, "ended", since_ns)
    return Journal(conversation, {each.file: each for each in segments})


def state(seq: int, value: str, kind: str = "state", text: str = "") -> Happened:
    return Happened(0, seq, StageEvent(kind, seq * CHUNK_SAMPLES, value, text))


spans = st.tuples(st.integers(0, 60), st.integers(0, 20)).map(lambda span: segment(span[0], span[0] + span[1]))


@given(st.lists(spans, max_size=12), st.integers(0, 40), st.integers(0, 40))
def test_any_set_of_segments_gives_each_chunk_once_and_silence_only_where_nobody_has_it(
    segments: list[Segment], first: int, length: int
) -> None:
    parts = plan(segments, first=first, end=first + length)
    assert [number for part in parts for number in range(part.first, part.end)] == list(
        range(first, first + length)
    )
    by_file = {each.file: each for each in segments}
    held = {number for each in segments for number in range(each.first, each.end)}
    for part in parts:
        match part:
            case Sound():
                assert by_file[part.file].first <= part.first < part.end <= by_file[part.file].end
            case Silence():
                assert held.isdisjoint(range(part.first, part.end))


@given(st.lists(spans, min_size=1, max_size=12))
def test_gaps_and_segments_together_cover_everything_from_the_doors_on(segments: list[Segment]) -> None:
    made = journal(*segments)
    held = {number for each in made.programme for number in range(each.first, each.end)}
    missing = sum(gap.seconds for gap in gaps(made, first=0))
    assert round(missing * 10) == max(held, default=-1) + 1 - len(held)


def test_a_gap_is_told_with_its_place_its_wall_times_and_its_reason() -> None:
    (gap,) = gaps(journal(segment(0, 100), segment(130, 200, "restart")), first=50)
    assert (gap.at_s, gap.seconds, gap.because) == (5.0, 3.0, "restart")
    assert (gap.from_ms, gap.to_ms) == (1_010_000, 1_013_000)


def test_who_comes_late_and_who_does_not_hear_the_end_says_so() -> None:
    made = journal(segment(20, 100), ended_chunk=150)
    made.closed = Closed(0, heard_end=False)
    late, end = gaps(made, first=20)
    assert (late.because, late.at_s, late.seconds) == ("late", -2.0, 2.0)
    assert (end.because, end.at_s, end.seconds) == ("end", 8.0, 5.0)
    made.closed = Closed(0, heard_end=True)
    assert gaps(made, first=20) == [late]


def test_the_replay_begins_just_before_the_first_word() -> None:
    made = journal(segment(0, 100))
    assert first_chunk(made) == 0
    made.events += [state(0, "doors_open"), state(40, "live"), state(60, "held"), state(70, "live")]
    assert first_chunk(made) == 40 - PRE_ROLL_CHUNKS


def test_chapters_are_speakers_interruptions_and_a_hosts_marks() -> None:
    made = journal(segment(0, 1_000), language="nl")
    made.events += [
        state(400, "held"),
        state(415, "Vraag van Bas", kind="mark", text="Vraag van Bas"),
        state(900, "ended", kind="notice", text="Dank"),
    ]
    made.names["seat-2"] = "bas"
    made.seats += [
        Seated(0, 5, ["anna"]),
        Seated(0, 200, ["anna", "seat-2"]),
        Seated(0, 260, []),
        Seated(0, 600, ["bas"]),
    ]
    assert chapters(made, first=0, end=1_000) == [
        Chapter(0.0, "Evening"),
        Chapter(20.0, "anna, bas"),
        Chapter(40.0, "Onderbreking"),
        Chapter(41.5, "Vraag van Bas"),
        Chapter(60.0, "bas"),
        Chapter(90.0, "Het einde"),
    ]


@given(st.lists(st.integers(0, 999), unique=True, max_size=50))
def test_speakers_who_interrupt_each_other_make_no_chapter_of_every_word(changes: list[int]) -> None:
    made = journal(segment(0, 1_000))
    made.seats += [Seated(0, seq, ["anna" if turn % 2 else "bas"]) for turn, seq in enumerate(sorted(changes))]
    starts = [chapter.start_time for chapter in chapters(made, first=0, end=1_000)]
    assert all(later - earlier >= 10 for earlier, later in itertools.pairwise(starts))
