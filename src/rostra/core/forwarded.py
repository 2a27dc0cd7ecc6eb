"""Whom a proxy speaks for: PROXY protocol v1 and v2, `Forwarded` (RFC 7239) and `X-Forwarded-For`. No I/O."""

import re
import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from rostra.core.errors import BadInputError
from rostra.core.limits import FORWARDED_HOPS_MAX, PROXY_HEADER_BYTES_MAX
from rostra.core.prefixes import Prefixes, parse_address

# https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt, §2.1 and §2.2
_V2: Final = b"\r\n\r\n\x00\r\nQUIT\n"
_V1: Final = re.compile(rb"PROXY (?:UNKNOWN[^\r\n]*|(TCP4|TCP6) (\S+) (\S+) (\d{1,5}) (\d{1,5}))\r\n")
_V1_BYTES_MAX: Final = 107
_LOCAL, _PROXY = 0x20, 0x21
_INET, _INET6 = 1, 2


@dataclass(frozen=True, slots=True)
class Proxied:
    """A PROXY header of `size` bytes. `address` is None if the proxy speaks for itself (a health check)."""

    address: str | None
    size: int


def read_proxy(data: bytes) -> Proxied:
    """The header that `data` begins with. BadInputError if there is none, or not the whole of it.

    A sender sends it in one piece, and a receiver may insist on that (proxy-protocol §2).
    """
    if data.startswith(_V2):
        return _version_2(data)
    found = _V1.match(data, 0, _V1_BYTES_MAX)
    if found is None:
        raise BadInputError("This is no PROXY header.")
    if found[1] is None:
        return Proxied(None, found.end())
    address = parse_address(found[2].decode("latin-1"))
    expected = IPv4Address if found[1] == b"TCP4" else IPv6Address
    if not isinstance(address, expected) and b":" not in found[2]:
        raise BadInputError("The PROXY header names an address of the other family.")
    return Proxied(str(address), found.end())


def _version_2(data: bytes) -> Proxied:
    if len(data) < 16:
        raise BadInputError("The PROXY header is not complete.")
    command, family, length = struct.unpack_from(">BBH", data, 12)
    size = 16 + length
    if size > PROXY_HEADER_BYTES_MAX or len(data) < size:
        raise BadInputError("The PROXY header is too long, or not complete.")
    if command == _LOCAL:
        return Proxied(None, size)
    if command != _PROXY:
        raise BadInputError("The PROXY header has an unknown version or command.")
    if family >> 4 == _INET and length >= 12:
        return Proxied(str(IPv4Address(data[16:20])), size)
    if family >> 4 == _INET6 and length >= 36:
        return Proxied(str(parse_address(str(IPv6Address(data[16:32])))), size)
    raise BadInputError("The PROXY header names no internet address.")


def asker(peer: str, forwarded: str, forwarded_for: str, trusted: Prefixes) -> str:
    """Who asks: of the addresses a chain of proxies names, the rightmost that is no trusted proxy's.

    `peer` is a trusted proxy. `Forwarded` wins over `X-Forwarded-For`, since whoever writes it knows both.
    BadInputError if what a trusted proxy wrote cannot be read; what is left of it is anybody's invention, unread.
    """
    hops = _forwarded_hops(forwarded) if forwarded else [hop.strip() for hop in forwarded_for.split(",")]
    if len(hops) > FORWARDED_HOPS_MAX:
        raise BadInputError("Too many proxies.")
    address = peer
    for hop in reversed(hops):
        if hop:
            address = str(parse_address(_without_port(hop)))
        if address not in trusted:
            break
    return address


def _forwarded_hops(text: str) -> list[str]:
    """The `for` of each element. BadInputError if one has none, or hides it."""
    hops: list[str] = []
    for element in _split(text, ","):
        pairs = [pair.partition("=") for pair in _split(element, ";") if pair.strip()]
        named = [value.strip() for name, _, value in pairs if name.strip().lower() == "for"]
        if len(named) != 1:
            raise BadInputError("An element of Forwarded names one `for`.")
        hops.append(named[0].strip('"'))
    return hops


def _split(text: str, at: str) -> list[str]:
    """At each separator that is in no quoted string."""
    parts, quoted, since = [], False, 0
    for index, character in enumerate(text):
        if character == '"':
            quoted = not quoted
        elif character == at and not quoted:
            parts.append(text[since:index])
            since = index + 1
    if quoted:
        raise BadInputError("A quoted string does not end.")
    return [*parts, text[since:]]


def _without_port(hop: str) -> str:
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop
