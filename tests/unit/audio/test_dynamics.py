import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from rostra.audio.dynamics import (
    LEVELLER_GAIN_MAX_DB,
    LEVELLER_GAIN_MIN_DB,
    LIMITER_LATENCY_SAMPLES,
    Leveller,
    Limiter,
)
from rostra.audio.frame import Samples
from rostra.audio.loudness import integrated_lufs
from rostra.audio.recordings import two_cities
from rostra.core.units import FRAME_SAMPLES, SAMPLE_RATE_HZ

CEILING = 10 ** (-1 / 20)
SECOND = SAMPLE_RATE_HZ // FRAME_SAMPLES


def limited(samples: Samples, limiter: Limiter | None = None) -> Samples:
    limiter = limiter or Limiter()
    return np.concatenate([limiter.process(frame) for frame in samples.reshape(-1, FRAME_SAMPLES)])


def true_peak(samples: Samples) -> float:
    """By scipy's resampler, eightfold: a judge that shares nothing with the limiter."""
    return float(np.abs(signal.resample_poly(samples.astype(np.float64), 8, 1)).max())


def noise(seconds: float, *, seed: int = 1) -> Samples:
    return np.random.default_rng(seed).standard_normal(round(seconds * SAMPLE_RATE_HZ)).astype(np.float32)


def hostile(name: str) -> Samples:
    chance, n = np.random.default_rng(5), 2 * SAMPLE_RATE_HZ
    t = np.arange(n)
    signals = {
        "noise 40 dB too loud": chance.standard_normal(n) * 100,
        "noise that comes and goes": chance.standard_normal(n) * np.where((t // 7_000) % 2, 50, 0.3),
        "a square wave": np.sign(np.sin(t * 0.31)),
        "a quarter of the sampling rate between its samples": 2.0 * np.where(t % 4 < 2, 1, -1),
        "clicks": (chance.random(n) < 0.001) * chance.standard_normal(n) * 30,
        "random signs": np.where(chance.random(n) < 0.5, 1.0, -1.0),
        "a step": (t > 5_000) * 10.0,
        "a sweep to the edge of the band": 3 * signal.chirp(t / SAMPLE_RATE_HZ, 20, 2, 23_900),
        "noise in a fast tremolo": chance.standard_normal(n) * np.sin(t / 50) ** 4 * 10,
        "numbers that are no sound": chance.standard_normal(n) * 1e30,
    }
    # Silence follows, so that the judge sees the end of the sound and not the end of the array.
    return np.concatenate((signals[name], np.zeros(FRAME_SAMPLES))).astype(np.float32)


@pytest.mark.parametrize(
    "name",
    [
        "noise 40 dB too loud",
        "noise that comes and goes",
        "a square wave",
        "a quarter of the sampling rate between its samples",
        "clicks",
        "random signs",
        "a step",
        "a sweep to the edge of the band",
        "noise in a fast tremolo",
        "numbers that are no sound",
    ],
)
def test_the_true_peak_stays_below_minus_1_dbtp_whatever_comes_in(name: str) -> None:
    sound = hostile(name)
    assert true_peak(sound) > CEILING
    assert true_peak(limited(sound)) <= CEILING


@given(
    st.lists(
        st.tuples(st.sampled_from(["noise", "tone", "clicks", "silence", "nan"]), st.floats(-40, 60)),
        min_size=1,
        max_size=12,
    ),
    st.integers(0, 2**32 - 1),
)
@settings(deadline=None, max_examples=40)
def test_no_succession_of_frames_makes_the_limiter_late(parts: list[tuple[str, float]], seed: int) -> None:
    chance = np.random.default_rng(seed)
    frames = []
    for kind, level_db in parts:
        shape = {
            "noise": chance.standard_normal(FRAME_SAMPLES),
            "tone": np.sin(np.arange(FRAME_SAMPLES) * chance.uniform(0, np.pi)),
            "clicks": (chance.random(FRAME_SAMPLES) < 0.01) * 1.0,
            "silence": np.zeros(FRAME_SAMPLES),
            "nan": np.full(FRAME_SAMPLES, np.nan),
        }[kind]
        frames.append(shape * 10 ** (level_db / 20))
    out = limited(np.concatenate([*frames, np.zeros(FRAME_SAMPLES)]).astype(np.float32))
    assert np.isfinite(out).all()
    assert true_peak(out) <= CEILING


def test_sound_below_the_ceiling_passes_unchanged_5_ms_later() -> None:
    sound = noise(1) * np.float32(0.05)
    out = limited(sound)
    assert np.array_equal(out[LIMITER_LATENCY_SAMPLES:], sound[:-LIMITER_LATENCY_SAMPLES])
    assert LIMITER_LATENCY_SAMPLES / SAMPLE_RATE_HZ <= 0.005


def test_the_limiter_lets_go_again_after_a_bang() -> None:
    sound = noise(4) * np.float32(0.1)
    sound[SAMPLE_RATE_HZ : SAMPLE_RATE_HZ + 10] = 50
    limiter = Limiter()
    out = limited(sound, limiter)
    assert limiter.reduction_db == 0
    assert np.array_equal(out[-SAMPLE_RATE_HZ // 2 :], sound[-SAMPLE_RATE_HZ // 2 - 240 : -240])


def test_the_gain_has_no_corner() -> None:
    step = np.full(SAMPLE_RATE_HZ, 0.5, np.float32)
    step[SAMPLE_RATE_HZ // 2 :] = 4.0
    gain = limited(step)[LIMITER_LATENCY_SAMPLES:] / step[:-LIMITER_LATENCY_SAMPLES]
    assert gain.min() < 0.25
    assert gain[0] == 1
    # From 1 to 0.22 within 216 samples is 0.0036 a sample at least; a corner would be as large a change of slope.
    assert np.abs(np.diff(gain)).max() < 0.012
    assert np.abs(np.diff(gain, 2)).max() < 0.0005


def test_broken_samples_are_silence_and_do_not_stay() -> None:
    limiter = Limiter()
    for value in (np.nan, np.inf, -np.inf):
        assert not limiter.process(np.full(FRAME_SAMPLES, value, np.float32)).any()
    sound = noise(1) * np.float32(0.05)
    assert np.array_equal(limited(sound, limiter)[240:], sound[:-240])


# --- leveller --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def speech() -> Samples:
    """The bundled recording at -26 LUFS."""
    with av.open(str(two_cities())) as container:
        planes = [frame.to_ndarray().reshape(-1) for frame in container.decode(audio=0)]
    samples = np.concatenate(planes)
    if samples.dtype != np.float32:
        samples = (samples / np.iinfo(samples.dtype).max).astype(np.float32)
    samples = samples[: len(samples) // FRAME_SAMPLES * FRAME_SAMPLES]
    return samples * np.float32(10 ** ((-26 - integrated_lufs(samples)) / 20))


def levelled(samples: Samples) -> tuple[Samples, np.ndarray]:
    """The sound and the gain in dB after every frame."""
    leveller, frames, gains_db = Leveller(), [], []
    for frame in samples.reshape(-1, FRAME_SAMPLES):
        frames.append(leveller.process(frame))
        gains_db.append(leveller.gain_db)
    return np.concatenate(frames), np.array(gains_db)


@pytest.mark.parametrize("level_lufs", [-36.0, -30.0, -26.0, -20.0, -16.0, -10.0])
def test_a_voice_of_any_level_comes_to_minus_16_lufs(speech: Samples, level_lufs: float) -> None:
    out, _ = levelled(speech * np.float32(10 ** ((level_lufs + 26) / 20)))
    assert integrated_lufs(out[len(out) // 3 :]) == pytest.approx(-16.0, abs=1.0)


@pytest.mark.parametrize("level_db", [-60.0, -25.0, 40.0])
def test_the_gain_keeps_its_bounds_and_moves_slowly(speech: Samples, level_db: float) -> None:
    _, gains_db = levelled(speech * np.float32(10 ** (level_db / 20)))
    assert gains_db.min() >= LEVELLER_GAIN_MIN_DB
    assert gains_db.max() <= LEVELLER_GAIN_MAX_DB
    assert np.diff(gains_db).max() * SECOND <= 3.0 + 1e-6
    assert np.diff(gains_db).min() * SECOND >= -8.0 - 1e-6


def test_a_pause_full_of_noise_is_not_pumped_up(speech: Samples) -> None:
    room = noise(30) * np.float32(10 ** (-55 / 20))
    talk = speech[: 12 * SAMPLE_RATE_HZ]
    _, gains_db = levelled(np.concatenate((talk, room, talk)))
    pause = gains_db[13 * SECOND : 42 * SECOND]
    assert np.ptp(pause) == 0
    assert gains_db[12 * SECOND] > 5


def test_a_fan_is_not_lifted_to_the_loudness_of_a_voice() -> None:
    fan = noise(20) * np.float32(10 ** (-45 / 20))
    _, alone = levelled(fan)
    assert alone.max() == 0
    _, switched_on = levelled(np.concatenate((np.zeros(2 * SAMPLE_RATE_HZ, np.float32), fan)))
    assert switched_on.max() < 6


def test_levelling_does_not_harm_the_voice(speech: Samples) -> None:
    pesq = pytest.importorskip("pesq", reason="pip install pesq").pesq
    out, _ = levelled(speech)
    for start_s in (0, 10, 20, 30):  # the first eight seconds hold the greatest change of gain
        part = slice(start_s * SAMPLE_RATE_HZ, (start_s + 8) * SAMPLE_RATE_HZ)
        original, result = (signal.resample_poly(x[part].astype(np.float64), 1, 3) for x in (speech, out))
        assert pesq(16_000, original, result / np.abs(result).max(), "wb") > 4.4


def test_a_glide_of_the_gain_has_no_step_between_frames() -> None:
    leveller = Leveller()
    syllables = (np.arange(20 * SECOND) // 10) % 2  # 200 ms on, 200 ms off
    tone = 0.02 * np.sin(2 * np.pi * 200 * (np.arange(FRAME_SAMPLES) + 0.5) / SAMPLE_RATE_HZ)
    glides = 0
    for loud in syllables:
        before_db = leveller.gain_db
        frame = (tone * max(loud, 0.03)).astype(np.float32)
        gain_db = 20 * np.log10(leveller.process(frame) / frame)
        if leveller.gain_db != before_db:
            glides += 1
            assert gain_db[0] == pytest.approx(before_db, abs=0.01)
            assert gain_db[-1] == pytest.approx(leveller.gain_db, abs=0.01)
            assert np.abs(np.diff(gain_db)).max() < 0.001
    assert glides > SECOND


def test_broken_samples_do_not_reach_the_levellers_memory(speech: Samples) -> None:
    leveller = Leveller()
    assert not leveller.process(np.full(FRAME_SAMPLES, np.nan, np.float32)).any()
    for frame in speech[: 5 * SAMPLE_RATE_HZ].reshape(-1, FRAME_SAMPLES):
        assert np.isfinite(leveller.process(frame)).all()
    assert leveller.gain_db > 0


# --- fades -----------------------------------------------------------------------------------------
