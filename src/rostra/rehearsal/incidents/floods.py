"""Packets that no client would send, for the wires of a lab only: few thousand, and never to anywhere else."""

import random
import socket
import struct
import time
from collections.abc import Callable
from ipaddress import ip_address, ip_network
from typing import Final

from rostra.core.errors import BadInputError
from rostra.rehearsal.incidents.network import NOWHERE, namespace

PACKETS_MAX: Final = 5_000
_LAB: Final = ip_network("192.0.2.0/24")  # TEST-NET-1 (RFC 5737): routed nowhere
_JUNK_BYTES: Final = 1_200
_TICK_S: Final = 0.01
_SYN: Final = 0x02
_IPV4: Final = struct.Struct(">BBHHHBBH4s4s")
_TCP: Final = struct.Struct(">HHIIBBHHH")
_PSEUDO: Final = struct.Struct(">4s4sBBH")


class Sender:
    """Sends at a rate until it is stopped. BadInputError for any target but a lab's, from inside its namespace."""

    def __init__(self, target: str, *, outside: int) -> None:
        if ip_address(target) not in _LAB or namespace() == outside:
            raise BadInputError(f"A flood goes to the machines of a lab only, and {target} is none.")
        self._target = target
        self.stopped = False
        self.sent = 0

    def junk(self, port: int, *, kbps: float, seconds: float, chance: random.Random) -> None:
        """UDP datagrams that nobody asked for. Blocks its thread."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.bind((f"198.18.{chance.randrange(256)}.{chance.randrange(1, 255)}", 0))
            payload = chance.randbytes(_JUNK_BYTES)
            self._send(lambda: sender.sendto(payload, (self._target, port)), kbps * 125 / _JUNK_BYTES, seconds)

    def half_open(self, port: int, *, rate_hz: float, seconds: float, chance: random.Random) -> None:
        """SYN segments from addresses where nobody answers. Blocks its thread."""
        sources = ip_network(NOWHERE)
        with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as sender:

            def one() -> object:
                source = sources[chance.randrange(1, sources.num_addresses - 1)].packed
                return sender.sendto(syn(source, self._target, port, chance), (self._target, 0))

            self._send(one, rate_hz, seconds)

    def _send(self, one: Callable[[], object], rate_hz: float, seconds: float) -> None:
        began_s = time.monotonic()
        while not self.stopped and (passed_s := time.monotonic() - began_s) < seconds:
            while self.sent < min(PACKETS_MAX, passed_s * rate_hz):
                try:
                    one()
                except BlockingIOError:  # our own queue is full: the line is as well
                    break
                self.sent += 1
            time.sleep(_TICK_S)


def syn(source: bytes, target: str, port: int, chance: random.Random) -> bytes:
    """RFC 9293 §3.1, without options, in RFC 791."""
    there = ip_address(target).packed
    segment = [chance.randrange(1_024, 65_536), port, chance.getrandbits(32), 0, _TCP.size << 2, _SYN, 64_240, 0, 0]
    pseudo = _PSEUDO.pack(source, there, 0, socket.IPPROTO_TCP, _TCP.size)
    segment[7] = _checksum(pseudo + _TCP.pack(*segment))
    header = [0x45, 0, _IPV4.size + _TCP.size, chance.getrandbits(16), 0, 64, socket.IPPROTO_TCP, 0, source, there]
    return _IPV4.pack(*header) + _TCP.pack(*segment)


def _checksum(data: bytes) -> int:
    """RFC 1071."""
    total: int = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
