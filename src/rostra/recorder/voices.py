"""How each voice arrived, from the microphone into the programme: counts, bad moments, and a sentence. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

import msgspec

from rostra.core.limits import RECORDING_TROUBLES_MAX
from rostra.core.units import CHUNK_NS, FRAME_NS, SECOND_NS
from rostra.recorder.journal import Arrived, Journal

_HEARD_PERCENT: Final = 3.0  # of a few seconds filled in is heard as slurring: PESQ-WB falls below 4
_OVERDRIVEN_S: Final = 0.5  # of clipped frames is not one door that slams
_FRAME_S: Final = FRAME_NS / SECOND_NS

_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "webrtc": "{name} spoke from a browser ({codec}).",
        "whip": "{name} spoke from an encoder ({codec}).",
        "telephone": "{name} spoke by telephone ({codec}).",
        "feed": "{name} was a feed.",
        "mix": "The mix of all voices was turned down for peaks in {share:.1f} % of the time, at most {db:.1f} dB.",
        "network": "Of what was sent {lost:.1f} % was lost or late on the way to us; "
        "{filled:.1f} % of the sound could not be restored and was filled in.",
        "raw": "Noise was suppressed and the level evened here.",
        "clean": "Noise was suppressed by the browser, the level evened here.",
        "original": "The sound was left as it came.",
        "overdriven": "The microphone was overdriven for {seconds:.1f} s.",
        "worst": "Worst at {at}, for {seconds:.0f} s: {percent:.0f} % missing.",
        "inside": "{seconds:.1f} s were lost on our side.",
        "whole": "Nothing was lost on our side.",
    },
    "nl": {
        "webrtc": "{name} sprak vanuit een browser ({codec}).",
        "whip": "{name} sprak via een encoder ({codec}).",
        "telephone": "{name} sprak per telefoon ({codec}).",
        "feed": "{name} was een toevoer.",
        "mix": "De mix van alle stemmen is in {share:.1f} % van de tijd teruggenomen, hooguit {db:.1f} dB.",
        "network": "Van wat werd verstuurd is {lost:.1f} % onderweg naar ons verloren of te laat; "
        "{filled:.1f} % van het geluid was niet te herstellen en is opgevuld.",
        "raw": "Ruis is hier onderdrukt en het niveau gelijkgetrokken.",
        "clean": "Ruis is door de browser onderdrukt, het niveau hier gelijkgetrokken.",
        "original": "Het geluid is gelaten zoals het kwam.",
        "overdriven": "De microfoon is {seconds:.1f} s overstuurd geweest.",
        "worst": "Het slechtst op {at}, {seconds:.0f} s lang: {percent:.0f} % ontbrak.",
        "inside": "Aan onze kant is {seconds:.1f} s verloren gegaan.",
        "whole": "Aan onze kant is niets verloren gegaan.",
    },
}


class Hop(msgspec.Struct, frozen=True):
    """One hop of one connection: its place in the replay (seconds), and the counts at its end."""

    hop: str
    from_s: float
    to_s: float
    path: dict[str, str]
    counts: dict[str, float]


class Trouble(msgspec.Struct, frozen=True):
    """From `at_s` on `percent` of the voice was missing and filled in, on that hop."""

    hop: str
    at_s: float
    seconds: float
    percent: float


class VoiceAccount(msgspec.Struct, frozen=True):
    """One voice; the mix of all has no seat. Of its troubles the worst RECORDING_TROUBLES_MAX."""

    seat: str
    name: str
    sentence: str
    hops: list[Hop]
    troubles: list[Trouble]


def voices(journal: Journal, *, first: int) -> list[VoiceAccount]:
    """The account of every voice that was on the air, the mix last; `first` is the replay's first chunk."""
    language = "en" if journal.conversation is None else journal.conversation.language
    words = _WORDS.get(language, _WORDS["en"])
    by_seat: dict[str, dict[tuple[str, int], list[Arrived]]] = {}
    heard = {seat for seated in journal.seats for seat in seated.seats} | {""}
    for each in journal.arrivals:
        if each.seat not in heard:
            continue  # who only waited behind the stage is nobody's business
        by_seat.setdefault(each.seat, {}).setdefault((each.hop, each.since_ns), []).append(each)
    return [
        _account(seat, journal.names.get(seat, seat), list(by_seat[seat].values()), words, first)
        for seat in sorted(by_seat, key=lambda seat: (not seat, seat))
    ]


def _account(
    seat: str, name: str, connections: Sequence[Sequence[Arrived]], words: Mapping[str, str], first: int
) -> VoiceAccount:
    hops = [
        Hop(
            series[0].hop, _second(series[0], first), _second(series[-1], first), series[-1].path, series[-1].counts
        )
        for series in connections
    ]
    found = [trouble for series in connections for trouble in _troubles(series, first)]
    worst = sorted(found, key=lambda each: each.percent * each.seconds)[-RECORDING_TROUBLES_MAX:]
    troubles = sorted(worst, key=lambda each: each.at_s)
    return VoiceAccount(seat, name, " ".join(_sentences(name, hops, troubles, words)), hops, troubles)


def _second(arrived: Arrived, first: int) -> float:
    return (arrived.seq - first) * CHUNK_NS / SECOND_NS


def _troubles(series: Sequence[Arrived], first: int) -> Iterator[Trouble]:
    """The stretches between two reports in which more is missing than goes unheard; neighbours are one."""
    open_trouble: Trouble | None = None
    for before, after in pairwise(series):
        # Whoever hangs up leaves a second of silence behind, which nobody misses.
        missing, came = _missing(after, starved=after is not series[-1]), _came(after)
        missing, came = missing - _missing(before, starved=after is not series[-1]), came - _came(before)
        percent = 100 * missing / max(1.0, missing + came)
        seconds = (after.at_ns - before.at_ns) / SECOND_NS
        if percent < _HEARD_PERCENT:
            if open_trouble is not None:
                yield open_trouble
            open_trouble = None
        elif open_trouble is None:
            open_trouble = Trouble(after.hop, _second(before, first), round(seconds, 1), round(percent, 1))
        else:
            whole_s = open_trouble.seconds + seconds
            mean = (open_trouble.percent * open_trouble.seconds + percent * seconds) / whole_s
            open_trouble = Trouble(after.hop, open_trouble.at_s, round(whole_s, 1), round(mean, 1))
    if open_trouble is not None:
        yield open_trouble


def _missing(arrived: Arrived, *, starved: bool) -> float:
    """Frames of 20 ms that were not there in time."""
    if arrived.hop == "gate":
        return arrived.counts.get("concealed", 0) + (arrived.counts.get("starved", 0) if starved else 0)
    return arrived.counts.get("lost", 0)


def _came(arrived: Arrived) -> float:
    """Frames of 20 ms that were."""
    if arrived.hop == "gate":
        frames_each = max(1.0, arrived.counts.get("packet_ms", 20) * 1_000_000 / FRAME_NS)
        return arrived.counts.get("received", 0) * frames_each
    return arrived.counts.get("frames", 0)


def _sentences(
    name: str, hops: Sequence[Hop], troubles: Sequence[Trouble], words: Mapping[str, str]
) -> Iterator[str]:
    gate = [hop for hop in hops if hop.hop == "gate"]
    mix = [hop for hop in hops if hop.hop == "mix"]
    if mix:
        share = 100 * _sum(mix, "limited") / max(1.0, _sum(mix, "frames"))
        yield words["mix"].format(share=share, db=max(hop.counts.get("limited_max_db", 0) for hop in mix))
        return
    if gate:
        path = gate[-1].path
        yield words.get(path.get("transport", ""), words["feed"]).format(name=name, codec=path.get("codec", "?"))
        lost = _sum(gate, "restored", "corrected", "concealed", "late")
        filled, sent = (
            _sum(gate, "concealed"),
            max(1.0, _sum(gate, "received", "restored", "corrected", "concealed")),
        )
        yield words["network"].format(lost=100 * lost / sent, filled=100 * filled / sent)
        yield words.get(path.get("sound", ""), words["raw"])
        if (overdriven_s := _sum(gate, "clipped") * _FRAME_S) >= _OVERDRIVEN_S:
            yield words["overdriven"].format(seconds=overdriven_s)
    else:
        yield words["feed"].format(name=name)
    if troubles:
        worst = max(troubles, key=lambda each: each.percent)
        yield words["worst"].format(at=_clock(worst.at_s), seconds=worst.seconds, percent=worst.percent)
    inside_s = _sum([hop for hop in hops if hop.hop == "stage"], "lost") * _FRAME_S
    yield words["inside"].format(seconds=inside_s) if inside_s else words["whole"]


def _sum(hops: Sequence[Hop], *names: str) -> float:
    return sum(hop.counts.get(name, 0) for hop in hops for name in names)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(max(0, round(seconds)), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
