import resource

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rostra.audio.frame import Frame, silence
from rostra.audio.opus import PACKET_BYTES_MAX, OpusDecoder, OpusEncoder, version
from rostra.core.errors import BadInputError


def chirp(frames: int) -> np.ndarray:
    """A voice-like sweep, 150 to 800 Hz, of shape (frames, 960)."""
    t = np.arange(frames * 960) / 48_000
    sweep = np.sin(2 * np.pi * (150 * t + 650 * t**2 / (2 * t[-1])))
    return (0.4 * sweep).astype(np.float32).reshape(-1, 960)


def similarity(decoded: np.ndarray, original: np.ndarray) -> float:
    return float(np.corrcoef(decoded, original)[0, 1])


def test_the_library_tells_its_version() -> None:
    assert version().startswith("libopus 1.")


@pytest.mark.parametrize("bitrate_bps", [16_000, 32_000, 64_000])
def test_the_rate_holds(bitrate_bps: int) -> None:
    encoder = OpusEncoder(bitrate_bps)
    sent = [len(encoder.encode(frame)) for frame in chirp(250)]
    assert sum(sent) * 8 / 5 <= bitrate_bps * 1.05
    assert max(sent) <= PACKET_BYTES_MAX


def test_decoded_sound_lags_by_exactly_the_pre_skip() -> None:
    encoder, decoder = OpusEncoder(64_000), OpusDecoder()
    sound = chirp(50)
    decoded = np.concatenate([decoder.decode(encoder.encode(frame)) for frame in sound])
    original = sound.reshape(-1)
    fits = {lag: similarity(decoded[lag + 4800 : lag + 38_400], original[4800:38_400]) for lag in range(280, 345)}
    assert max(fits, key=lambda lag: fits[lag]) == encoder.pre_skip
    assert fits[encoder.pre_skip] > 0.99


def test_a_lost_packet_is_concealed_by_something_like_what_was_there() -> None:
    encoder, decoder = OpusEncoder(64_000), OpusDecoder()
    packets = [encoder.encode(frame) for frame in chirp(20)]
    for packet in packets:
        whole = decoder.decode(packet)
    concealed = decoder.decode(None)
    assert concealed.shape == (960,)
    assert 0.1 < np.abs(concealed).max() < 2 * np.abs(whole).max()


def test_the_next_packet_tells_about_a_lost_one_when_fec_is_on() -> None:
    def second_of_two_losses(*, loss_percent: int) -> float:
        """How much a frame restored from the packet after it resembles the frame as received."""
        encoder = OpusEncoder(24_000, loss_percent=loss_percent)
        # FEC exists in SILK packets only, which libopus takes for voices: a buzz with formants will do.
        t = np.arange(960 * 100) / 48_000
        f0 = 120 + 30 * np.sin(2 * np.pi * 2.5 * t)
        phase = 2 * np.pi * np.cumsum(f0) / 48_000
        buzz = sum(np.sin(k * phase) / k for k in range(1, 25))
        sound = (0.15 * buzz * (1 + np.sin(2 * np.pi * 3.1 * t))).astype(np.float32)
        packets = [encoder.encode(frame) for frame in sound.reshape(-1, 960)]
        reference, lossy = OpusDecoder(), OpusDecoder()
        scores = []
        for index, packet in enumerate(packets):
            clean = reference.decode(packet)
            if index % 5 == 4 and index + 1 < len(packets):
                restored = lossy.decode(packets[index + 1], fec=True)
                assert restored.shape == (960,)
                scores.append(similarity(restored, clean))
            else:
                lossy.decode(packet)
        return float(np.mean(scores))

    assert second_of_two_losses(loss_percent=20) > second_of_two_losses(loss_percent=0) + 0.05


def test_coders_free_their_state_when_they_go() -> None:
    def make(count: int) -> None:
        for _ in range(count):
            OpusEncoder(64_000).encode(silence())
            OpusDecoder().decode(None)

    make(100)
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    make(1_000)  # 60 kB each: 60 MB if nothing were freed
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib < 10_000


def test_settings_that_libopus_refuses_raise_with_its_own_text() -> None:
    with pytest.raises(ValueError, match="invalid argument"):
        OpusEncoder(64_000, complexity=11)


def test_an_empty_packet_is_not_taken_for_a_lost_one() -> None:
    with pytest.raises(BadInputError, match="empty"):
        OpusDecoder().decode(b"")


def test_a_malformed_packet_raises_with_libopus_own_text_and_harms_nothing() -> None:
    decoder = OpusDecoder()
    with pytest.raises(BadInputError, match="corrupted stream"):
        decoder.decode(b"\xff\xff")
    assert decoder.decode(OpusEncoder(64_000).encode(silence())).shape == (960,)


@settings(max_examples=200)
@given(st.binary(min_size=1, max_size=400))
def test_any_bytes_from_the_network_decode_or_are_refused(packet: bytes) -> None:
    try:
        samples = OpusDecoder().decode(packet)
    except BadInputError:
        return
    assert samples.dtype == np.float32
    assert 0 < len(samples) <= 5_760


def test_a_frame_of_another_length_is_a_mistake() -> None:
    short: Frame = np.zeros(959, np.float32)
    with pytest.raises(AssertionError):
        OpusEncoder(64_000).encode(short)
