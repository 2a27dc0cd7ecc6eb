"""Who is on the stage, who asks to be, and who may do what about it: one value, its acts, its refusals. Pure.

A conversation belongs to its schedule, never to the person who opened it (DESIGN §2). So it is never without
somebody to lead: when the host is away a co-host holds the stage, when nobody is left the programme holds it
(music), and whoever comes back finds the seat kept. Every instant is nanoseconds since the Unix epoch (UTC).
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, assert_never

import msgspec

from rostra.core.limits import COHOSTS_MAX, HANDS_MAX, HOST_MISSED_S, PERSON_NAME_LENGTH_MAX, SEAT_KEPT_S, SEATS_MAX
from rostra.core.units import SECOND_NS

MODERATOR: Final = "moderator:"  # before the name of one who acts from the site; no person is called so


class StageRole(StrEnum):
    """What somebody with a seat may do."""

    HOST = "host"
    COHOST = "cohost"
    SPEAKER = "speaker"


@dataclass(frozen=True, slots=True)
class Seated:
    """A person with a seat.

    `generation` rises each time that the seat is taken again (another device, a reconnect): what an older one sends
    is not heard. `away_since_ns` is None while the person is connected.
    """

    person: str
    name: str
    role: StageRole
    since_ns: int
    on_air: bool = True
    muted: bool = False
    away_since_ns: int | None = None
    generation: int = 1


@dataclass(frozen=True, slots=True)
class Hand:
    """Somebody who asks for a seat."""

    person: str
    name: str
    since_ns: int


@dataclass(frozen=True, slots=True)
class Roster:
    """Everybody who has a seat, in the order of their coming, and every raised hand, the longest first."""

    seats: tuple[Seated, ...] = ()
    hands: tuple[Hand, ...] = ()
    removed: frozenset[str] = frozenset()

    def seat(self, person: str) -> Seated | None:
        return next((seated for seated in self.seats if seated.person == person), None)

    @property
    def heard(self) -> frozenset[str]:
        """Whose sound goes on the air."""
        return frozenset(s.person for s in self.seats if s.on_air and not s.muted and s.away_since_ns is None)


# --- acts ------------------------------------------------------------------------------------------------


class _Act(msgspec.Struct, frozen=True, tag=True):
    """Base of what can be done; the name of the class is its tag on the bus and in the interface of the page."""


class Enter(_Act, frozen=True):
    """Take the seat that a link gives, or one's own seat again. `green` waits behind the stage."""

    name: str
    role: StageRole
    green: bool = False


class Lose(_Act, frozen=True):
    """The connection of generation `generation` broke: the seat is kept for a while."""

    generation: int


class Leave(_Act, frozen=True):
    pass


class RaiseHand(_Act, frozen=True):
    name: str


class LowerHand(_Act, frozen=True):
    person: str


class LetUp(_Act, frozen=True):
    """Give a raised hand a seat, or bring somebody from the green room on the air."""

    person: str


class SendBack(_Act, frozen=True):
    """From the air into the green room."""

    person: str


class Mute(_Act, frozen=True):
    person: str


class Unmute(_Act, frozen=True):
    """Only of oneself: nobody is made to be heard."""


class Remove(_Act, frozen=True):
    """Take the seat away, for this conversation."""

    person: str


class Expel(_Act, frozen=True):
    """A moderator of the site ends somebody's part in this conversation, the host's too."""

    person: str


class Appoint(_Act, frozen=True):
    """Make a speaker a co-host (`cohost`), or a co-host a speaker again."""

    person: str
    cohost: bool


class HandOver(_Act, frozen=True):
    """The host makes somebody else the host, and stays as a co-host."""

    person: str


class Elapse(_Act, frozen=True):
    """Time has passed: who stays away loses the seat, a host who is missed is succeeded."""


Act = (
    Enter
    | Lose
    | Leave
    | RaiseHand
    | LowerHand
    | LetUp
    | SendBack
    | Mute
    | Unmute
    | Remove
    | Expel
    | Appoint
    | HandOver
    | Elapse
)


@dataclass(frozen=True, slots=True)
class Declined:
    """Why an act was not done: one sentence for the person who tried."""

    reason: str


def act(roster: Roster, by: str, what: Act, *, now_ns: int) -> Roster | Declined:
    """The roster after person `by` has done `what`, or why not."""
    match what:
        case Enter():
            return _enter(roster, by, what, now_ns)
        case Lose(generation=generation):
            return _lose(roster, by, generation, now_ns)
        case Leave():
            return _without(roster, by)
        case RaiseHand(name=name):
            return _raise_hand(roster, by, name, now_ns)
        case LowerHand(person=person):
            if person != by and not may_lead(roster, by):
                return Declined("Only a host may lower somebody else's hand.")
            return replace(roster, hands=tuple(hand for hand in roster.hands if hand.person != person))
        case Mute(person=person):
            if person != by and not may_lead(roster, by):
                return Declined("Only a host may mute somebody else.")
            return _changed(roster, person, muted=True)
        case Unmute():
            return _changed(roster, by, muted=False)
        case LetUp() | SendBack() | Remove() | Appoint() | HandOver():
            if not may_lead(roster, by):
                return Declined("Only a host may do that.")
            return _lead(roster, by, what, now_ns)
        case Expel(person=person):
            if not by.startswith(MODERATOR):
                return Declined("Only a moderator of the site may do that.")
            return _expelled(roster, person)
        case Elapse():
            return tick(roster, now_ns=now_ns)
        case _:
            assert_never(what)


def may_lead(roster: Roster, person: str) -> bool:
    """Whether `person` is host or co-host."""
    seated = roster.seat(person)
    return seated is not None and seated.role is not StageRole.SPEAKER


def tick(roster: Roster, *, now_ns: int) -> Roster:
    """Time has passed: seats of those who stay away become free, and a host who is missed is succeeded.

    The co-host who has served longest becomes host; the former one stays co-host and may be handed the stage again.
    """
    kept = tuple(seated for seated in roster.seats if not _away(seated, SEAT_KEPT_S, now_ns))
    roster = replace(roster, seats=kept)
    host = next((s for s in kept if s.role is StageRole.HOST), None)
    if host is not None and not _away(host, HOST_MISSED_S, now_ns):
        return roster
    heirs = [s for s in kept if s.role is StageRole.COHOST and s.away_since_ns is None]
    if not heirs:
        return roster
    heir = min(heirs, key=lambda seated: seated.since_ns)
    return _succeeded(roster, host, heir)


def _away(seated: Seated, seconds: int, now_ns: int) -> bool:
    return seated.away_since_ns is not None and now_ns - seated.away_since_ns >= seconds * SECOND_NS


# --- one act each ----------------------------------------------------------------------------------------


def _enter(roster: Roster, by: str, what: Enter, now_ns: int) -> Roster | Declined:
    if by in roster.removed:
        return Declined("You have been removed from this conversation.")
    if not what.name.strip() or len(what.name) > PERSON_NAME_LENGTH_MAX or not what.name.isprintable():
        return Declined(f"A name has 1 to {PERSON_NAME_LENGTH_MAX} printable characters.")
    own = roster.seat(by)
    if own is not None:
        return _with(roster, replace(own, name=what.name, away_since_ns=None, generation=own.generation + 1))
    if len(roster.seats) >= SEATS_MAX:
        return Declined(f"All {SEATS_MAX} seats are taken.")
    role = what.role
    if role is StageRole.HOST and any(s.role is StageRole.HOST for s in roster.seats):
        role = StageRole.COHOST  # who was succeeded while away comes back beside the new host
    if role is StageRole.COHOST and _cohosts(roster) >= COHOSTS_MAX:
        role = StageRole.SPEAKER
    seated = Seated(by, what.name, role, now_ns, on_air=not what.green)
    hands = tuple(hand for hand in roster.hands if hand.person != by)
    return replace(roster, seats=(*roster.seats, seated), hands=hands)


def _lose(roster: Roster, by: str, generation: int, now_ns: int) -> Roster:
    own = roster.seat(by)
    if own is None or own.generation != generation:
        return roster  # an old connection, whose successor is there already
    return _with(roster, replace(own, away_since_ns=now_ns))


def _raise_hand(roster: Roster, by: str, name: str, now_ns: int) -> Roster | Declined:
    if by in roster.removed:
        return Declined("You have been removed from this conversation.")
    if roster.seat(by) is not None:
        return Declined("You have a seat already.")
    if any(hand.person == by for hand in roster.hands):
        return roster
    if len(roster.hands) >= HANDS_MAX:
        return Declined("Too many hands are up: try again later.")
    return replace(roster, hands=(*roster.hands, Hand(by, name[:PERSON_NAME_LENGTH_MAX], now_ns)))


def _lead(
    roster: Roster, by: str, what: LetUp | SendBack | Remove | Appoint | HandOver, now_ns: int
) -> Roster | Declined:
    target = roster.seat(what.person)
    if target is not None and target.role is StageRole.HOST and what.person != by:
        return Declined("Nobody but the host may do that to the host.")
    match what:
        case LetUp(person=person):
            hand = next((hand for hand in roster.hands if hand.person == person), None)
            if target is not None:
                return _changed(roster, person, on_air=True)
            if hand is None:
                return Declined("Nobody of that name has a hand up.")
            seated = _enter(roster, person, Enter(hand.name, StageRole.SPEAKER), now_ns)
            if isinstance(seated, Declined):
                return seated
            return _lose(seated, person, generation=1, now_ns=now_ns)  # the seat waits until the person sits down
        case SendBack(person=person):
            return _changed(roster, person, on_air=False)
        case Remove(person=person):
            return _expelled(roster, person)
        case Appoint(cohost=cohost):
            if target is None:
                return Declined("Nobody of that name has a seat.")
            if target.role is StageRole.HOST:
                return Declined("A host hands the stage over; nobody appoints one.")
            if cohost and target.role is StageRole.SPEAKER and _cohosts(roster) >= COHOSTS_MAX:
                return Declined(f"There are {COHOSTS_MAX} co-hosts already.")
            return _with(roster, replace(target, role=StageRole.COHOST if cohost else StageRole.SPEAKER))
        case HandOver():
            own = roster.seat(by)
            if own is None or own.role is not StageRole.HOST:
                return Declined("Only the host can hand the stage over.")
            if target is None or target.away_since_ns is not None:
                return Declined("The stage can be handed to somebody who is there.")
            return _succeeded(roster, own, target)
        case _:
            assert_never(what)


def _succeeded(roster: Roster, host: Seated | None, heir: Seated) -> Roster:
    """`heir` is host now; the former one is a co-host, if there is room for another, else a speaker."""
    roster = _with(roster, replace(heir, role=StageRole.HOST))
    if host is None or host.person == heir.person:
        return roster
    role = StageRole.COHOST if _cohosts(roster) < COHOSTS_MAX else StageRole.SPEAKER
    return _with(roster, replace(host, role=role))


def _cohosts(roster: Roster) -> int:
    return sum(seated.role is StageRole.COHOST for seated in roster.seats)


def _with(roster: Roster, changed: Seated) -> Roster:
    seats = tuple(changed if seated.person == changed.person else seated for seated in roster.seats)
    return replace(roster, seats=seats)


def _changed(
    roster: Roster, person: str, *, muted: bool | None = None, on_air: bool | None = None
) -> Roster | Declined:
    seated = roster.seat(person)
    if seated is None:
        return Declined("Nobody of that name has a seat.")
    muted = seated.muted if muted is None else muted
    on_air = seated.on_air if on_air is None else on_air
    return _with(roster, replace(seated, muted=muted, on_air=on_air))


def _expelled(roster: Roster, person: str) -> Roster:
    return replace(_without(roster, person), removed=roster.removed | {person})


def _without(roster: Roster, person: str) -> Roster:
    seats = tuple(seated for seated in roster.seats if seated.person != person)
    hands = tuple(hand for hand in roster.hands if hand.person != person)
    return replace(roster, seats=seats, hands=hands)
