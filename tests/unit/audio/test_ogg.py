import struct

from hypothesis import given
from hypothesis import strategies as st

from container_readers import read_ogg
from rostra.audio.containers import ogg

PACKETS = st.lists(st.binary(min_size=1, max_size=1_275), min_size=5, max_size=5)
DAY_CHUNKS = 48 * 3600 * 10


@given(PACKETS, st.integers(0, DAY_CHUNKS))
def test_a_chunk_is_one_page_that_carries_the_packets_and_counts_absolutely(
    packets: list[bytes], index: int
) -> None:
    (page,) = read_ogg(ogg.chunk(packets, pts=index * 4_800))
    assert page.packets == packets
    assert page.granule == (index + 1) * 4_800
    assert page.sequence == index + 2
    assert page.flags == 0


def test_the_init_is_the_two_header_pages_of_rfc_7845() -> None:
    head, tags = read_ogg(ogg.init(pre_skip=312, application="rostra"))
    assert head.packets == [b"OpusHead" + struct.pack("<BBHIhB", 1, 1, 312, 48_000, 0, 0)]
    assert (head.flags, head.granule, head.sequence) == (0x02, 0, 0)
    assert tags.packets == [b"OpusTags" + struct.pack("<I6sI", 6, b"rostra", 0)]
    assert (tags.flags, tags.granule, tags.sequence) == (0x00, 0, 1)
    assert head.serial == tags.serial


def test_the_first_chunk_of_a_conversation_follows_the_header_pages_in_number() -> None:
    pages = list(
        read_ogg(
            ogg.init(pre_skip=312, application="rostra")
            + ogg.chunk([b"x"] * 5, pts=0)
            + ogg.chunk([b"y"] * 5, pts=4_800)
        )
    )
    assert [page.sequence for page in pages] == [0, 1, 2, 3]
    assert len({page.serial for page in pages}) == 1


def test_a_packet_of_a_multiple_of_255_bytes_ends_with_an_empty_segment() -> None:
    (page,) = read_ogg(ogg.chunk([bytes(255), bytes(510), b"z"], pts=0))
    assert page.packets == [bytes(255), bytes(510), b"z"]


def test_the_overhead_of_a_chunk_at_64_kbit_is_at_most_6_percent() -> None:
    packets = [bytes(161)] * 5
    assert len(ogg.chunk(packets, pts=DAY_CHUNKS * 4_800)) <= 1.06 * 5 * 161
