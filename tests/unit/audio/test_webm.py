import struct

from hypothesis import given
from hypothesis import strategies as st

from container_readers import read_clusters, read_ebml
from rostra.audio.containers import webm

PACKETS = st.lists(st.binary(min_size=1, max_size=1_275), min_size=5, max_size=5)
DAY_CHUNKS = 48 * 3600 * 10


@given(PACKETS, st.integers(0, DAY_CHUNKS))
def test_a_chunk_is_one_cluster_whose_timestamps_are_the_event_clock(packets: list[bytes], index: int) -> None:
    (blocks,) = read_clusters(webm.chunk(packets, pts=index * 4_800))
    assert [block.packet for block in blocks] == packets
    assert [block.time_ms for block in blocks] == [index * 100 + 20 * k for k in range(5)]


@given(PACKETS, st.integers(0, DAY_CHUNKS))
def test_every_block_is_a_key_frame_without_lacing(packets: list[bytes], index: int) -> None:
    (blocks,) = read_clusters(webm.chunk(packets, pts=index * 4_800))
    assert {block.flags for block in blocks} == {0x80}


def test_the_init_describes_one_mono_opus_track_with_its_delay() -> None:
    ebml, segment = read_ebml(webm.init(pre_skip=312, application="rostra"))
    assert ebml.find(0x4282).data == b"webm"
    assert ebml.find(0x4287).uint == 4
    assert segment.find(0x1549A966, 0x2AD7B1).uint == 1_000_000
    track = segment.find(0x1654AE6B, 0xAE)
    assert track.find(0x86).data == b"A_OPUS"
    assert track.find(0x83).uint == 2
    assert track.find(0x56AA).uint == 6_500_000  # 312 samples are 6.5 ms
    assert track.find(0x56BB).uint == 80_000_000
    assert struct.unpack(">d", track.find(0xE1, 0xB5).data) == (48_000.0,)
    assert track.find(0x63A2).data == b"OpusHead" + struct.pack("<BBHIhB", 1, 1, 312, 48_000, 0, 0)


def test_the_segment_has_no_known_end_so_that_clusters_may_follow_for_ever() -> None:
    init = webm.init(pre_skip=312, application="rostra")
    at = init.index(bytes.fromhex("18538067"))
    assert init[at + 4 : at + 12] == b"\x01" + b"\xff" * 7
    chunks = b"".join(webm.chunk([b"x"] * 5, pts=4_800 * k) for k in range(3))
    _, segment = read_ebml(init + chunks)
    assert [child.id for child in segment.children].count(0x1F43B675) == 3


def test_sizes_around_a_vints_edge_are_not_taken_for_unknown() -> None:
    for size in (122, 123, 124, 125, 16_378, 16_379, 16_380, 16_381):
        (blocks,) = read_clusters(webm.chunk([bytes(size)], pts=0))
        assert blocks[0].packet == bytes(size)


def test_the_overhead_of_a_chunk_at_64_kbit_is_at_most_6_percent_a_day_after_the_doors() -> None:
    packets = [bytes(161)] * 5  # what libopus makes of 64 kbit/s
    assert len(webm.chunk(packets, pts=DAY_CHUNKS * 4_800)) <= 1.06 * 5 * 161
