import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.audio.containers import webm
from rostra.core.errors import BadInputError
from rostra.core.units import CHUNK_SAMPLES
from rostra.rehearsal.webm import WebmContinuity

INIT = webm.init(pre_skip=312, application="Rostra")


def clusters(*seqs: int) -> bytes:
    return b"".join(webm.chunk([b"packet"] * 5, pts=seq * CHUNK_SAMPLES) for seq in seqs)


def heard_of(data: bytes) -> WebmContinuity:
    heard = WebmContinuity()
    heard.feed(data)
    return heard


def test_clusters_that_follow_each_other_have_nothing_missing() -> None:
    heard = heard_of(INIT + clusters(600, 601, 602))
    assert (heard.first_ms, heard.next_ms) == (60_000, 60_300)
    assert (heard.blocks, heard.missing, heard.repeated) == (15, 0, 0)


def test_a_cluster_that_is_left_out_is_five_blocks_missing() -> None:
    assert heard_of(INIT + clusters(1, 2, 4)).missing == 5


def test_a_cluster_that_comes_twice_is_repeated_and_counts_once() -> None:
    heard = heard_of(INIT + clusters(1, 2, 2, 3))
    assert (heard.blocks, heard.missing, heard.repeated) == (15, 0, 5)


@given(st.data())
def test_how_a_file_is_cut_into_reads_makes_no_difference(data: st.DataObject) -> None:
    stream = INIT + clusters(1, 2, 5, 6)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    heard = WebmContinuity()
    blocks = sum(heard.feed(stream[a:b]) for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True))
    assert (blocks, heard.blocks, heard.missing, heard.next_ms) == (20, 20, 10, 700)


@pytest.mark.parametrize(
    "data", [b"OggS" + bytes(60), b"\x00\x00", INIT + bytes.fromhex("1f43b675") + b"\x85\xa3\x83abc"]
)
def test_what_is_no_webm_is_refused(data: bytes) -> None:
    with pytest.raises(BadInputError):
        heard_of(data)
