"""The telephone's codec is the standard's, and what a network loses is gone on with as a voice would."""

import random
import subprocess
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from machine import require
from rostra.audio.frame import Samples
from rostra.audio.g711 import PACKET_BYTES_MAX, Concealer, G711Decoder, G711Encoder, Law, compand, expand
from rostra.audio.jitter import JitterBuffer
from rostra.core.errors import BadInputError
from rostra.core.units import FRAME_SAMPLES, SAMPLE_RATE_HZ

FFMPEG = {Law.MU: ("mulaw", "pcm_mulaw"), Law.A: ("alaw", "pcm_alaw")}
PACKET = 160  # octets, 20 ms


def tone(hertz: float, count: int, *, rate_hz: int, level: float = 0.5) -> Samples:
    return (level * np.sin(2 * np.pi * hertz * np.arange(count) / rate_hz)).astype(np.float32)


def level_of(sound: Samples, hertz: float, *, rate_hz: int) -> float:
    """The amplitude of one tone in `sound`, by a windowed Fourier integral."""
    window = np.hanning(len(sound))
    turning = np.exp(-2j * np.pi * hertz * np.arange(len(sound)) / rate_hz)
    return 2 * abs(complex(np.sum(sound * window * turning))) / float(window.sum())


def ffmpeg(sound: bytes, *arguments: str) -> bytes:
    command = [require("ffmpeg"), "-v", "error", *arguments[:-1], "-i", "-", *arguments[-1].split(), "-"]
    return subprocess.run(command, input=sound, capture_output=True, check=True).stdout


# --- the codec ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("law", Law)
def test_every_octet_sounds_as_it_does_in_ffmpeg(law: Law) -> None:
    octets = bytes(range(256))
    theirs = np.frombuffer(ffmpeg(octets, "-f", FFMPEG[law][0], "-ar", "8000", "-f s16le"), "<i2")
    assert np.array_equal(np.rint(expand(octets, law) * 32_768), theirs)


@pytest.mark.parametrize("law", Law)
def test_every_16_bit_number_becomes_a_level_as_near_as_the_one_ffmpeg_chooses(law: Law) -> None:
    numbers = np.arange(-32_768, 32_768).astype("<i2")
    theirs = ffmpeg(numbers.tobytes(), "-f", "s16le", "-ar", "8000", f"-c:a {FFMPEG[law][1]} -f {FFMPEG[law][0]}")
    sound = numbers.astype(np.float32) / 32_768
    ours_off = np.abs(expand(compand(sound, law), law) - sound)
    theirs_off = np.abs(expand(theirs, law) - sound)
    assert bool((ours_off <= theirs_off + 1e-7).all())
    assert float(np.mean(ours_off == theirs_off)) > 0.99


@pytest.mark.parametrize("law", Law)
def test_an_octet_that_was_expanded_is_companded_to_what_sounds_the_same(law: Law) -> None:
    octets = bytes(range(256))
    again = compand(expand(octets, law), law)
    assert np.array_equal(expand(again, law), expand(octets, law))


def test_overshoot_saturates_and_no_number_is_silence() -> None:
    loud = np.array([9.0, -9.0, np.nan, np.inf], np.float32)
    assert [round(float(level), 2) for level in expand(compand(loud, Law.MU), Law.MU)] == [0.98, -0.98, 0.0, 0.0]


@pytest.mark.parametrize("law", Law)
@pytest.mark.parametrize("hertz", [300, 1_000, 2_000, 3_000, 3_300])
def test_a_tone_in_the_telephones_band_comes_through_as_loud_as_it_was(law: Law, hertz: int) -> None:
    encoder, decoder = G711Encoder(law), G711Decoder(law)
    said = tone(hertz, 50 * FRAME_SAMPLES, rate_hz=SAMPLE_RATE_HZ)
    heard = np.concatenate([decoder.decode(encoder.encode(frame)) for frame in said.reshape(-1, FRAME_SAMPLES)])
    assert 20 * np.log10(level_of(heard[9_600:], hertz, rate_hz=SAMPLE_RATE_HZ) / 0.5) == pytest.approx(0, abs=0.5)


def test_what_is_no_packet_is_refused() -> None:
    decoder = G711Decoder(Law.A)
    for packet in (b"", bytes(PACKET_BYTES_MAX + 1)):
        with pytest.raises(BadInputError):
            decoder.decode(packet)


# --- loss --------------------------------------------------------------------------------------------------


def test_a_lost_piece_of_a_vowel_goes_on_in_pitch_and_joins_without_a_click() -> None:
    said = tone(125, 2_000, rate_hz=8_000) + tone(250, 2_000, rate_hz=8_000, level=0.2)
    concealer = Concealer()
    heard = np.concatenate((concealer.hear(said[:800]), concealer.conceal(160), concealer.hear(said[960:])))
    assert float(np.abs(heard[800:880] - said[800:880]).max()) < 0.06, "the first 10 ms are the voice's own"
    assert float(np.abs(np.diff(heard)).max()) < 1.25 * float(np.abs(np.diff(said)).max())


def test_what_is_invented_fades_within_60_ms() -> None:
    concealer = Concealer()
    concealer.hear(tone(150, 1_600, rate_hz=8_000))
    levels = [float(np.abs(concealer.conceal(80)).max()) for _ in range(8)]
    assert levels[0] == pytest.approx(0.5, abs=0.02)
    assert all(later < earlier for earlier, later in pairwise(levels[:6]))
    assert levels[6:] == [0.0, 0.0]


@given(st.lists(st.one_of(st.none(), st.integers(1, 400)), max_size=40), st.randoms(use_true_random=False))
def test_whatever_is_lost_the_sound_is_as_long_as_it_was_and_finite(
    pieces: list[int | None], chance: random.Random
) -> None:
    decoder = G711Decoder(Law.MU)
    for piece in pieces:
        if piece is None:
            sound, count = decoder.decode(None), FRAME_SAMPLES
        else:
            sound, count = decoder.decode(chance.randbytes(piece)), 6 * piece
        assert sound.shape == (count,)
        assert bool(np.isfinite(sound).all())
        assert float(np.abs(sound).max()) < 3.0


# --- in the jitter buffer ----------------------------------------------------------------------------------


def through_a_network(*, loss: float, jitter_s: float, ppm: float = 0.0, seconds: int = 30) -> JitterBuffer:
    """A caller's tone through a bad network into the buffer, pulled each 20 ms by a clock that is `ppm` slow."""
    chance = random.Random(7)
    encoder, buffer = G711Encoder(Law.A), JitterBuffer(G711Decoder(Law.A), clock_hz=8_000)
    said = tone(440, FRAME_SAMPLES, rate_hz=SAMPLE_RATE_HZ)
    arrivals = []
    for number in range(seconds * 50):
        payload = encoder.encode(said)
        if chance.random() >= loss:
            arrivals.append((number * 0.02 + chance.uniform(0, jitter_s), number, payload))
    arrivals.sort()
    silent = 0
    for tick in range(seconds * 50):
        now_s = tick * 0.02 * (1 + ppm / 1e6)
        while arrivals and arrivals[0][0] <= now_s:
            at_s, number, payload = arrivals.pop(0)
            buffer.add(((1 << 32) - 800 + number * PACKET) % (1 << 32), payload, arrived_s=at_s)
        frame = buffer.pull()
        assert frame is None or frame.shape == (FRAME_SAMPLES,)
        silent += tick > 100 and (frame is None or float(np.abs(frame).max()) < 0.05)
    assert silent < 0.05 * seconds * 50, "hardly a frame without sound"
    return buffer


def test_a_telephones_slow_timestamps_are_understood_and_may_wrap() -> None:
    fates = through_a_network(loss=0, jitter_s=0, seconds=5).provenance.as_dict()
    assert fates.pop("received") == 250
    assert fates == dict.fromkeys(fates, 0)


def test_thirty_percent_of_loss_is_concealed_frame_by_frame() -> None:
    provenance = through_a_network(loss=0.3, jitter_s=0).provenance
    assert provenance.concealed == pytest.approx(450, abs=60)
    assert provenance.corrected == 0, "G.711 has nothing to correct with"


def test_loss_and_jitter_together_are_waited_for_and_concealed() -> None:
    buffer = through_a_network(loss=0.05, jitter_s=0.1)
    assert buffer.provenance.late < 60


@pytest.mark.parametrize("ppm", [-200, 200])
def test_a_telephone_whose_clock_is_off_by_200_ppm_neither_starves_nor_piles_up(ppm: int) -> None:
    buffer = through_a_network(loss=0, jitter_s=0, ppm=ppm, seconds=300)
    assert buffer.provenance.starved <= 4
    assert buffer.depth < buffer.target + 5 * FRAME_SAMPLES


def test_two_seconds_of_jitter_never_hold_back_more_than_the_longest_target() -> None:
    chance = random.Random(3)
    encoder, buffer = G711Encoder(Law.MU), JitterBuffer(G711Decoder(Law.MU), clock_hz=8_000)
    packet = encoder.encode(tone(440, FRAME_SAMPLES, rate_hz=SAMPLE_RATE_HZ))
    arrivals = sorted((number * 0.02 + chance.uniform(0, 2), number) for number in range(1_000))
    for tick in range(1_100):
        while arrivals and arrivals[0][0] <= tick * 0.02:
            at_s, number = arrivals.pop(0)
            buffer.add(number * PACKET, packet, arrived_s=at_s)
        frame = buffer.pull()
        assert frame is None or bool(np.isfinite(frame).all())
        assert buffer.depth <= 2.5 * SAMPLE_RATE_HZ
    assert buffer.target <= 20 * FRAME_SAMPLES
