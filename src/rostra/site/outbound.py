"""Asks other servers on behalf of strangers' words: public addresses only, few redirects, small answers, soon."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any, Final

import aiohttp
from yarl import URL

from rostra.core.errors import RostraError
from rostra.core.limits import OUTBOUND_REDIRECTS_MAX, OUTBOUND_S

Address = IPv4Address | IPv6Address
MayReach = Callable[[Address, int], bool]
_PORTS: Final = frozenset({80, 443})
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_TRANSLATED: Final = (
    IPv6Network("64:ff9b::/96"),
    IPv6Network("64:ff9b:1::/48"),
)  # NAT64: any IPv4 address behind it
# Unpacked answers only: what is packed could be a bomb.
_HEADERS: Final = {"User-Agent": "Rostra (link preview)", "Accept-Encoding": "identity"}


class UnreachableError(RostraError):
    """No answer that can be used. Caught by who asked, and does without."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    url: str  # after redirects
    content_type: str
    charset: str | None
    body: bytes
    is_whole: bool


def is_public(address: Address, port: int) -> bool:
    """Whether it is a web server on the open internet, by its address and port alone."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped, port)
        if address.sixtofour or address.teredo or any(address in network for network in _TRANSLATED):
            return False
    return port in _PORTS and address.is_global and not address.is_multicast


@dataclass(frozen=True, slots=True)
class Outbound:
    """The one way out. `may_reach` is asked about the very address of each connection, after DNS and redirects."""

    may_reach: MayReach = is_public

    async def get(self, url: str, *, bytes_max: int, accept: str) -> Answer:
        """What is at `url`: its first `bytes_max` bytes. UnreachableError if there is nothing."""
        async with self._session() as session:
            for _ in range(OUTBOUND_REDIRECTS_MAX + 1):
                headers = {**_HEADERS, "Accept": accept}
                async with session.get(_checked(url), headers=headers, allow_redirects=False) as response:
                    target = response.headers.get("Location")
                    if response.status in _REDIRECTS and target:
                        url = str(response.url.join(URL(target)))
                        continue
                    if response.headers.get("Content-Encoding", "identity") != "identity":
                        raise UnreachableError("The answer is packed, which was not asked for.")
                    body = await _first(response.content, bytes_max + 1)
                    return Answer(
                        response.status,
                        str(response.url),
                        response.content_type,
                        response.charset,
                        body[:bytes_max],
                        len(body) <= bytes_max,
                    )
        raise UnreachableError(f"More than {OUTBOUND_REDIRECTS_MAX} redirects.")

    async def post(self, url: str, *, body: bytes, headers: Mapping[str, str]) -> int:
        """Hand `body` over; the status of the answer, of which no more is read. It is not redirected."""
        async with (
            self._session() as session,
            session.post(
                _checked(url), data=body, headers={**_HEADERS, **headers}, allow_redirects=False
            ) as response,
        ):
            return response.status

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[aiohttp.ClientSession]:
        connector = aiohttp.TCPConnector(socket_factory=self._socket, use_dns_cache=False, force_close=True)
        try:
            async with (
                asyncio.timeout(OUTBOUND_S),
                aiohttp.ClientSession(
                    connector=connector,
                    cookie_jar=aiohttp.DummyCookieJar(),
                    trust_env=False,
                    auto_decompress=False,
                ) as session,
            ):
                yield session
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise UnreachableError(f"{type(error).__name__}: {error}") from error

    def _socket(self, found: Any) -> socket.socket:
        """The socket for an address that DNS gave; it is refused here, where nothing comes between any more."""
        family, kind, protocol, _, where = found
        host, port = where[0], where[1]
        if not self.may_reach(ip_address(host.partition("%")[0]), port):
            raise PermissionError(f"{host} port {port} is not to be reached.")
        return socket.socket(family, kind, protocol)


def _checked(url: str) -> URL:
    parsed = URL(url)
    if parsed.scheme not in {"http", "https"} or not parsed.host or parsed.user or parsed.password:
        raise ValueError("It is no address of the web.")
    return parsed


async def _first(stream: aiohttp.StreamReader, count: int) -> bytes:
    body = bytearray()
    while len(body) < count and (piece := await stream.read(count - len(body))):
        body += piece
    return bytes(body)
