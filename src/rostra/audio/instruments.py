"""The instruments of the hold music: one note each, as samples at 48 kHz, peak about 1.

Every note begins and ends at zero with a rounded edge, so notes can be laid anywhere without a click.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rostra.audio.frame import Samples
from rostra.core.units import SAMPLE_RATE_HZ

Instrument = Callable[[int, float], Samples]  # MIDI note and seconds to samples
_Wave = NDArray[np.float64]

_A4_MIDI: Final = 69
_A4_HZ: Final = 440.0
_LAST_S: Final = 0.08


def frequency_hz(midi: int) -> float:
    """Equal temperament, A4 = 440 Hz."""
    return _A4_HZ * float(2 ** ((midi - _A4_MIDI) / 12))


def _seconds(length_s: float) -> _Wave:
    samples: _Wave = np.arange(round(length_s * SAMPLE_RATE_HZ), dtype=np.float64)
    return samples / SAMPLE_RATE_HZ


def _sine(hz: float, t: _Wave, *, phase: float = 0.0) -> _Wave:
    """sin(2 pi hz t + phase) by the sum formula over two short tables: 8 times as fast as np.sin."""
    step = 512
    coarse = 2 * np.pi * hz * np.arange(-(-len(t) // step)) * step / SAMPLE_RATE_HZ + phase
    fine = 2 * np.pi * hz * np.arange(step) / SAMPLE_RATE_HZ
    table = np.outer(np.sin(coarse), np.cos(fine)) + np.outer(np.cos(coarse), np.sin(fine))
    sine: _Wave = table.reshape(-1)[: len(t)]
    return sine


def _edges(t: _Wave, *, attack_s: float, release_s: float = _LAST_S) -> _Wave:
    """Raised-cosine rise and fall within the note."""
    length_s = len(t) / SAMPLE_RATE_HZ
    edges = np.ones(len(t))
    rise, fall = int(attack_s * SAMPLE_RATE_HZ), int(release_s * SAMPLE_RATE_HZ)
    edges[:rise] *= 0.5 - 0.5 * np.cos(np.pi / attack_s * t[:rise])
    edges[-fall:] *= 0.5 - 0.5 * np.cos(np.pi / release_s * (length_s - t[-fall:]))
    return edges


def _note(wave: _Wave) -> Samples:
    return wave.astype(np.float32)


def keys(midi: int, length_s: float) -> Samples:
    """A soft electric piano: two-operator FM whose index dies away, with a faint tine."""
    t, hz = _seconds(length_s), frequency_hz(midi)
    modulation = _sine(hz, t) * (1.35 * np.exp(-t / 0.35) + 0.25)
    body = np.sin(2 * np.pi * hz * t + modulation)
    tine = _sine(7 * hz, t) * (0.06 * np.exp(-t / 0.12))
    return _note((body + tine) * np.exp(-t / 1.1) * _edges(t, attack_s=0.008))


def felt(midi: int, length_s: float) -> Samples:
    """A felt piano: stretched partials, the higher the sooner gone."""
    t, hz = _seconds(length_s), frequency_hz(midi)
    partials = (1.0, 0.52, 0.30, 0.17, 0.10, 0.06)
    wave = np.zeros(len(t))
    for number, level in enumerate(partials, start=1):
        stretched = number * hz * float(np.sqrt(1 + 0.0004 * number**2))
        wave += level * _sine(stretched, t, phase=0.4 * number) * np.exp(-t * (0.8 + 0.5 * number))
    return _note(0.8 * wave * _edges(t, attack_s=0.012))


def strings(midi: int, length_s: float) -> Samples:
    """A warm pad, slow to come and slow to go: a voice, and two softer ones a few cents beside it.

    Three equal voices would cancel each other now and then.
    """
    t, hz = _seconds(length_s), frequency_hz(midi)
    wave = np.zeros(len(t))
    for cents, phase, share in ((-3.5, 0.0, 0.35), (0.0, 0.8, 1.0), (3.1, 1.9, 0.35)):
        voice_hz = hz * 2 ** (cents / 1200)
        for number, level in ((1, 1.0), (2, 0.45), (3, 0.24), (4, 0.12)):
            wave += share * level * _sine(number * voice_hz, t, phase=phase * number)
    slow_s = min(1.1, length_s / 3)
    return _note(wave / 1.9 * _edges(t, attack_s=slow_s, release_s=slow_s))


def bass(midi: int, length_s: float) -> Samples:
    """A round plucked bass whose second and third partial tell the note to a phone's speaker."""
    t, hz = _seconds(length_s), frequency_hz(midi)
    wave = _sine(hz, t) + 0.5 * _sine(2 * hz, t) * np.exp(-t / 0.9) + 0.22 * _sine(3 * hz, t) * np.exp(-t / 0.5)
    return _note(0.65 * wave * np.exp(-t / 1.5) * _edges(t, attack_s=0.015, release_s=0.15))


def vibraphone(midi: int, length_s: float) -> Samples:
    """A struck bar with its partial two octaves up and the slow turn of the fans."""
    t, hz = _seconds(length_s), frequency_hz(midi)
    ring = _sine(hz, t) * np.exp(-t / 1.5) + 0.22 * _sine(4 * hz, t) * np.exp(-t / 0.35)
    fans = 1 - 0.12 * (1 + _sine(4.3, t, phase=-np.pi / 2)) / 2
    return _note(ring * fans * _edges(t, attack_s=0.006, release_s=0.2))


def flute(midi: int, length_s: float) -> Samples:
    """A low flute: nearly a sine, with a vibrato that comes late."""
    t, hz = _seconds(length_s), frequency_hz(midi)
    depth = 0.0025 * np.clip((t - 0.35) / 0.6, 0, 1)
    phase = 2 * np.pi * hz * np.cumsum(1 + depth * np.sin(2 * np.pi * 4.8 * t)) / SAMPLE_RATE_HZ
    wave = np.sin(phase) + 0.32 * np.sin(2 * phase) + 0.14 * np.sin(3 * phase) + 0.05 * np.sin(4 * phase)
    swell = 0.8 + 0.2 * np.clip(t / 0.7, 0, 1)
    return _note(0.8 * wave * swell * _edges(t, attack_s=0.09, release_s=min(0.35, length_s / 2)))


def celesta(midi: int, length_s: float) -> Samples:
    """A small bell: a sine, and a glint that is gone in a tenth of a second."""
    t, hz = _seconds(length_s), frequency_hz(midi)
    ring = _sine(hz, t) * np.exp(-t / 0.7) + 0.30 * _sine(2.76 * hz, t) * np.exp(-t / 0.14)
    return _note(ring * _edges(t, attack_s=0.005, release_s=0.2))
