"""The telephone: people dial in to a conversation, with a PIN. An optional extra, `pip install rostra[telephone]`.

This is what the gate's server sees of it; SIP itself is in `gate.sip`, which is imported only where its libraries
are installed.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Final, Protocol

import structlog

from rostra.audio.frame import Samples
from rostra.gate.call_script import RosterSays
from rostra.gate.pin import Access
from rostra.gate.room import Speaker

_log = structlog.get_logger()
_LIBRARIES: Final = ("aiosipua", "aiortp")


@dataclass(frozen=True, slots=True)
class Trunk:
    """A provider that brings calls from the telephone network: we register there, it calls us."""

    address_of_record: str  # sip:user@provider
    registrar: tuple[str, int]
    user: str
    password: str = field(repr=False)
    calls_from: tuple[str, ...] = ()  # IP addresses of the provider besides the registrar's


@dataclass(frozen=True, slots=True)
class TelephoneSettings:
    """Where the telephone listens. RTP takes one even port of `rtp_ports` for each call."""

    host: str = "0.0.0.0"  # noqa: S104  a telephone that only this machine can call is for tests
    port: int = 5060
    public_address: str | None = None  # where calls are to be sent, if the machine knows itself by another address
    rtp_ports: tuple[int, int] = (40_000, 40_198)
    language: str = "en"
    trunk: Trunk | None = None


class Place(Protocol):
    """A caller's place in a conversation."""

    async def raise_hand(self) -> None: ...

    async def mute(self, *, muted: bool) -> None: ...

    async def leave(self) -> None:
        """The caller has gone. Called once, whatever happened."""


class Desk(Protocol):
    """What the telephone asks of the gate's server. Both may raise BusError."""

    async def lookup(self, pin: str) -> Access | None:
        """What the PIN opens; `gate.pin.access_of` over the conversations whose doors are open."""

    async def enter(self, access: Access, speaker: Speaker, say: Callable[[RosterSays], None]) -> Place | None:
        """Take the caller in; None if there is no place.

        From now on `say` is told whatever becomes of the caller, at first ON_STAGE, BACKSTAGE or LISTENING.
        `speaker` is offered what it is to hear each 20 ms, also as a listener, whose `pull` gives None.
        """


def is_installed() -> bool:
    return all(find_spec(name) is not None for name in _LIBRARIES)


async def run_telephone(
    settings: TelephoneSettings,
    desk: Desk,
    *,
    music: Samples,
    ready: Callable[[tuple[str, int]], None] = lambda _: None,
) -> None:
    """Take calls until cancelled; return at once, saying why, where the extra is not installed.

    `music` is heard in a loop by whoever waits: mono, 48 kHz. `ready` is told the address once calls may come.
    """
    if not is_installed():
        _log.warning("telephone.absent", reason="The telephone needs its extra: pip install rostra[telephone].")
        return
    from rostra.gate.sip import Exchange  # noqa: PLC0415  the libraries are optional

    await Exchange(settings, desk, music=music).run(ready)
