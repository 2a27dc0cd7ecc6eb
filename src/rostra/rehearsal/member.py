"""One listener of a crowd: what it has and hears, whom it asks, and how it is judged."""

import math
import socket
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

import msgspec

from rostra.core.errors import BadInputError
from rostra.rehearsal.continuity import Continuity
from rostra.rehearsal.crowd_report import Tally

Address = tuple[str, int]


class JoinAnswer(msgspec.Struct, frozen=True):
    """The answer to a join (docs/protocol.md §2), or a problem."""

    status: str | int = ""
    ticket: str = ""
    alternates: tuple[str, ...] = ()
    title: str = ""
    place: str = ""
    wait_s: float | None = None
    again_s: float = 1.0


answers: Final = msgspec.json.Decoder(JoinAnswer)


@dataclass(slots=True)
class Member:
    """One listener. `head` collects an answer until it is understood; then the stream goes to `heard`.

    `silent_since_s` is when it asked for something, or heard something, last. `place` is its place in the waiting
    room, `wait` since when it has had one, and how long it was told first that it would wait. `excused`: it has
    missed something by its own doing (a phone that slept, a region that was gone).
    """

    began_s: float
    silent_since_s: float
    source: str
    address: Address
    heard: Continuity
    connection: socket.socket | None = None
    ticket: str = ""
    head: bytes = b""
    streaming: bool = False
    joined_s: float | None = None
    leaves_s: float = math.inf
    left: bool = False
    place: str = ""
    wait: tuple[float, float | None] | None = None
    asleep: bool = False
    excused: bool = False
    failures: int = 0
    lost: int = 0
    alternates: list[Address] = field(default_factory=list)


def judge(members: Iterable[Member], tally: Tally, *, began_s: float, now_s: float) -> None:
    """Add what `members` have heard from `began_s` until `now_s` to the tally."""
    for member in members:
        heard = member.heard
        if member.wait is not None:
            tally.waited += 1
            since_s, estimate_s = member.wait
            if member.joined_s is not None and estimate_s is not None:
                tally.estimates_s.append((estimate_s, member.joined_s - since_s))
        if member.joined_s is not None:
            tally.join_ms.append((member.joined_s - member.began_s) * 1_000)
        tally.came_s.append(member.began_s - began_s)
        if heard.first_sound_s is None:
            tally.sound_after_ms.append(None)
            continue
        if not member.left and not member.excused:
            heard.close(now_s=now_s)
        sound_after_ms = (heard.first_sound_s - member.began_s) * 1_000
        tally.sound_after_ms.append(sound_after_ms)
        tally.first_sound_ms.append(sound_after_ms)
        tally.bytes += heard.bytes
        tally.chunks += heard.chunks
        tally.connections_lost += member.lost
        tally.ended += heard.end_reason is not None
        if member.excused:
            tally.excused += 1
            continue
        tally.missing_chunks += heard.missing
        tally.missed_chunks += heard.missed
        tally.repeated_chunks += heard.repeated
        tally.disordered_chunks += heard.disordered
        tally.moved += heard.moved
        tally.listeners_with_gaps += bool(heard.missing or heard.missed)
        tally.paused_listeners += heard.playout.paused_s > 0
        tally.paused_ms += heard.playout.paused_s * 1_000
        tally.longest_pause_ms = max(tally.longest_pause_ms, heard.playout.longest_pause_s * 1_000)


def header(head: bytes, name: bytes) -> str:
    """The value of a header field, lower-cased name, or nothing."""
    for line in head.split(b"\r\n")[1:]:
        field_name, _, value = line.partition(b":")
        if field_name.lower() == name:
            return value.strip().decode("latin-1")
    return ""


def parse_target(url: str) -> tuple[str, int, str]:
    """Host, port and path of a conversation. BadInputError for any other address."""
    parts = urlsplit(url)
    try:
        port = parts.port or 80
    except ValueError as error:
        raise BadInputError(f"{url!r} has no port that exists.") from error
    if parts.scheme != "http" or not parts.hostname or not parts.path.startswith("/c/"):
        raise BadInputError(f"{url!r} is no conversation's address: it looks like http://host:8080/c/ID.")
    return parts.hostname, port, parts.path.rstrip("/")


def share_sizes(listeners: int, processes: int) -> list[int]:
    """How many listeners each process has: as equal as can be."""
    share = math.ceil(listeners / processes)
    return [min(share, listeners - share * index) for index in range(processes) if share * index < listeners]
