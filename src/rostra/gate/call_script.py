"""The dialogue with a caller: what is heard, pressed and told, as a value and one function. Pure.

    PIN, then #   up to three tries
    *1            raise the hand (a listener)
    *6            mute and unmute oneself (on the stage)

The performer (`gate.call`) carries out the commands, and answers `CheckPin` and `Enter` with an event.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, assert_never

from rostra.audio.prompts import Prompt
from rostra.gate.pin import DIGITS, DIGITS_MIN

PIN_TRIES_MAX: Final = 3  # two slips of the finger; whoever needs more has the wrong PIN
PIN_PATIENCE_S: Final = 10  # without a digit; someone looks for the paper, but a robot holds a line no longer

# --- what happens ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Digit:
    """A key: 0 to 9, * or #; A to D do nothing."""

    key: str


@dataclass(frozen=True, slots=True)
class PinRight:
    speaker: bool


class Event(StrEnum):
    """What the gate or the caller's silence tells."""

    PIN_WRONG = "pin_wrong"
    PIN_TIMEOUT = "pin_timeout"  # PIN_PATIENCE_S without a digit
    FULL = "full"  # no place is left
    HANGUP = "hangup"  # the caller has gone


class RosterSays(StrEnum):
    """What has become of the caller in the conversation."""

    ON_STAGE = "on_stage"
    BACKSTAGE = "backstage"  # the green room, or the doors are not open yet
    LISTENING = "listening"
    MUTED = "muted"
    UNMUTED = "unmuted"
    REMOVED = "removed"
    ELSEWHERE = "elsewhere"  # the seat has gone to a newer call with the same PIN
    OVER = "over"


Happening = Digit | PinRight | Event | RosterSays

# --- what is to be done ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Play:
    """Say something, after whatever is being said."""

    prompt: Prompt


@dataclass(frozen=True, slots=True)
class CheckPin:
    digits: str


@dataclass(frozen=True, slots=True)
class Mute:
    muted: bool


class Command(StrEnum):
    HUSH = "hush"  # stop speaking: the caller presses keys
    MUSIC = "music"  # from now on the hold music is heard
    ROOM = "room"  # from now on the conversation is heard
    ENTER = "enter"
    RAISE_HAND = "raise_hand"
    HANG_UP = "hang_up"  # once everything is said


Deed = Play | CheckPin | Mute | Command

# --- the state ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AskingPin:
    digits: str = ""
    tries_left: int = PIN_TRIES_MAX


@dataclass(frozen=True, slots=True)
class Waiting:
    """Expected on the stage, with music."""


@dataclass(frozen=True, slots=True)
class Listening:
    star: bool = False  # the last key was *


@dataclass(frozen=True, slots=True)
class OnStage:
    muted: bool = False
    star: bool = False


@dataclass(frozen=True, slots=True)
class Gone:
    """The call is over; nothing more happens."""


State = AskingPin | Waiting | Listening | OnStage | Gone
Step = tuple[State, tuple[Deed, ...]]


def begin() -> Step:
    """The call has been answered."""
    return AskingPin(), (Command.MUSIC, Play(Prompt.WELCOME))


def step(state: State, happening: Happening) -> Step:
    """The state after `happening`, and what is to be done, in this order."""
    if isinstance(state, Gone):
        return state, (Command.HUSH,) if happening is Event.HANGUP else ()
    match happening:
        case Event.HANGUP:
            return Gone(), (Command.HUSH, Command.HANG_UP)
        case RosterSays.REMOVED:
            return _goodbye(Prompt.REMOVED)
        case RosterSays.ELSEWHERE:
            return _goodbye(Prompt.ELSEWHERE)
        case RosterSays.OVER:
            return _goodbye(Prompt.OVER)
        case Event.FULL:
            return _goodbye(Prompt.FULL)
        case _:
            pass
    match state:
        case AskingPin():
            return _asked(state, happening)
        case Waiting() | Listening() | OnStage():
            if isinstance(happening, RosterSays):
                return _placed(state, happening)
            return _pressed(state, happening)
        case _:
            assert_never(state)


def _goodbye(prompt: Prompt) -> Step:
    return Gone(), (Command.HUSH, Command.MUSIC, Play(prompt), Command.HANG_UP)


def _asked(state: AskingPin, happening: Happening) -> Step:
    match happening:
        case Digit(key="#") if len(state.digits) < DIGITS_MIN:
            return _wrong(state)
        case Digit(key="#"):
            return state, (CheckPin(state.digits),)
        case Digit(key="*"):
            return replace(state, digits=""), (Command.HUSH,)  # typed wrongly: begin again
        case Digit(key=key) if key.isdecimal() and len(state.digits) < DIGITS:
            return replace(state, digits=state.digits + key), (Command.HUSH,)
        case Event.PIN_TIMEOUT if len(state.digits) == DIGITS:
            return state, (CheckPin(state.digits),)  # a caller who knows of no #
        case Event.PIN_TIMEOUT | Event.PIN_WRONG:
            return _wrong(state)
        case PinRight(speaker=speaker):
            prompt = Prompt.WAIT if speaker else Prompt.LISTEN
            return Waiting() if speaker else Listening(), (Command.HUSH, Play(prompt), Command.ENTER)
        case _:
            return state, ()


def _wrong(state: AskingPin) -> Step:
    if state.tries_left <= 1:
        return _goodbye(Prompt.NOT_ADMITTED)
    return AskingPin(tries_left=state.tries_left - 1), (Command.HUSH, Play(Prompt.WRONG_PIN))


def _placed(state: Waiting | Listening | OnStage, said: RosterSays) -> Step:
    match said, state:
        case RosterSays.ON_STAGE, OnStage():
            return state, ()
        case RosterSays.ON_STAGE, _:
            return OnStage(), (Command.HUSH, Command.ROOM, Play(Prompt.ON_STAGE))
        case RosterSays.BACKSTAGE, Waiting():
            return state, ()
        case RosterSays.BACKSTAGE, _:
            return Waiting(), (Command.MUSIC, Play(Prompt.WAIT))
        case RosterSays.LISTENING, Listening():
            return state, (Command.ROOM,)
        case RosterSays.LISTENING, _:
            return Listening(), (Command.ROOM, Play(Prompt.LISTEN))
        case RosterSays.MUTED, OnStage(muted=False):
            return replace(state, muted=True), (Play(Prompt.MUTED),)
        case RosterSays.UNMUTED, OnStage(muted=True):
            return replace(state, muted=False), (Play(Prompt.UNMUTED),)
        case _:
            return state, ()  # an echo of what the caller did


def _pressed(state: Waiting | Listening | OnStage, happening: Happening) -> Step:
    match state, happening:
        case Listening(star=True), Digit(key="1"):
            # Each time anew: a host may have lowered it, which nobody tells the caller.
            return replace(state, star=False), (Command.RAISE_HAND, Play(Prompt.HAND_UP))
        case OnStage(star=True), Digit(key="6"):
            muted = not state.muted
            return replace(state, star=False, muted=muted), (
                Mute(muted),
                Command.HUSH,
                Play(Prompt.MUTED if muted else Prompt.UNMUTED),
            )
        case ((Listening() | OnStage()), Digit(key=key)):
            return replace(state, star=key == "*"), ()
        case _:
            return state, ()
