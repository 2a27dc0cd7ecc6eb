"""Voices for microphones, and whether they are in what was heard."""

import subprocess
from pathlib import Path

import numpy as np
from scipy.signal import fftconvolve

from hearing import speech
from machine import require
from rostra.audio.frame import Samples
from rostra.core.units import SAMPLE_RATE_HZ


def part(folder: Path, begins_s: int, *, seconds: int = 8) -> tuple[Path, Samples]:
    """Some seconds of the recording as a plain RIFF file that Chromium takes for a microphone; and its samples."""
    path = folder / f"{begins_s}.wav"
    samples = speech()[begins_s * SAMPLE_RATE_HZ : (begins_s + seconds) * SAMPLE_RATE_HZ]
    raw = (samples * 32767).astype("<i2").tobytes()
    command = [require("ffmpeg"), "-v", "error", "-f", "s16le", "-ar", "48000", "-ac", "1", "-i", "-", "-bitexact"]
    subprocess.run([*command, path], input=raw, check=True)
    return path, samples


def sliding_energies(sound: Samples, length: int) -> Samples:
    """The energy of each window of `length` samples; never quite nothing."""
    sums = np.concatenate(((0.0,), np.cumsum(sound.astype(np.float64) ** 2)))
    return np.maximum(sums[length:] - sums[:-length], 1e-9)


def strength(heard: Samples, said: Samples) -> float:
    """How much of `said` is in `heard`, wherever it is: the greatest normalised cross-correlation of 4 s of it."""
    piece = said[2 * SAMPLE_RATE_HZ : 6 * SAMPLE_RATE_HZ][::6]
    sound = heard[::6]
    products = fftconvolve(sound, piece[::-1], mode="valid")
    return float(np.max(np.abs(products) / np.sqrt(sliding_energies(sound, len(piece)) * np.sum(piece**2))))
