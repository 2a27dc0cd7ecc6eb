import struct

from hypothesis import given
from hypothesis import strategies as st

from container_readers import read_boxes, read_fragments
from rostra.audio.containers import fmp4

CONFIG = bytes.fromhex("118856e500")
UNITS = st.lists(st.binary(min_size=1, max_size=768), min_size=1, max_size=6)
DAY_UNITS = 48 * 3600 * 48_000 // 1_024


@given(UNITS, st.integers(0, DAY_UNITS))
def test_a_chunk_is_one_fragment_whose_decode_time_is_the_event_clock(units: list[bytes], index: int) -> None:
    (fragment,) = read_fragments(fmp4.chunk(units, position=index * 1_024))
    assert fragment.units == units
    assert fragment.decode_time == index * 1_024


@given(st.integers(0, DAY_UNITS), st.integers(1, 6))
def test_sequence_numbers_rise_with_the_position_whoever_makes_the_chunk(index: int, count: int) -> None:
    (first,) = read_fragments(fmp4.chunk([b"a"] * count, position=index * 1_024))
    (second,) = read_fragments(fmp4.chunk([b"b"], position=(index + count) * 1_024))
    assert 0 < first.sequence < second.sequence


def test_fragments_follow_each_other_in_one_file() -> None:
    chunks = [fmp4.chunk([b"abc", b"de"], position=2_048 * k) for k in range(3)]
    assert [fragment.decode_time for fragment in read_fragments(b"".join(chunks))] == [0, 2_048, 4_096]


def test_the_init_describes_one_mono_aac_track_without_samples() -> None:
    ftyp, moov = read_boxes(fmp4.init(audio_specific_config=CONFIG, bitrate_bps=96_000))
    assert ftyp.data[:4] == b"iso6"
    assert b"cmfc" in ftyp.data
    trex = moov.find(b"mvex", b"trex")
    assert struct.unpack(">IIIII", trex.data[4:]) == (1, 1, 1_024, 0, 0x02000000)
    tables = moov.find(b"trak", b"mdia", b"minf", b"stbl")
    for kind in (b"stts", b"stsc", b"stco"):
        assert tables.find(kind).data == bytes(8)
    entry = tables.find(b"stsd").data
    assert b"mp4a" in entry
    assert bytes([5, len(CONFIG)]) + CONFIG in entry
    (timescale,) = struct.unpack_from(">I", moov.find(b"trak", b"mdia", b"mdhd").data, 12)
    assert timescale == 48_000


def test_the_overhead_of_a_fragment_is_at_most_120_bytes() -> None:
    units = [bytes(256)] * 5
    assert len(fmp4.chunk(units, position=DAY_UNITS * 1_024)) - 5 * 256 <= 120
