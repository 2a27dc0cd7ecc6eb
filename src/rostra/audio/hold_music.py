"""The hold music: 153.6 s of original, calm music, composed by code and seamless when it is repeated.

Form: A A' B A'' C A''', eight bars each, at 75 beats a minute. A is in D (or where the seed transposes it),
B a minor third higher, C rests on the subdominant; the last bars are the dominant of the first one. Chords
are voiced by the least movement of every voice. The time line is a circle: what rings on at the end rings
into the beginning, and the room's echo and the tone control are circular convolutions.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Final

import numpy as np
from numpy.typing import NDArray

import rostra
from rostra.audio import instruments
from rostra.audio.dynamics import LIMITER_LATENCY_SAMPLES, Limiter
from rostra.audio.frame import Samples
from rostra.audio.hold_score import SECTION_BARS, SECTIONS, Chord, Section, midi_of, parse_chord, voice_leading
from rostra.audio.instruments import Instrument
from rostra.audio.loudness import TARGET_LUFS, integrated_lufs
from rostra.core.units import FRAME_SAMPLES, SAMPLE_RATE_HZ

BEAT_S: Final = 0.8
BAR_BEATS: Final = 4
BAR_SAMPLES: Final = 153_600
BARS: Final = 48
LENGTH_SAMPLES: Final = BARS * BAR_SAMPLES  # 7,372,800 = 2^15 * 3^2 * 5^2: a good length for the FFT

PEAK_MAX_DBTP: Final = -3.0  # the programme's own limiter has nothing left to do
HIGH_PASS_HZ: Final = 120.0  # below that a phone's speaker only distorts

# --- the performance -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Event:
    instrument: Instrument
    midi: int
    at_beats: float
    length_beats: float
    level: float


def _perform(*, transposed: int, chance: np.random.Generator) -> Iterator[_Event]:
    """Every note of the piece, with a player's small liberties of time and touch."""
    chords = [parse_chord(symbol) for section in SECTIONS for symbol in section.chords.split()]
    voicings = voice_leading(chords, [section.centre for section in SECTIONS for _ in range(SECTION_BARS)])
    for bar, (chord, voicing) in enumerate(zip(chords, voicings, strict=True)):
        section = SECTIONS[bar // SECTION_BARS]
        # One arch per four bars: a breath, not a crescendo.
        touch = section.dynamics * (0.92 + 0.12 * float(np.sin(np.pi * (bar % 4 + 0.5) / 4)))
        start = float(bar * BAR_BEATS)
        following = voicings[(bar + 1) % BARS]
        for event in (
            *_chordal(voicing, following, start, touch * section.strings),
            *_bass(chord, chords[(bar + 1) % BARS], start, touch, chance),
            *_figure(section, voicing, start, touch, chance),
            *_melody(section, bar % SECTION_BARS, start, touch, chance),
            *_glimmer(voicing, start, chance),
        ):
            yield _Event(event.instrument, event.midi + transposed, event.at_beats, event.length_beats, event.level)


def _chordal(voicing: tuple[int, ...], following: tuple[int, ...], start: float, touch: float) -> Iterator[_Event]:
    """Strings overlap by a beat; a voice that stays is tied a little longer than one that moves."""
    for midi in voicing:
        length = 5.6 if midi in following else 5.0
        yield _Event(instruments.strings, midi, start - 0.6, length, 0.105 * touch)


def _bass(
    chord: Chord, following: Chord, start: float, touch: float, chance: np.random.Generator
) -> Iterator[_Event]:
    low = 43 + (chord.bass - 43) % 12  # G2 to F#3
    yield _Event(instruments.bass, low, start, 3.2, 0.30 * touch)
    if chance.random() < 0.7:
        fifth = 43 + (chord.root + 7 - 43) % 12
        yield _Event(instruments.bass, fifth, start + 2.5, 1.2, 0.15 * touch)
    if chance.random() < 0.35:
        target = 43 + (following.bass - 43) % 12
        yield _Event(instruments.bass, target, start + 3.5, 0.7, 0.12 * touch)


def _figure(
    section: Section, voicing: tuple[int, ...], start: float, touch: float, chance: np.random.Generator
) -> Iterator[_Event]:
    """Broken chords in eighths; the off-beats come a trifle late and softer."""
    for eighth, voice in enumerate(section.figure_pattern):
        spoken = chance.random() < (0.96 if eighth == 0 else 0.84)
        liberty, weight = chance.normal(0, 0.007), 0.8 + 0.4 * chance.random()
        if voice < 0 or not spoken:
            continue
        at = start + eighth / 2 + (0.03 if eighth % 2 else 0) + liberty
        accent = 1.15 if eighth == 0 else 0.85 if eighth % 2 else 1.0
        yield _Event(section.figure, voicing[voice], at, 3.0, 0.15 * touch * accent * weight)


def _melody(
    section: Section, bar: int, start: float, touch: float, chance: np.random.Generator
) -> Iterator[_Event]:
    for word in section.melody[bar].split():
        beat, pitch, length = word.split(":")
        rings = section.lead is not instruments.flute
        sounding = float(length) + (1.8 if rings else 0.15)
        at = start + float(beat) + chance.normal(0, 0.01)
        yield _Event(section.lead, midi_of(pitch), at, sounding, 0.17 * touch * (0.92 + 0.16 * chance.random()))


def _glimmer(voicing: tuple[int, ...], start: float, chance: np.random.Generator) -> Iterator[_Event]:
    """Now and then two or three soft bells an octave above the chord, falling."""
    falls, first = chance.random() < 0.4, chance.integers(2, 6) / 2
    count = int(chance.integers(2, 4))
    if falls:
        for step, midi in enumerate(sorted(voicing, reverse=True)[:count]):
            yield _Event(instruments.celesta, midi + 12, start + first + 0.5 * step, 2.5, 0.055)


def _lay(events: Iterator[_Event]) -> Samples:
    """The dry sound, shape (LENGTH_SAMPLES,), on a circular time line."""
    note = cache(lambda instrument, midi, length_s: instrument(midi, length_s))
    line = np.zeros(LENGTH_SAMPLES, np.float32)
    for event in events:
        samples = note(event.instrument, event.midi, round(event.length_beats * BEAT_S, 2))
        samples = samples * np.float32(event.level)
        first = round(event.at_beats * BEAT_S * SAMPLE_RATE_HZ) % LENGTH_SAMPLES
        room = min(len(samples), LENGTH_SAMPLES - first)
        line[first : first + room] += samples[:room]
        line[: len(samples) - room] += samples[room:]
    return line


# --- room and level --------------------------------------------------------------------------------

_SEED: Final = 1  # every stage plays the same music, so that a takeover goes on in mid-bar
_ECHO_S: Final = 2.6
_ECHO_SHARE: Final = 0.30  # of the dry sound's RMS


def _echo(chance: np.random.Generator) -> NDArray[np.float32]:
    """A room's impulse response: noise whose high part dies first, 15 ms after the direct sound."""
    t = np.arange(round(_ECHO_S * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    noise = np.fft.rfft(chance.standard_normal(len(t)))
    hz = np.fft.rfftfreq(len(t), 1 / SAMPLE_RATE_HZ)
    response = np.zeros(len(t))
    for low_hz, high_hz, decay_s in ((150, 700, 0.42), (700, 2_200, 0.38), (2_200, 6_000, 0.22)):
        band = 1 / np.sqrt((1 + (low_hz / np.maximum(hz, 1)) ** 4) * (1 + (hz / high_hz) ** 4))
        response += np.fft.irfft(noise * band, len(t)) * np.exp(-t / decay_s)
    onset = np.clip((t - 0.015) / 0.03, 0, 1)
    ending = np.clip((_ECHO_S - t) / 0.3, 0, 1)
    return (response * onset * ending).astype(np.float32)


def _tone(hz: NDArray[np.float64]) -> NDArray[np.float32]:
    """The tone control: high-pass at 120 Hz (24 dB an octave), a little presence, no edge above 9 kHz."""
    high_pass = 1 / np.sqrt(1 + (HIGH_PASS_HZ / np.maximum(hz, 1e-3)) ** 8)
    presence = 1 + 0.9 / (1 + (np.log2(np.maximum(hz, 1) / 2_200) / 1.2) ** 2)
    edge = 1 / np.sqrt(1 + (hz / 9_000) ** 4)
    return (high_pass * presence * edge).astype(np.float32)


def _room(dry: Samples, *, chance: np.random.Generator) -> Samples:
    """Echo and tone, both circular: no seam."""
    spectrum = np.fft.rfft(dry)
    echo = np.fft.rfft(_echo(chance), len(dry))
    energy = np.abs(spectrum) ** 2
    wet = np.sqrt(float(energy.sum()) / float((energy * np.abs(echo) ** 2).sum()))
    echo *= np.float32(_ECHO_SHARE * wet)
    echo += 1
    spectrum *= echo
    hz = np.arange(len(spectrum), dtype=np.float64) * (SAMPLE_RATE_HZ / len(dry))
    spectrum *= _tone(hz)
    sound: Samples = np.fft.irfft(spectrum, len(dry)).astype(np.float32)
    return sound


def _limited(loop: Samples) -> Samples:
    """`loop` below PEAK_MAX_DBTP. The limiter hears the loop's end first, so that its state fits the seam."""
    limiter = Limiter(ceiling_dbtp=PEAK_MAX_DBTP)
    before = SAMPLE_RATE_HZ + LIMITER_LATENCY_SAMPLES  # 50 frames and a quarter
    around = np.concatenate((loop[-SAMPLE_RATE_HZ:], loop, loop[:FRAME_SAMPLES]))
    limited = np.concatenate([limiter.process(frame) for frame in around.reshape(-1, FRAME_SAMPLES)])
    return limited[before : before + len(loop)]


def cached(folder: Path) -> Samples:
    """The music of this version: composed once (several seconds), then read from `folder`."""
    path = folder / f"hold-music-{rostra.__version__}-{_SEED}.npy"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=folder, suffix=".npy", delete=False) as unfinished:
            np.save(unfinished, compose(seed=_SEED))
        Path(unfinished.name).replace(path)  # two processes may compose at once: the file is always whole
    music: Samples = np.load(path)
    return music


def compose(*, seed: int) -> Samples:
    """One turn of the hold music, shape (LENGTH_SAMPLES,): -16 LUFS, at most -3 dBTP, mono 48 kHz.

    Equal seeds give equal music. The seed chooses the key and the players' liberties, not the piece.
    """
    chance = np.random.default_rng(seed)
    transposed = int(chance.integers(-2, 3))
    sound = _room(_lay(_perform(transposed=transposed, chance=chance)), chance=chance)
    return _limited(sound * np.float32(10 ** ((TARGET_LUFS - integrated_lufs(sound)) / 20)))
