"""The score of the hold music: its chords, melodies and instruments, and the voicing of its chords."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Final

from rostra.audio import instruments
from rostra.audio.instruments import Instrument

SECTION_BARS: Final = 8

_STEPS: Final = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_QUALITIES: Final = {  # semitones above the root, without it: the bass plays the root
    "maj9": (4, 7, 11, 14),
    "m9": (3, 7, 10, 14),
    "m11": (3, 10, 14, 17),
    "m7": (3, 7, 10, 12),
    "9sus": (7, 10, 14, 17),
    "13sus": (10, 14, 17, 21),
    "9": (4, 7, 10, 14),
}


@dataclass(frozen=True, slots=True)
class Section:
    """Eight bars: chords, a melody (`beat:pitch:beats` words per bar) and who plays."""

    chords: str
    melody: tuple[str, ...]
    lead: Instrument
    figure: Instrument
    figure_pattern: tuple[int, ...]  # of the chord's four voices, one per eighth; -1 rests
    dynamics: float
    centre: float  # MIDI: where the chords lie
    strings: float


SECTIONS: Final = (
    Section(
        "Dmaj9 Bm9 Gmaj9 A13sus Dmaj9/F# Bm11 Em9 A9sus",
        (
            "1:A4:.5 1.5:D5:.5 2:F#5:2",
            "1:E5:.5 1.5:D5:.5 2:C#5:2",
            "1:B4:.5 1.5:D5:.5 2:A5:2",
            "1:F#5:.5 1.5:E5:.5 2:D5:1 3:E5:1",
            "1:A4:.5 1.5:D5:.5 2:F#5:1.5 3.5:G5:.5",
            "0:A5:1.5 1.5:F#5:.5 2:E5:2",
            ".5:G5:.5 1:F#5:1 2:B4:1 3:D5:1",
            "0:E5:3",
        ),
        instruments.vibraphone,
        instruments.keys,
        (0, 1, 2, 3, 2, 1, 2, 1),
        dynamics=0.95,
        centre=64.0,
        strings=0.9,
    ),
    Section(
        "Dmaj9 Bm9 Gmaj9 A13sus F#m7 Bm9 Em9 C9sus",
        (
            ".5:F#5:.5 1:A5:1 2:F#5:1 3:E5:1",
            "0:D5:1.5 1.5:C#5:.5 2:F#5:2",
            ".5:B5:.5 1:A5:1 2:F#5:1 3:D5:1",
            "0:E5:2 2:D5:1 3:B4:1",
            "0:C#5:1 1:E5:1 2:A5:2",
            "0:F#5:1.5 1.5:E5:.5 2:D5:1 3:C#5:1",
            "0:B4:1 1:D5:1 2:G5:1.5 3.5:F5:.5",
            "0:G5:2 2:F5:1 3:D5:1",
        ),
        instruments.flute,
        instruments.keys,
        (0, 2, 1, 3, 1, 2, 3, 2),
        dynamics=1.0,
        centre=66.5,
        strings=1.0,
    ),
    Section(
        "Fmaj9 Dm9 Bbmaj9 C9sus Am7 Bbmaj9 Gm9 A9sus",
        (
            "0:C5:1.5 1.5:A5:.5 2:G5:2",
            "0:F5:1 1:E5:1 2:A4:2",
            "0:D5:1.5 1.5:F5:.5 2:A5:2",
            "0:G5:1 1:F5:1 2:D5:2",
            "0:E5:1.5 1.5:G5:.5 2:C5:2",
            "0:D5:1 1:C5:1 2:F5:2",
            "0:Bb5:1.5 1.5:A5:.5 2:F5:1 3:D5:1",
            "0:E5:2 2:D5:1 3:E5:1",
        ),
        instruments.celesta,
        instruments.felt,
        (0, 1, 3, 2, 1, 3, 2, 1),
        dynamics=1.05,
        centre=64.0,
        strings=0.9,
    ),
    Section(
        "Dmaj9 Gmaj9/D Bm9 Gmaj9 Em9 F#m7 Gmaj9 A9sus",
        (
            "0:F#5:3 3:E5:1",
            "0:D5:3 3:B4:1",
            "0:C#5:2 2:D5:2",
            "0:A5:3 3:B5:1",
            "0:F#5:1 1:G5:1 2:D5:2",
            "0:E5:1 1:A5:1 2:C#5:2",
            "0:D5:1.5 1.5:F#5:.5 2:B5:2",
            "0:A5:2 2:E5:2",
        ),
        instruments.flute,
        instruments.felt,
        (0, -1, 2, 3, -1, 1, 2, -1),
        dynamics=1.0,
        centre=61.5,
        strings=1.25,
    ),
    Section(
        "Gmaj9 F#m7 Em9 Dmaj9 Gmaj9 A13sus Bm9 Bm9/A",
        (
            "0:D5:1.5 1.5:F#5:1.5 3:A5:1",
            "0:E5:1.5 1.5:C#5:1.5 3:A4:1",
            "0:B4:1.5 1.5:D5:1.5 3:F#5:1",
            "0:E5:2 2:A4:2",
            "0:D5:1.5 1.5:G5:1.5 3:B5:1",
            "0:A5:1.5 1.5:E5:1.5 3:D5:1",
            "0:F#5:3",
            "0:C#5:2 2:D5:2",
        ),
        instruments.celesta,
        instruments.keys,
        (0, -1, 1, -1, 2, -1, 3, 1),
        dynamics=1.1,
        centre=69.0,
        strings=0.8,
    ),
    Section(
        "Gmaj9 A9sus F#m7 Bm9 Em9 Em9/A A13sus A9sus",
        (
            "0:D5:1 1:B5:1 2:A5:2",
            "0:G5:1 1:E5:1 2:D5:2",
            "0:C#5:1 1:A5:1 2:E5:2",
            "0:F#5:2 2:D5:1 3:C#5:1",
            "0:B4:1.5 1.5:D5:.5 2:F#5:2",
            "0:G5:2 2:F#5:1 3:E5:1",
            "0:D5:2 2:B4:2",
            "0:E5:3",
        ),
        instruments.vibraphone,
        instruments.felt,
        (0, 1, 2, 1, 3, 2, 1, 2),
        dynamics=0.95,
        centre=65.0,
        strings=1.05,
    ),
)


def _pitch_class(name: str) -> int:
    return (_STEPS[name[0]] + name.count("#") - name.count("b", 1)) % 12


def midi_of(name: str) -> int:
    """The MIDI note of a pitch: `A4` is 69, `Bb5` 82."""
    return _pitch_class(name[:-1]) + 12 * (int(name[-1]) + 1)


@dataclass(frozen=True, slots=True)
class Chord:
    root: int  # pitch classes, 0 is C
    bass: int
    tones: tuple[int, ...]


def parse_chord(symbol: str) -> Chord:
    """`Gmaj9/D`: root, quality and, after a slash, another bass."""
    name, _, under = symbol.partition("/")
    length = 2 if name[1:2] in {"#", "b"} else 1
    root = _pitch_class(name[:length])
    tones = tuple((root + above) % 12 for above in _QUALITIES[name[length:]])
    return Chord(root, _pitch_class(under) if under else root, tones)


# --- voice leading ---------------------------------------------------------------------------------

_VOICES_LOWEST: Final = 52  # E3: lower chords are mud
_VOICES_HIGHEST: Final = 76  # E5: higher ones cover the melody
_WIDTH_MAX: Final = 17


def _voicings(tones: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Every way to lay the tones between E3 and E5, without a minor second on top."""
    places = [[midi for midi in range(_VOICES_LOWEST, _VOICES_HIGHEST + 1) if midi % 12 == tone] for tone in tones]
    for notes in product(*places):
        voicing = tuple(sorted(notes))
        if voicing[-1] - voicing[0] <= _WIDTH_MAX and voicing[-1] - voicing[-2] > 1:
            yield voicing


def voice_leading(chords: list[Chord], centres: list[float]) -> list[tuple[int, ...]]:
    """A cheap round through the voicings, by Viterbi: each voice moves as little as it can, at the seam too.

    Straying from `centres`, one per chord, costs too, so that the sections differ in register; and so do
    minor seconds, which are harsh in sustained strings.
    """

    def strain(voicing: tuple[int, ...], centre: float) -> float:
        clashes = sum(b - a == 1 for a, b in pairwise(voicing))
        return 1.5 * abs(sum(voicing) / len(voicing) - centre) + 4 * clashes

    def movement(before: tuple[int, ...], after: tuple[int, ...]) -> float:
        return sum(abs(a - b) for a, b in zip(before, after, strict=True))

    layers = [
        [(voicing, strain(voicing, centre)) for voicing in _voicings(chord.tones)]
        for chord, centre in zip(chords, centres, strict=True)
    ]
    best = [(cost, [voicing]) for voicing, cost in layers[0]]
    for layer in layers[1:]:
        best = [
            min((total + movement(path[-1], after) + cost, [*path, after]) for total, path in best)
            for after, cost in layer
        ]
    return min((total + movement(path[-1], path[0]), path) for total, path in best)[1]
