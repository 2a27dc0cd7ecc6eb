from itertools import pairwise

import numpy as np
import pytest

from hearing import speech
from rostra.audio.frame import Frame, Samples, silence
from rostra.audio.mixer import mix
from rostra.audio.opus import OpusDecoder, OpusEncoder
from rostra.audio.returns import Returns
from rostra.core.units import FRAME_SAMPLES, SAMPLE_RATE_HZ

SECOND = SAMPLE_RATE_HZ // FRAME_SAMPLES


def frames(samples: Samples) -> list[Frame]:
    return list(samples[: len(samples) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES))


def said(seconds: float) -> list[Frame]:
    begins = 4 * SAMPLE_RATE_HZ  # the recording's first word
    return frames(speech()[begins : begins + round(seconds * SAMPLE_RATE_HZ)])


def tone(hertz: int, seconds: float) -> list[Frame]:
    at_s = np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    return frames((0.2 * np.sin(2 * np.pi * hertz * at_s)).astype(np.float32))


def level_at(samples: Samples, hertz: int) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(spectrum[round(hertz * len(samples) / SAMPLE_RATE_HZ)])


def test_all_who_say_nothing_share_one_packet() -> None:
    returns = Returns()
    for voice in said(2):
        shared, own = returns.encode(voice, {"speaks": voice, "listens": silence(), "has gone": silence()})
        assert shared
        assert own.keys() <= {"speaks"}


def test_who_speaks_hears_the_others_and_never_the_own_voice() -> None:
    returns, ears = Returns(), {"low": OpusDecoder(), "high": OpusDecoder()}
    heard: dict[str, list[Samples]] = {name: [] for name in ears}
    for low, high in zip(tone(440, 2), tone(880, 2), strict=True):
        voices = {"low": low, "high": high}
        shared, own = returns.encode(mix([low, high]), voices)
        for name, ear in ears.items():
            heard[name].append(ear.decode(own.get(name, shared)))
    for name, other_hz, own_hz in (("low", 880, 440), ("high", 440, 880)):
        sound = np.concatenate(heard[name])[SAMPLE_RATE_HZ:]
        assert level_at(sound, other_hz) > 300 * level_at(sound, own_hz)


def test_a_voice_is_kept_from_its_owner_from_its_first_frame_on_and_shared_again_after_a_pause() -> None:
    returns = Returns()
    loud, quiet = tone(440, 1)[0], silence()
    told = [returns.encode(each, {"speaks": each})[1].keys() for each in [quiet, loud, *[quiet] * 30]]
    assert [len(keys) for keys in told] == [0, *[1] * 15, *[0] * 16]


def test_who_has_left_while_speaking_is_forgotten() -> None:
    returns, loud = Returns(), tone(440, 1)[0]
    returns.encode(loud, {"speaks": loud})
    assert returns.encode(silence(), {})[1] == {}


def test_a_copied_encoder_goes_on_as_the_first_would() -> None:
    encoder = OpusEncoder(32_000, complexity=1, loss_percent=10)
    before, after = said(4)[:100], said(4)[100:]
    for frame in before:
        encoder.encode(frame)
    copied = encoder.copy()
    assert [copied.encode(frame) for frame in after] == [encoder.encode(frame) for frame in after]


@pytest.mark.parametrize("with_fec", [False, True])
def test_nobody_hears_that_a_return_is_shared_again(*, with_fec: bool) -> None:
    """The codec's own error is what it would be without the change, in the frame of the change and after it."""
    returns, changing, constant = Returns(with_fec=with_fec), OpusDecoder(), OpusDecoder()
    word = tone(440, 0.02)[0]
    plain = OpusEncoder(32_000, complexity=1, loss_percent=10) if with_fec else OpusEncoder(48_000, complexity=0)
    others, heard, unchanged, shares = said(20), [], [], []
    for number, frame in enumerate(others):
        voice = word if number % 40 == 0 else silence()  # says something once in 0.8 s
        shared, own = returns.encode(frame + voice, {"speaks": voice})
        heard.append(changing.decode(own.get("speaks", shared)))
        unchanged.append(constant.decode(plain.encode(frame)))
        shares.append("speaks" not in own)
    errors_db, unchanged_db = errors(heard, others), errors(unchanged, others)
    changes = [at for at, (before, now) in enumerate(pairwise(shares), 1) if now and not before]
    assert len(changes) >= 20
    for after in (0, 1):
        worse_db = [errors_db[at + after] - unchanged_db[at + after] for at in changes if at + 1 < len(errors_db)]
        assert np.mean(worse_db) < 1.0
        assert max(worse_db) < 12.0


def errors(heard: list[Samples], said_: list[Frame]) -> Samples:
    """The power of what the codec adds, frame by frame, in dB of full scale."""
    late = np.concatenate(heard)[312:]
    wrong = (late - np.concatenate(said_)[: len(late)])[: len(late) // FRAME_SAMPLES * FRAME_SAMPLES]
    power = (wrong.reshape(-1, FRAME_SAMPLES) ** 2).mean(axis=1)
    return np.asarray(10 * np.log10(power + 1e-9))
