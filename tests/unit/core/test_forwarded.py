"""Whom a proxy speaks for, and what of it is somebody's invention."""

import struct

import pytest

from rostra.core.errors import BadInputError
from rostra.core.forwarded import asker, read_proxy
from rostra.core.limits import FORWARDED_HOPS_MAX, PROXY_HEADER_BYTES_MAX
from rostra.core.prefixes import Prefixes

TRUSTED = Prefixes(["10.0.0.0/8", "2001:db8:a::/48"])
V2 = b"\r\n\r\n\x00\r\nQUIT\n"


def version_2(command: int, family: int, payload: bytes) -> bytes:
    return V2 + struct.pack(">BBH", command, family, len(payload)) + payload


@pytest.mark.parametrize(
    ("header", "address"),
    [
        (b"PROXY TCP4 192.0.2.7 10.0.0.1 4000 80\r\n", "192.0.2.7"),
        (b"PROXY TCP6 2001:db8::7 2001:db8::1 4000 80\r\n", "2001:db8::7"),
        (b"PROXY UNKNOWN ffff:f...f:ffff 65535 65535\r\n", None),
        (version_2(0x21, 0x11, bytes([192, 0, 2, 7]) + bytes(8)), "192.0.2.7"),
        (version_2(0x21, 0x21, bytes.fromhex("20010db8" + "0" * 23 + "7") + bytes(20)), "2001:db8::7"),
        (version_2(0x21, 0x11, bytes([192, 0, 2, 7]) + bytes(8) + b"\x04\x00\x03abc"), "192.0.2.7"),
        (version_2(0x20, 0x00, b""), None),
    ],
)
def test_a_proxy_header_is_read_and_nothing_after_it(header: bytes, address: str | None) -> None:
    proxied = read_proxy(header + b"GET / HTTP/1.1\r\n")
    assert (proxied.address, proxied.size) == (address, len(header))


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"GET / HTTP/1.1\r\n",
        b"PROXY TCP4 192.0.2.7 10.0.0.1 4000",
        b"PROXY TCP4 192.0.2.700 10.0.0.1 4000 80\r\n",
        b"PROXY TCP6 192.0.2.7 10.0.0.1 4000 80\r\n",
        b"PROXY TCP4 " + b"1" * 200 + b" 10.0.0.1 4000 80\r\n",
        V2,
        V2 + b"\x21\x11\x00",
        version_2(0x21, 0x11, bytes(12))[:-1],
        version_2(0x21, 0x11, bytes(PROXY_HEADER_BYTES_MAX)),
        version_2(0x22, 0x11, bytes(12)),
        version_2(0x31, 0x11, bytes(12)),
        version_2(0x21, 0x31, bytes(216)),
        version_2(0x21, 0x11, bytes(4)),
    ],
)
def test_a_header_that_is_none_or_not_whole_is_refused(header: bytes) -> None:
    with pytest.raises(BadInputError):
        read_proxy(header)


@pytest.mark.parametrize(
    ("forwarded", "forwarded_for", "address"),
    [
        ("for=192.0.2.7", "", "192.0.2.7"),
        ('For="[2001:db8::7]:4711";proto=https', "", "2001:db8::7"),
        ("for=203.0.113.9, for=192.0.2.7;by=10.0.0.1, for=10.0.0.2", "", "192.0.2.7"),
        ('for="_evil, for=203.0.113.9", for=192.0.2.7', "", "192.0.2.7"),
        ("", "203.0.113.9, 192.0.2.7", "192.0.2.7"),
        ("", "203.0.113.9,192.0.2.7, 10.1.2.3", "192.0.2.7"),
        ("", "garbage, 192.0.2.7:80", "192.0.2.7"),
        ("", "2001:db8::7", "2001:db8::7"),
        ("for=192.0.2.7", "203.0.113.9", "192.0.2.7"),
        ("", "", "10.0.0.1"),
        ("", "10.0.0.9", "10.0.0.9"),
    ],
)
def test_the_rightmost_address_that_is_no_trusted_proxy_asks(
    forwarded: str, forwarded_for: str, address: str
) -> None:
    assert asker("10.0.0.1", forwarded, forwarded_for, TRUSTED) == address


@pytest.mark.parametrize(
    ("forwarded", "forwarded_for"),
    [
        ("for=unknown", ""),
        ("for=_hidden", ""),
        ("proto=https", ""),
        ("for=192.0.2.7;for=192.0.2.8", ""),
        ('for="192.0.2.7', ""),
        ("", "nobody"),
        ("", ",".join(["192.0.2.7"] * (FORWARDED_HOPS_MAX + 1))),
    ],
)
def test_what_cannot_be_read_is_refused(forwarded: str, forwarded_for: str) -> None:
    with pytest.raises(BadInputError):
        asker("10.0.0.1", forwarded, forwarded_for, TRUSTED)
