"""Callers on the stage: what the telephone asks of the desks, and what the roster says, in spoken words."""

import secrets
from collections.abc import Callable, Mapping

import structlog

from rostra.core.conversation import Scheduled
from rostra.core.errors import BusError
from rostra.core.roster import Enter, Leave, LowerHand, Mute, RaiseHand, Seated, StageRole, Unmute
from rostra.gate.call_script import RosterSays
from rostra.gate.desk import Desk
from rostra.gate.pin import Access, CallerRole, access_of
from rostra.gate.room import Speaker

_log = structlog.get_logger()


class Caller:
    """One call: a listener, who may raise a hand and be let up, or a speaker (`gate.telephone.Place`)."""

    def __init__(
        self, desk: Desk, person: str, name: str, speaker: Speaker, say: Callable[[RosterSays], None]
    ) -> None:
        self.person = person
        self.generation = 0  # 0: without a seat
        self._desk = desk
        self._name = name
        self._speaker = speaker
        self._say = say
        self._said: RosterSays | None = None
        self._muted = False
        self._sitting_down = False

    # --- what the caller does ---------------------------------------------------------------------------

    def listen(self) -> None:
        self._desk.room.listen(self._speaker)
        self._tell(RosterSays.LISTENING)

    async def sit_down(self) -> bool:
        """Take the seat that an invitation or a host gives; False if there is none. BusError."""
        self._sitting_down = True
        try:
            declined = await self._desk.do(self.person, Enter(self._name, StageRole.SPEAKER))
        finally:
            self._sitting_down = False
        seated = self._desk.log.roster.seat(self.person)
        if declined is not None or seated is None:
            return False
        self.generation = seated.generation
        self._desk.room.unlisten(self._speaker)
        self._desk.room.enter(self.person, self._speaker, green=not seated.on_air, muted=seated.muted)
        self.told(seated, removed=False)
        return True

    async def raise_hand(self) -> None:
        await self._desk.do(self.person, RaiseHand(self._name))

    async def mute(self, *, muted: bool) -> None:
        await self._desk.do(self.person, Mute(self.person) if muted else Unmute())

    async def leave(self) -> None:
        """Give back what is this call's: who has dialled again with the same PIN keeps the seat."""
        if self._desk.callers.get(self.person) is self:
            del self._desk.callers[self.person]
        self._desk.room.unlisten(self._speaker)
        seated = self._desk.log.roster.seat(self.person)
        try:
            await self._desk.room.leave(self.person, self._speaker)
            if not self.generation:
                await self._desk.do(self.person, LowerHand(self.person))
            elif seated is not None and seated.generation == self.generation:
                await self._desk.do(self.person, Leave())
        except BusError:
            _log.warning("caller.unsaid", person=self.person)  # nobody reports the caller any more: that says it

    # --- what becomes of the caller ---------------------------------------------------------------------

    def told(self, seated: Seated | None, *, removed: bool) -> None:
        """The roster has changed."""
        if removed:
            self._tell(RosterSays.REMOVED)
        elif seated is None:
            if self.generation:
                self._tell(RosterSays.OVER)
        elif self.generation and seated.generation > self.generation:
            self.succeeded()
        elif self.generation == 0:
            if not self._sitting_down:
                self._sitting_down = True
                self._desk.begin(self._come_up(), name=f"caller {self.person}")
        else:
            self._tell(RosterSays.ON_STAGE if seated.on_air else RosterSays.BACKSTAGE)
            if seated.muted != self._muted:
                self._muted = seated.muted
                self._say(RosterSays.MUTED if seated.muted else RosterSays.UNMUTED)

    def over(self) -> None:
        self._tell(RosterSays.OVER)

    def succeeded(self) -> None:
        """The newest call with a PIN has the seat, as the newest browser of an invitation has."""
        if self._desk.callers.get(self.person) is self:
            del self._desk.callers[self.person]
        self._tell(RosterSays.ELSEWHERE)

    async def _come_up(self) -> None:
        """A host has let the raised hand up."""
        try:
            await self.sit_down()
        except BusError:
            _log.warning("caller.unseated", person=self.person)  # the seat becomes free again by itself

    def _tell(self, what: RosterSays) -> None:
        if what is not self._said:
            self._said = what
            self._say(what)


class Callers:
    """The telephone's desk over all conversations of this gate."""

    def __init__(self, desks: Mapping[str, Desk], *, key: bytes) -> None:
        self._desks = desks
        self._key = key

    async def lookup(self, pin: str) -> Access | None:
        """What a PIN opens among the conversations whose doors are open."""
        opened = [name for name, desk in self._desks.items() if not isinstance(desk.conversation.state, Scheduled)]
        return access_of(pin, conversations=opened, key=self._key)

    async def enter(self, access: Access, speaker: Speaker, say: Callable[[RosterSays], None]) -> Caller | None:
        """Take a caller in; None if there is no place. BusError."""
        desk = self._desks.get(access.conversation)
        if desk is None:
            return None
        if access.role is CallerRole.SPEAKER:
            caller = Caller(desk, access.person, f"Telephone {access.number}", speaker, say)
            if (former := desk.callers.get(caller.person)) is not None:
                former.succeeded()  # often the same person: the line broke, and that call has not noticed yet
            desk.callers[caller.person] = caller
            seated = False
            try:
                seated = await caller.sit_down()
            finally:
                if not seated:
                    await caller.leave()
            return caller if seated else None
        caller = Caller(desk, f"caller-{secrets.token_hex(6)}", "Telephone", speaker, say)
        desk.callers[caller.person] = caller
        caller.listen()
        return caller
