"""One conversation's stage door at this gate: who is connected, and that the room does what the roster says."""

import asyncio
import time
from collections import Counter
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, field
from secrets import token_urlsafe
from typing import Any, Final, Protocol

import msgspec
import structlog

from rostra.audio.voice import Sound
from rostra.bus.connection import Connection
from rostra.bus.roster import RosterLog
from rostra.core.conversation import Conversation, state_name
from rostra.core.errors import BadInputError, BusError
from rostra.core.invitation import Invitation
from rostra.core.roster import (
    Act,
    Declined,
    Elapse,
    Enter,
    Lose,
    Roster,
    Seated,
    StageRole,
    may_lead,
)
from rostra.gate.peer import Peer
from rostra.gate.room import Room
from rostra.gate.transport import Transport

_log = structlog.get_logger()
_CONNECT_S: Final = 15.0  # who has not got through by then will not: ICE gives up after as long
_OPEN_S: Final = 5.0  # a page that waits longer asks another gate
DONE: Final = (  # of `Desk.done`, also where it has not happened
    *("speakers_connected", "speakers_unconnected", "speakers_lost", "room_frames", "room_frames_late"),
    *("packets_in", "packets_late", "packets_restored", "voice_frames_concealed"),
)
_PRESENCE_LOST_S: Final = 3.0  # gates tell once a second who is connected; three in a row do not get lost


class Caller(Protocol):
    """Somebody on the telephone (`gate.callers`); `generation` is 0 without a seat."""

    person: str
    generation: int

    def told(self, seated: Seated | None, *, removed: bool) -> None: ...

    def over(self) -> None: ...

    def succeeded(self) -> None: ...


@dataclass(slots=True)
class Session:
    """One connection of one person: a WHIP session (RFC 9725 §4.2). Another device is another session."""

    person: str
    generation: int
    peer: Peer
    id: str = field(default_factory=lambda: token_urlsafe(12))
    etag: str = field(default_factory=lambda: f'"{token_urlsafe(6)}"')


class Desk:
    """`run` it; `admit` people with an offer, let them `act`. What the roster says is what happens."""

    def __init__(self, connection: Connection, conversation: Conversation, transport: Transport) -> None:
        self.conversation = conversation
        self.room = Room(connection, conversation.id)
        self._done: Counter[str] = Counter()
        self.log = RosterLog(connection, conversation.id)
        self.sessions: dict[str, Session] = {}
        self.callers: dict[str, Caller] = {}
        self._transport = transport
        self._present_s: dict[str, float] = {}  # when each person was last reported by any gate, or sat down
        self._generations: dict[str, int] = {}
        self._persons: set[str] = set()  # who has ever been seated; ACTS_MAX bounds them
        self._tasks = asyncio.TaskGroup()
        self._up = asyncio.Event()

    @property
    def connected(self) -> list[str]:
        seated = [caller.person for caller in self.callers.values() if caller.generation]
        return [session.person for session in self.sessions.values()] + seated

    async def run(self) -> None:
        """Keep the desk open until cancelled; then everybody is let go."""
        name = self.conversation.id
        try:
            async with self._tasks as tasks:
                for work, what in (
                    (self.log.run(), "roster"),
                    (self.room.run(), "room"),
                    (self._obey(), "obey"),
                    (self._keep_time(), "time"),
                ):
                    tasks.create_task(work, name=f"{name}: {what}")
                await self.log.catch_up()
                self._up.set()
        finally:
            for caller in list(self.callers.values()):
                caller.over()
            for session in list(self.sessions.values()):
                await session.peer.close()

    def begin(self, work: Coroutine[Any, Any, None], *, name: str) -> None:
        """Do something as long as the desk is open."""
        self._tasks.create_task(work, name=name)

    # --- people -----------------------------------------------------------------------------------------

    async def admit(
        self, invitation: Invitation, name: str, offer: str, *, sound: Sound = Sound.RAW
    ) -> tuple[Session, str] | Declined:
        """Give the holder of `invitation` a seat, and the answer to the offer. BadInputError, BusError."""
        await self._opened()
        person = invitation.person
        if invitation.role is None and self.log.roster.seat(person) is None:
            return Declined("This invitation is for listeners: raise a hand, and wait until a host lets you up.")
        peer = Peer(self._transport)
        entering = Enter(name, invitation.role or StageRole.SPEAKER, invitation.green)
        try:
            answer = await peer.accept(offer)
            declined = await self.do(person, entering)
            seated = self.log.roster.seat(person)
            if declined is not None or seated is None:
                await peer.close()
                return declined or Declined("The seat was taken away meanwhile.")
            session = Session(person, seated.generation, peer)
            self._seat(session, seated, sound)
        except (BadInputError, BusError):
            await peer.close()
            raise
        self._tasks.create_task(self._accompany(session), name=f"session {session.id}")
        return session, answer

    async def do(self, by: str, what: Act, *, why: str = "") -> Declined | None:
        """Have somebody act; `_obey` then carries it out."""
        await self._opened()
        return await self.log.do(by, what, why=why, now_ns=time.time_ns())

    async def _opened(self) -> None:
        """Return when the roster is known. BusError if the bus stays away."""
        try:
            async with asyncio.timeout(_OPEN_S):
                await self._up.wait()
        except TimeoutError as error:
            raise BusError("The roster could not be read yet.") from error

    def done(self) -> Counter[str]:
        """Totals for evidence."""
        return self._done + self.room.done()

    def end(self, session: Session) -> None:
        """Its owner hangs up: the seat is kept for a while, the session is gone at once."""
        del self.sessions[session.id]
        session.peer.lost.set()

    def heard_of(self, persons: list[str]) -> None:
        """Some gate reports that these are connected to it."""
        now_s = time.monotonic()
        for person in persons:
            self._present_s[person] = now_s

    def _seat(self, session: Session, seated: Seated, sound: Sound) -> None:
        for other in [each for each in self.sessions.values() if each.person == session.person]:
            del self.sessions[other.id]
            other.peer.lost.set()
        self.sessions[session.id] = session
        self.room.enter(session.person, session.peer, green=not seated.on_air, muted=seated.muted, sound=sound)

    async def _accompany(self, session: Session) -> None:
        """From the answer to the end of the connection."""
        try:
            async with asyncio.timeout(_CONNECT_S) as deadline:
                await _first(session.peer.connected, session.peer.lost)
                deadline.reschedule(None)
                self._done["speakers_connected"] += session.peer.connected.is_set()
                await session.peer.lost.wait()
            self._done["speakers_lost"] += session.id in self.sessions
        except TimeoutError:
            self._done["speakers_unconnected"] += 1
            _log.info("session.unconnected", conversation=self.conversation.id, person=session.person)
        self.sessions.pop(session.id, None)
        await session.peer.close()
        treatment = self.room.treatment(session.person)
        await self.room.leave(session.person, session.peer)
        _log.info(
            "session.ended",
            conversation=self.conversation.id,
            person=session.person,
            **session.peer.buffer.provenance.as_dict(),
            **treatment,
        )
        while True:
            try:
                await self.do(session.person, Lose(session.generation))
            except BusError:
                await asyncio.sleep(1)
                continue
            return

    async def _obey(self) -> None:
        """Arrange the room by the roster after each act, at whichever gate it was done."""
        number = -1
        while True:
            await self.log.beyond(number)
            number, roster = self.log.number, self.log.roster
            self._persons |= {seated.person for seated in roster.seats}
            for session in list(self.sessions.values()):
                seated = roster.seat(session.person)
                if seated is None or seated.generation > session.generation:
                    session.peer.lost.set()
                else:
                    self.room.arrange(session.person, green=not seated.on_air, muted=seated.muted)
            for caller in list(self.callers.values()):
                seated = roster.seat(caller.person)
                caller.told(seated, removed=caller.person in roster.removed)
                if seated is not None and caller.generation == seated.generation:
                    self.room.arrange(caller.person, green=not seated.on_air, muted=seated.muted)

    async def _keep_time(self) -> None:
        """Once a second: who is missed at every gate has lost the connection; who stays away loses the seat."""
        while True:
            await asyncio.sleep(1)
            self.heard_of(self.connected)
            try:
                for seated in self._missed():
                    await self.log.do(seated.person, Lose(seated.generation), now_ns=time.time_ns())
                for session in list(self.sessions.values()):
                    await self._reclaim(session)
                await self.log.do("", Elapse(), now_ns=time.time_ns())
            except BusError:
                continue  # next second

    def _missed(self) -> list[Seated]:
        """Who has a seat, and no gate has said for a while that the person is there."""
        seats = self.log.roster.seats
        self.heard_of(
            [seated.person for seated in seats if self._generations.get(seated.person) != seated.generation]
        )
        self._generations = {seated.person: seated.generation for seated in seats}
        self._present_s = {person: at_s for person, at_s in self._present_s.items() if person in self._generations}
        long_ago_s = time.monotonic() - _PRESENCE_LOST_S
        return [s for s in seats if s.away_since_ns is None and self._present_s.get(s.person, 0.0) < long_ago_s]

    async def _reclaim(self, session: Session) -> None:
        """Another gate, cut off from the bus, may have missed somebody who is here all the time."""
        seated = self.log.roster.seat(session.person)
        if seated is None or seated.generation != session.generation or seated.away_since_ns is None:
            return
        declined = await self.do(session.person, Enter(seated.name, seated.role))
        again = self.log.roster.seat(session.person)
        if declined is None and again is not None:
            session.generation = again.generation

    # --- what a page shows ------------------------------------------------------------------------------

    def view(self, person: str) -> dict[str, Any]:
        """The stage as `person` sees it (docs/protocol.md): everybody seated, the hands, what may be done."""
        roster, schedule = self.log.roster, self.conversation.schedule
        leads = may_lead(roster, person)
        own = roster.seat(person)
        return {
            "conversation": self.conversation.id,
            "title": schedule.title,
            "language": schedule.language,
            "state": state_name(self.conversation.state),
            "starts_ms": schedule.starts_ns // 1_000_000,
            "number": self.log.number,
            "you": person,
            "role": None if own is None else own.role,
            "leads": leads,
            "connected": person in self.connected,
            "removed": person in roster.removed,
            "seats": list(self._seats(roster)),
            "hands": [
                {"person": hand.person, "name": hand.name}
                for hand in roster.hands
                if leads or hand.person == person
            ],
            "hands_up": len(roster.hands),
        }

    def _seats(self, roster: Roster) -> Iterator[dict[str, Any]]:
        speaking = self.room.speaking
        for seated in roster.seats:
            yield {
                "person": seated.person,
                "name": seated.name,
                "role": seated.role,
                "on_air": seated.on_air,
                "muted": seated.muted,
                "away": seated.away_since_ns is not None,
                "speaking": seated.person in speaking and not seated.muted,
            }
        for seat in self.room.heard_on_the_bus:
            if seat not in self._persons:  # a feed: it has a seat on the bus, and none in the roster
                yield {
                    "person": seat,
                    "name": seat,
                    "role": "feed",
                    "on_air": True,
                    "muted": False,
                    "away": False,
                    "speaking": seat in speaking,
                }


# What a person may ask for; coming and going are matters of the connection, time is nobody's.
_ASKED: Final = frozenset(
    {"Leave", "RaiseHand", "LowerHand", "LetUp", "SendBack", "Mute", "Unmute", "Remove", "Appoint", "HandOver"}
)


class Asked(msgspec.Struct, forbid_unknown_fields=True):
    """What a page asks for, and why."""

    act: Act
    why: str = ""


def parse_asked(body: bytes) -> Asked:
    """What the page asks for. BadInputError if it is nothing that a person may ask."""
    try:
        asked = msgspec.json.decode(body, type=Asked)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadInputError(f"This is no act: {error}") from error
    if type(asked.act).__name__ not in _ASKED:
        raise BadInputError(f"Nobody can ask for {type(asked.act).__name__!r}.")
    return asked


async def _first(*events: asyncio.Event) -> None:
    """Return when any of the events is set."""
    async with asyncio.TaskGroup() as tasks:
        waiting = [tasks.create_task(event.wait(), name="either") for event in events]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
