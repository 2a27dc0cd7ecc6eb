"""WebVTT that no text can break: what is written is read back as exactly those cues."""

import html
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rostra.core.webvtt import Cue, one_line, webvtt

TIMING = re.compile(r"(\d{2,}):(\d\d):(\d\d)\.(\d{3}) --> (\d{2,}):(\d\d):(\d\d)\.(\d{3})")


def test_a_file_as_players_read_it() -> None:
    written = webvtt([Cue(1.4, 5.24, "Anna", "It was the best of times."), Cue(3725.5, 3726, "", "Yes & no")])
    assert written == (
        "WEBVTT\n\n00:00:01.400 --> 00:00:05.240\n<v Anna>It was the best of times.\n"
        "\n01:02:05.500 --> 01:02:06.000\nYes &amp; no\n"
    )
    assert webvtt([]) == "WEBVTT\n"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("one\ntwo", "one two"),
        ("\ufeff a\x00b \u2028 c\x1b[2J", "a b c [2J"),
        ("  much \t room ", "much room"),
        ("\ud800half", "half"),
    ],
)
def test_a_line_is_a_line(text: str, line: str) -> None:
    assert one_line(text) == line


texts = st.text(max_size=40) | st.sampled_from(["-->", "00:00:01.000 --> 00:00:02.000", "<script>", "&lt;", "NOTE"])
cues = st.builds(Cue, st.floats(-10, 1e6), st.floats(-10, 1e6), texts, texts)


@given(st.lists(cues, max_size=6))
@example([Cue(0, 1, "a\n\n00:00:09.000 --> 00:00:10.000", "x\n\nSTYLE\n::cue{}")])
@example([Cue(5, 1, "<b>", "</v>--><c.red>&amp;")])
def test_whatever_is_said_there_is_one_cue_of_two_lines_for_it(said: list[Cue]) -> None:
    head, *blocks = webvtt(said).split("\n\n")
    assert head.strip() == "WEBVTT"
    kept = [cue for cue in said if one_line(cue.text)]
    assert len(blocks) == len(kept)
    for block, cue in zip(blocks, kept, strict=True):
        timing, text = block.removesuffix("\n").split("\n")
        match = TIMING.fullmatch(timing)
        assert match is not None
        h, m, s, ms, h2, m2, s2, ms2 = map(int, match.groups())
        assert ((h * 60 + m) * 60 + s) * 1000 + ms < ((h2 * 60 + m2) * 60 + s2) * 1000 + ms2
        assert "-->" not in text
        voice, _, spoken = text.rpartition(">") if one_line(cue.name) else ("", "", text)
        assert html.unescape(spoken) == one_line(cue.text) or "&" in one_line(cue.text)
        assert voice.count("<") == bool(one_line(cue.name)), "one voice tag and nothing else"
        assert "<" not in spoken
        text.encode()
