"""A voice keeps what is said and loses what hums."""

import numpy as np

from hearing import speech
from machine import lacks
from rostra.audio.frame import Frame, Samples
from rostra.audio.voice import DENOISES, Sound, Voice
from rostra.core.units import FRAME_SAMPLES, SAMPLE_RATE_HZ


def through(voice: Voice, sound: Samples) -> Samples:
    frames = sound[: len(sound) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    return np.concatenate([voice.process(frame) for frame in frames])


def rms(sound: Samples) -> float:
    return float(np.sqrt(np.mean(sound**2)))


def test_hiss_and_rumble_between_the_words_go() -> None:
    if not DENOISES:
        lacks("noise suppression", "pip install pywebrtc-audio")
    time_s = np.arange(6 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    hiss = 0.01 * np.random.default_rng(1).standard_normal(len(time_s))
    rumble = 0.05 * np.sin(2 * np.pi * 20 * time_s)
    out = through(Voice(), (hiss + rumble).astype(np.float32))
    assert rms(out[-SAMPLE_RATE_HZ:]) < 0.35 * rms((hiss + rumble)[-SAMPLE_RATE_HZ:])


def test_what_is_said_stays_and_softly_spoken_is_brought_up() -> None:
    said = speech()[: 24 * SAMPLE_RATE_HZ]
    voice = Voice()
    out = through(voice, 0.5 * said)
    late = slice(14 * SAMPLE_RATE_HZ, None)
    assert rms(out[late]) > 2 * rms(0.5 * said[late])
    assert voice.treatment.gain_db > 6
    assert voice.treatment.frames == len(said) // FRAME_SAMPLES


def test_the_original_sound_is_left_as_it_is_and_clipping_is_counted() -> None:
    voice = Voice(Sound.ORIGINAL)
    loud: Frame = np.ones(FRAME_SAMPLES, np.float32)
    assert np.array_equal(voice.process(loud), loud)
    assert (voice.treatment.clipped, voice.treatment.denoised) == (1, 0)
    broken = loud.copy()
    broken[5] = np.nan
    assert np.isfinite(voice.process(broken)).all()


def test_what_comes_clean_is_levelled_and_not_denoised_again() -> None:
    said = speech()[: 24 * SAMPLE_RATE_HZ]
    voice = Voice(Sound.CLEAN)
    through(voice, 0.5 * said)
    assert voice.treatment.gain_db > 6
    assert voice.treatment.denoised == 0


def test_a_microphone_that_is_switched_off_costs_nothing_and_loses_nothing_of_the_last_word() -> None:
    word, silence = speech()[10 * SAMPLE_RATE_HZ :][: 50 * FRAME_SAMPLES], np.zeros(20 * FRAME_SAMPLES, np.float32)
    voice = Voice()
    out = through(voice, np.concatenate((word, silence, word)))
    assert voice.treatment.frames == 120
    if DENOISES:
        assert voice.treatment.denoised == 101
        assert out[50 * FRAME_SAMPLES : 51 * FRAME_SAMPLES].any()
    assert not out[51 * FRAME_SAMPLES : 70 * FRAME_SAMPLES].any()
    assert out[70 * FRAME_SAMPLES :].any()
