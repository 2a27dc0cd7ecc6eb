"""What the telephone says to a caller: texts and recordings, made as the announcements are."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Final

from rostra.audio.announcements import read_recording
from rostra.audio.frame import Samples
from rostra.core.errors import BadInputError

_DATA: Final = Path(__file__).resolve().parent.parent / "data" / "prompts"


class Prompt(StrEnum):
    """Everything that a caller may hear said; the name of its recording."""

    WELCOME = "welcome"
    WRONG_PIN = "wrong_pin"
    NOT_ADMITTED = "not_admitted"
    FULL = "full"
    WAIT = "wait"
    LISTEN = "listen"
    ON_STAGE = "on_stage"
    HAND_UP = "hand_up"
    MUTED = "muted"
    UNMUTED = "unmuted"
    REMOVED = "removed"
    ELSEWHERE = "elsewhere"
    OVER = "over"


_ENGLISH: Final = {
    Prompt.WELCOME: "Welcome. Please enter your PIN, and then the hash key.",
    Prompt.WRONG_PIN: "That PIN is not right. Please try once more.",
    Prompt.NOT_ADMITTED: "We cannot let you in without a PIN. Goodbye.",
    Prompt.FULL: "There is no place left for the moment. Please call again later. Goodbye.",
    Prompt.WAIT: "You are expected. Please hold the line: you will be on stage in a moment.",
    Prompt.LISTEN: "You are listening. To ask for the floor, press star one.",
    Prompt.ON_STAGE: "You are on stage, and everybody hears you. To mute yourself, press star six.",
    Prompt.HAND_UP: "Your hand is up, and the host can see it.",
    Prompt.MUTED: "You are muted. Press star six to be heard again.",
    Prompt.UNMUTED: "You are heard again.",
    Prompt.REMOVED: "The host has ended your call. Goodbye.",
    Prompt.ELSEWHERE: "Somebody has called with the same PIN, and has your place now. Goodbye.",
    Prompt.OVER: "The conversation has ended. Thank you for calling.",
}
_DUTCH: Final = {
    Prompt.WELCOME: "Welkom. Toets uw pincode in, en daarna een hekje.",
    Prompt.WRONG_PIN: "Die pincode klopt niet. Probeer het nog eens.",
    Prompt.NOT_ADMITTED: "Zonder pincode kunnen we u niet binnenlaten. Tot ziens.",
    Prompt.FULL: "Er is op dit moment geen plaats meer. Belt u later nog eens. Tot ziens.",
    Prompt.WAIT: "U wordt verwacht. Blijf aan de lijn: u komt zo op het podium.",
    Prompt.LISTEN: "U luistert mee. Toets sterretje één om het woord te vragen.",
    Prompt.ON_STAGE: "U bent op het podium en iedereen hoort u. Toets sterretje zes om uw microfoon uit te zetten.",
    Prompt.HAND_UP: "Uw hand is omhoog, en de gastheer ziet het.",
    Prompt.MUTED: "Uw microfoon staat uit. Toets sterretje zes om weer gehoord te worden.",
    Prompt.UNMUTED: "U bent weer te horen.",
    Prompt.REMOVED: "De gastheer heeft uw gesprek beëindigd. Tot ziens.",
    Prompt.ELSEWHERE: "Er is met dezelfde pincode gebeld; uw plaats is nu daar. Tot ziens.",
    Prompt.OVER: "Het gesprek is afgelopen. Bedankt voor het bellen.",
}
TEXTS: Final[Mapping[str, Mapping[Prompt, str]]] = MappingProxyType(
    {"en": MappingProxyType(_ENGLISH), "nl": MappingProxyType(_DUTCH)}
)


def load(language: str) -> Mapping[Prompt, Samples]:
    """Every prompt decoded: shape (n,), mono 48 kHz, -16 LUFS. BadInputError for a language that TEXTS lacks."""
    if language not in TEXTS:
        raise BadInputError(f"There are no prompts in {language[:20]!r}: choose one of {', '.join(sorted(TEXTS))}.")
    return {prompt: read_recording(_DATA / language / f"{prompt}.opus") for prompt in Prompt}
