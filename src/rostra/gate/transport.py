"""How speakers' networks reach a gate: its public address, its range of UDP ports, STUN and TURN servers. Pure.

TURN passwords are made as coturn's `use-auth-secret` expects them (draft-uberti-behave-turn-rest-00): a name that
holds the time at which it expires, and its HMAC-SHA-1 as the password. So the servers' secret stays here.
"""

import hmac
from base64 import b64encode
from dataclasses import dataclass
from typing import Final

from rostra.core.errors import BadInputError

_TURN_LIFETIME_S: Final = 24 * 3600  # no conversation is longer
_SCHEMES: Final = ("stun:", "stuns:", "turn:", "turns:")


@dataclass(frozen=True, slots=True)
class IceServer:
    """A STUN or TURN server (RFC 7064, RFC 7065), with what a TURN server asks for."""

    url: str
    username: str | None = None
    credential: str | None = None

    @property
    def link(self) -> str:
        """The Link header of RFC 9725 §4.6."""
        secret = f'; username="{self.username}"; credential="{self.credential}"; credential-type="password"'
        return f'<{self.url}>; rel="ice-server"' + (secret if self.username is not None else "")


@dataclass(frozen=True, slots=True)
class Transport:
    """`public_address` stands for ours in answers (a machine behind a 1:1 translation)."""

    public_address: str | None = None
    ice_urls: tuple[str, ...] = ()
    turn_secret: str | None = None

    def __post_init__(self) -> None:
        for url in self.ice_urls:
            if not url.startswith(_SCHEMES):
                raise BadInputError(f"{url!r} is no STUN or TURN address: stun:HOST:PORT or turn:HOST:PORT.")

    def servers(self, *, now_s: int) -> list[IceServer]:
        """The servers that a speaker (or we) may use from now on."""
        return [self._server(url, now_s) for url in self.ice_urls]

    def _server(self, url: str, now_s: int) -> IceServer:
        if self.turn_secret is None or not url.startswith("turn"):
            return IceServer(url)
        username = f"{now_s + _TURN_LIFETIME_S}:rostra"
        digest = hmac.digest(self.turn_secret.encode(), username.encode(), "sha1")
        return IceServer(url, username, b64encode(digest).decode())


def parse_ports(text: str) -> range:
    """A range of ports, written `first-last`."""
    first, dash, last = text.partition("-")
    if not (dash and first.isdecimal() and last.isdecimal() and 1_024 <= int(first) < int(last) <= 65_535):
        raise BadInputError(f"{text!r} is no range of ports: write 50000-50999, between 1024 and 65535.")
    return range(int(first), int(last) + 1)
