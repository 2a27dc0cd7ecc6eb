import numpy as np
import pyloudnorm
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import signal

from rostra.audio.frame import Samples
from rostra.audio.loudness import GatedLoudness, KWeighting, LoudnessMeter, integrated_lufs
from rostra.audio.true_peak import OVERSHOOT_MAX, PeakEnvelope, to_db, true_peak
from rostra.core.units import FRAME_SAMPLES, SAMPLE_RATE_HZ

# BS.1770-5 tables 1 and 2, a second time and by scipy: the filter under test must agree with them.
SHELF = ((1.53512485958697, -2.69169618940638, 1.19839281085285), (1.0, -1.69065929318241, 0.73248077421585))
HIGH_PASS = ((1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621))

# EBU Tech 3341's cases are sines in both channels of a stereo pair. One channel alone reads 3.01 LU less, so
# the mono cases are driven 3.01 dB higher, and the expected values stay those of the document.
MONO_DB = 3.01


def sine(level_dbfs: float, seconds: float, *, hz: float = 1_000.0) -> Samples:
    t = np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    return (10 ** (level_dbfs / 20) * np.sin(2 * np.pi * hz * t)).astype(np.float32)


def stereo_case(*parts: tuple[float, float]) -> Samples:
    return np.concatenate([sine(level + MONO_DB, seconds) for level, seconds in parts])


def heard(samples: Samples) -> LoudnessMeter:
    meter = LoudnessMeter()
    for frame in samples[: len(samples) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES):
        meter.add(frame)
    return meter


def test_the_filter_equals_the_recursion_of_the_standard_sample_by_sample() -> None:
    noise = np.random.default_rng(1).standard_normal(FRAME_SAMPLES * 100).astype(np.float32)
    k_filter = KWeighting()
    ours = np.concatenate([k_filter.advance(frame).reshape(-1) for frame in noise.reshape(-1, FRAME_SAMPLES)])
    theirs = signal.lfilter(*HIGH_PASS, signal.lfilter(*SHELF, noise.astype(np.float64)))
    assert np.abs(ours - theirs).max() < 1e-9


def test_a_mono_sine_of_minus_20_dbfs_is_minus_23_lufs() -> None:
    assert integrated_lufs(sine(-20, 10)) == pytest.approx(-23.0, abs=0.02)


@pytest.mark.parametrize(
    ("parts", "expected_lufs"),
    [
        (((-23, 20),), -23.0),  # EBU Tech 3341 case 1
        (((-33, 20),), -33.0),  # case 2
        (((-36, 10), (-23, 60), (-36, 10)), -23.0),  # case 3: the relative gate
        (((-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)), -23.0),  # case 4: the absolute gate
        (((-26, 20), (-20, 20.1), (-26, 20)), -23.0),  # case 5
    ],
)
def test_the_integrated_cases_of_ebu_tech_3341_are_met(
    parts: tuple[tuple[float, float], ...], expected_lufs: float
) -> None:
    assert integrated_lufs(stereo_case(*parts)) == pytest.approx(expected_lufs, abs=0.1)


def test_short_term_and_momentary_loudness_meet_cases_9_and_12_of_ebu_tech_3341() -> None:
    short_term = heard(stereo_case(*(((-20, 1.34), (-30, 1.66)) * 5)))
    assert short_term.short_term_lufs == pytest.approx(-23.0, abs=0.1)
    momentary = heard(stereo_case(*(((-20, 0.18), (-30, 0.22)) * 25)))
    assert momentary.momentary_lufs == pytest.approx(-23.0, abs=0.1)


def test_integrated_loudness_agrees_with_pyloudnorm_on_sound_of_changing_level() -> None:
    chance = np.random.default_rng(2)
    noise = chance.standard_normal(SAMPLE_RATE_HZ * 20).astype(np.float32)
    level = np.repeat(10 ** (chance.uniform(-60, -12, 40) / 20), SAMPLE_RATE_HZ // 2).astype(np.float32)
    theirs = pyloudnorm.Meter(SAMPLE_RATE_HZ).integrated_loudness((noise * level).astype(np.float64))
    assert integrated_lufs(noise * level) == pytest.approx(theirs, abs=0.1)


def test_the_stream_and_the_one_shot_say_the_same() -> None:
    sound = stereo_case((-30, 3), (-20, 4), (-50, 2))
    assert heard(sound).integrated_lufs == integrated_lufs(sound)


def test_nothing_is_said_before_enough_is_heard() -> None:
    meter = heard(sine(-20, 0.38))
    assert meter.momentary_lufs == meter.integrated_lufs == -np.inf
    meter = heard(sine(-20, 2.98))
    assert meter.short_term_lufs == -np.inf
    assert meter.momentary_lufs == pytest.approx(-23.0, abs=0.1)


def test_silence_is_minus_infinity_and_broken_samples_are_silence() -> None:
    assert integrated_lufs(np.zeros(SAMPLE_RATE_HZ, np.float32)) == -np.inf
    meter = LoudnessMeter()
    broken = np.full(FRAME_SAMPLES, np.nan, np.float32)
    broken[::2] = np.inf
    for _ in range(200):
        meter.add(broken)
    assert (meter.integrated_lufs, meter.short_term_lufs, meter.true_peak_dbtp) == (-np.inf, -np.inf, -np.inf)


@given(st.lists(st.floats(-90, 30), min_size=1, max_size=200))
@example([30.0])
@settings(deadline=None, max_examples=50)
def test_the_classes_of_the_gate_cost_no_more_than_their_width(levels_lufs: list[float]) -> None:
    energies = 10 ** ((np.array(levels_lufs) + 0.691) / 10)
    gated = GatedLoudness()
    for energy in energies:
        gated.add(float(energy))
    loud = energies[np.array(levels_lufs) > -70]
    if len(loud) == 0:
        assert gated.integrated_lufs == -np.inf
        return
    relative = -0.691 + 10 * np.log10(loud.mean()) - 10
    bounds = [
        -0.691 + 10 * np.log10(loud[loud > min(10 ** ((gate + 0.691) / 10), loud.max() * 0.999)].mean())
        for gate in (relative - 0.11, relative + 0.11)
    ]
    assert min(bounds) - 0.01 <= gated.integrated_lufs <= max(bounds) + 0.01


@pytest.mark.parametrize("hz", [997.0, 6_000.0, 12_000.0, 16_000.0])
def test_the_true_peak_of_a_sine_is_its_amplitude_wherever_its_samples_lie(hz: float) -> None:
    t = np.arange(SAMPLE_RATE_HZ // 10) / SAMPLE_RATE_HZ
    for phase in np.linspace(0, np.pi, 7):
        tone = (0.5 * np.sin(2 * np.pi * hz * t + phase) * np.hanning(len(t))).astype(np.float32)
        # EBU Tech 3341 §2.4 allows +0.2 / -0.4 dB
        assert -6.02 - 0.4 <= to_db(true_peak(tone)) <= -6.02 + 0.2


def test_the_true_peak_of_noise_agrees_with_scipys_fourfold_resampling() -> None:
    noise = (0.1 * np.random.default_rng(3).standard_normal(SAMPLE_RATE_HZ)).astype(np.float32)
    theirs = np.abs(signal.resample_poly(noise.astype(np.float64), 4, 1)).max()
    assert to_db(true_peak(noise)) == pytest.approx(20 * np.log10(theirs), abs=0.1)


def test_the_meter_finds_the_true_peak_although_it_skips_what_cannot_be_higher() -> None:
    chance = np.random.default_rng(4)
    noise = chance.standard_normal(SAMPLE_RATE_HZ) * np.repeat(chance.uniform(0.01, 0.2, 100), 480)
    sound = np.concatenate((noise, np.zeros(FRAME_SAMPLES))).astype(np.float32)
    assert heard(sound).true_peak_dbtp == pytest.approx(to_db(true_peak(sound)), abs=1e-4)


@given(st.integers(0, 2**32 - 1), st.floats(0.01, 2))
@settings(deadline=None, max_examples=50)
def test_no_envelope_exceeds_the_bound_that_lets_it_be_skipped(seed: int, level: float) -> None:
    samples = np.random.default_rng(seed).choice([-level, level], FRAME_SAMPLES).astype(np.float32)
    envelope = PeakEnvelope()
    expected = envelope.may_exceed(samples, level)
    highest = float(envelope.advance(samples).max())
    assert highest <= level * OVERSHOOT_MAX * (1 + 1e-6)
    assert expected or highest <= level
