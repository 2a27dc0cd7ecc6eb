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


def test_pages_are_read_back_in_blocks_of_any_size_up_to_the_first_damage() -> None:
    header = ogg.init(pre_skip=312, application="rostra")
    chunks = [ogg.chunk([bytes([n]) * 160] * 5, pts=n * 4_800) for n in range(3, 9)]
    data = header + b"".join(chunks)
    for size in (1, 27, 1_000, len(data)):
        blocks = [data[at : at + size] for at in range(0, len(data), size)]
        assert list(ogg.pages(blocks))[2:] == chunks
    assert [ogg.number(page) for page in ogg.pages([data])] == [None, None, 3, 4, 5, 6, 7, 8]
    damaged = bytearray(data)
    damaged[len(header) + len(chunks[0]) + 60] ^= 1
    assert list(ogg.pages([bytes(damaged)]))[2:] == chunks[:1]
    assert list(ogg.pages([data[:-1]]))[2:] == chunks[:-1]
    assert list(ogg.pages([b"no Ogg at all" * 9_000])) == []


def test_a_page_that_is_moved_is_the_page_that_would_have_been_made_there() -> None:
    made = ogg.chunk([b"x" * 160] * 5, pts=480_000)
    assert ogg.moved(made, pts=4_800) == ogg.chunk([b"x" * 160] * 5, pts=4_800)
    (page,) = read_ogg(ogg.moved(made, pts=0, last=True))
    assert (page.flags, page.granule, page.sequence) == (0x04, 4_800, 2)


def test_the_gain_and_the_comments_are_in_the_headers() -> None:
    head, tags = read_ogg(ogg.init(pre_skip=312, application="r", gain_db=-3.5, comments={"TITLE": "Één avond"}))
    assert head.packets[0][16:18] == struct.pack("<h", -896)
    assert tags.packets[0].endswith("TITLE=Één avond".encode())
