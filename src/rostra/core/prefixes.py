"""Addresses as the shield sees them: whom they may belong to, and which of them are told apart by the operator."""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from rostra.core.errors import BadInputError

_SOURCE_V6: Final = 64  # one household or telephone (RFC 6177)
_NETWORK_V6: Final = 48  # one site


def source_of(address: str) -> str:
    """The prefix that one connection, household or machine has: /32 or /64. BadInputError if it is no address."""
    if ":" not in address:
        return f"{address}/32"
    parsed = parse_address(address)
    if isinstance(parsed, IPv4Address):
        return f"{parsed}/32"
    return str(IPv6Network((parsed, _SOURCE_V6), strict=False))


def network_of(source: str) -> str:
    """The prefix that the neighbours of a source share: /24 or /48; of a network, itself."""
    if source.endswith(("/24", "/48")):
        return source
    if ":" not in source:
        return f"{source.rpartition('.')[0]}.0/24"
    return str(IPv6Network(source).supernet(new_prefix=_NETWORK_V6))


def parse_address(text: str) -> IPv4Address | IPv6Address:
    """An IPv4 address that is written as IPv6 (RFC 4291 §2.5.5.2) is the former. BadInputError otherwise."""
    try:
        parsed = ip_address(text.partition("%")[0])
    except ValueError as error:
        raise BadInputError(f"{text[:60]!r} is no IP address.") from error
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    return parsed if mapped is None else mapped


def parse_prefix(text: str) -> str:
    """A prefix as it is written everywhere here, of one with or without its length. BadInputError otherwise."""
    try:
        return str(ip_network(text.strip(), strict=False))
    except ValueError as error:
        raise BadInputError(f"{text[:60]!r} is no address and no prefix such as 192.0.2.0/24.") from error


class Prefixes:
    """Some prefixes; `in` says whether an address is in one of them."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self.texts = tuple(parse_prefix(text) for text in texts)
        self._networks = tuple(ip_network(text) for text in self.texts)
        # A proxy's address is asked about with each request.
        self._holds = lru_cache(maxsize=1_024)(self._search)

    def __bool__(self) -> bool:
        return bool(self.texts)

    def __contains__(self, address: str) -> bool:
        return bool(self._networks) and self._holds(address)

    def _search(self, address: str) -> bool:
        parsed = parse_address(address)
        return any(parsed in network for network in self._networks)

    def overlaps(self, prefix: str) -> bool:
        """Whether some address is in both."""
        asked = ip_network(prefix)
        return any(asked.version == network.version and asked.overlaps(network) for network in self._networks)


def parse_prefixes(text: str) -> Prefixes:
    """Of a setting: comma-separated. BadInputError names the first that is none."""
    return Prefixes(part for part in text.split(",") if part.strip())
