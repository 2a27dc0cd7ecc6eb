"""A line believes its caller and nobody else."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.audio.g711 import G711Encoder, Law
from rostra.core.limits import RTP_BYTES_MAX
from rostra.core.units import FRAME_SAMPLES

pytest.importorskip("aiortp", reason="pip install rostra[telephone]")

from rostra.gate.line import Codec, Line, Peers

CALLER = ("192.0.2.7", 4_000)
KEYS = 101


def a_line() -> tuple[Line, list[str]]:
    pressed: list[str] = []
    line = Line(Codec(8, Law.A, KEYS), Peers(CALLER[0], CALLER), pressed.append)
    line.listen()
    return line, pressed


def packet(
    number: int, payload: bytes, *, payload_type: int = 8, ssrc: int = 1, timestamp: int | None = None
) -> bytes:
    at = number * 160 if timestamp is None else timestamp
    return struct.pack(">BBHII", 0x80, payload_type, number % (1 << 16), at % (1 << 32), ssrc) + payload


def sound() -> bytes:
    at = np.arange(FRAME_SAMPLES)
    return G711Encoder(Law.A).encode((0.4 * np.sin(2 * np.pi * at / 96)).astype(np.float32))


def test_what_the_caller_says_is_pulled() -> None:
    line, _ = a_line()
    for number in range(20):
        line.datagram_received(packet(number, sound()), CALLER)
        line.pull()
    frame = line.pull()
    assert frame is not None
    assert float(np.abs(frame).max()) > 0.3


def test_nothing_is_kept_before_somebody_listens() -> None:
    line = Line(Codec(8, Law.A, KEYS), Peers(CALLER[0], CALLER), lambda _: None)
    line.datagram_received(packet(0, sound()), CALLER)
    assert line.buffer.provenance.received == 0


def test_packets_from_elsewhere_and_another_stream_beside_the_callers_are_not_heard() -> None:
    line, _ = a_line()
    line.datagram_received(packet(0, sound()), CALLER)
    line.datagram_received(packet(0, sound()), ("198.51.100.1", 4_000))
    line.datagram_received(packet(0, sound(), ssrc=2), CALLER)
    line.datagram_received(packet(0, sound()), (CALLER[0], 5_555))
    assert (line.buffer.provenance.received, line.foreign) == (1, 3)


def test_a_key_is_pressed_once_however_often_it_is_told() -> None:
    line, pressed = a_line()
    for at, event in ((100, 10), (900, 6), (1_700, 6)):
        for volume in (0x0A, 0x0A, 0x8A, 0x8A, 0x8A):
            payload = struct.pack(">BBH", event, volume, 400)
            line.datagram_received(packet(at, payload, payload_type=KEYS, timestamp=at), CALLER)
    assert pressed == ["*", "6", "6"]


@given(st.lists(st.binary(max_size=200), max_size=30), st.binary(max_size=40))
def test_garbage_is_counted_and_harmless(datagrams: list[bytes], rest: bytes) -> None:
    line, pressed = a_line()
    for data in (*datagrams, packet(1, rest), packet(1, rest, payload_type=KEYS), bytes(RTP_BYTES_MAX + 1)):
        line.datagram_received(data, CALLER)
        frame = line.pull()
        assert frame is None or bool(np.isfinite(frame).all())
    assert line.foreign + line.malformed >= 1
    assert len(pressed) <= len(datagrams) + 1
