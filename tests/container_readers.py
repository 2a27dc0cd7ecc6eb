"""Readers of WebM, Ogg and MP4 for the tests, written from the specifications and not from the muxers."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

# --- Matroska (RFC 8794, RFC 9559) -----------------------------------------------------------------

MASTERS = {0x1A45DFA3, 0x18538067, 0x1549A966, 0x1654AE6B, 0xAE, 0xE1, 0x1F43B675}
CLUSTER, TIMESTAMP, SIMPLE_BLOCK = 0x1F43B675, 0xE7, 0xA3


@dataclass
class Element:
    id: int
    data: bytes = b""
    children: list["Element"] = field(default_factory=list)

    def find(self, *path: int) -> "Element":
        found = self
        for step in path:
            (found,) = [child for child in found.children if child.id == step]
        return found

    @property
    def uint(self) -> int:
        return int.from_bytes(self.data, "big")


def _vint(data: bytes, at: int) -> tuple[int, int, bool]:
    """Value without marker, width, and whether all its bits are ones."""
    width = 9 - data[at].bit_length()
    value = int.from_bytes(data[at : at + width], "big") & ((1 << 7 * width) - 1)
    return value, width, value == (1 << 7 * width) - 1


def read_ebml(data: bytes) -> list[Element]:
    """Every element of `data`; an element of unknown size reaches to its end. ValueError for a rest."""
    elements, at = [], 0
    while at < len(data):
        _, id_width, _ = _vint(data, at)
        identifier = int.from_bytes(data[at : at + id_width], "big")
        at += id_width
        size, size_width, unknown = _vint(data, at)
        at += size_width
        end = len(data) if unknown else at + size
        if end > len(data):
            raise ValueError(f"element {identifier:x} reaches {end - len(data)} bytes too far")
        body = data[at:end]
        is_master = identifier in MASTERS
        elements.append(Element(identifier, b"" if is_master else body, read_ebml(body) if is_master else []))
        at = end
    return elements


@dataclass
class Block:
    """A packet and its timestamp in ms, before CodecDelay is subtracted."""

    time_ms: int
    flags: int
    packet: bytes


def read_clusters(data: bytes) -> list[list[Block]]:
    clusters = []
    for cluster in read_ebml(data):
        assert cluster.id == CLUSTER, hex(cluster.id)
        base = cluster.children[0]
        assert base.id == TIMESTAMP, "the timestamp comes first (RFC 9559 §5.1.3.1)"
        blocks = []
        for element in cluster.children[1:]:
            assert element.id == SIMPLE_BLOCK, hex(element.id)
            track, width, _ = _vint(element.data, 0)
            offset, flags = struct.unpack_from(">hB", element.data, width)
            assert track == 1
            blocks.append(Block(base.uint + offset, flags, element.data[width + 3 :]))
        clusters.append(blocks)
    return clusters


# --- Ogg (RFC 3533) --------------------------------------------------------------------------------


@dataclass
class Page:
    flags: int
    granule: int
    serial: int
    sequence: int
    packets: list[bytes]


def ogg_crc(data: bytes) -> int:
    """The checksum bit by bit, as RFC 3533 §6 says it."""
    crc = 0
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ 0x04C11DB7) & 0xFFFFFFFF if crc & 0x80000000 else crc << 1 & 0xFFFFFFFF
    return crc


def read_ogg(data: bytes) -> Iterator[Page]:
    """Every page, its checksum verified, of streams whose packets end on the page they begin on."""
    at = 0
    while at < len(data):
        magic, version, flags, granule, serial, sequence, crc, count = struct.unpack_from("<4sBBqIIIB", data, at)
        assert (magic, version) == (b"OggS", 0), f"no page at byte {at}"
        table = data[at + 27 : at + 27 + count]
        end = at + 27 + count + sum(table)
        assert end <= len(data), "the page is cut off"
        assert crc == ogg_crc(data[at : at + 22] + bytes(4) + data[at + 26 : end]), f"checksum of page {sequence}"
        packets, packet, here = [], b"", at + 27 + count
        for segment in table:
            packet += data[here : here + segment]
            here += segment
            if segment < 255:
                packets.append(packet)
                packet = b""
        assert packet == b"", "the last packet goes on"
        yield Page(flags, granule, serial, sequence, packets)
        at = end


# --- ISO base media (ISO/IEC 14496-12) -------------------------------------------------------------

BOXES_OF_BOXES = {b"moov", b"trak", b"mdia", b"minf", b"dinf", b"stbl", b"mvex", b"moof", b"traf"}


@dataclass
class Box:
    kind: bytes
    at: int
    data: bytes
    children: list["Box"] = field(default_factory=list)

    def find(self, *path: bytes) -> "Box":
        found = self
        for step in path:
            (found,) = [child for child in found.children if child.kind == step]
        return found

    @property
    def flags(self) -> int:
        return int.from_bytes(self.data[1:4], "big")


def read_boxes(data: bytes, offset: int = 0) -> list[Box]:
    boxes, at = [], 0
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        assert 8 <= size <= len(data) - at, f"box {kind!r} of {size} bytes at {offset + at}"
        body = data[at + 8 : at + size]
        children = read_boxes(body, offset + at + 8) if kind in BOXES_OF_BOXES else []
        boxes.append(Box(kind, offset + at, body, children))
        at += size
    return boxes


@dataclass
class Fragment:
    sequence: int
    decode_time: int
    units: list[bytes]


def read_fragments(data: bytes) -> list[Fragment]:
    """Every moof with its mdat; the units are where the data offset says, and fill the mdat."""
    boxes = read_boxes(data)
    assert [box.kind for box in boxes] == [b"moof", b"mdat"] * (len(boxes) // 2)
    fragments = []
    for moof, mdat in zip(boxes[::2], boxes[1::2], strict=True):
        traf = moof.find(b"traf")
        assert traf.find(b"tfhd").flags == 0x020000, "default-base-is-moof and nothing else"
        assert traf.find(b"tfdt").data[0] == 1, "64-bit decode times"
        trun = traf.find(b"trun")
        assert trun.flags == 0x000201, "data offset and sizes"
        count, data_offset = struct.unpack_from(">Ii", trun.data, 4)
        at = moof.at + data_offset
        assert at == mdat.at + 8
        units = []
        for size in struct.unpack_from(f">{count}I", trun.data, 12):
            units.append(data[at : at + size])
            at += size
        assert at == mdat.at + 8 + len(mdat.data)
        (sequence,) = struct.unpack(">I", moof.find(b"mfhd").data[4:])
        (decode_time,) = struct.unpack(">Q", traf.find(b"tfdt").data[4:])
        fragments.append(Fragment(sequence, decode_time, units))
    return fragments
