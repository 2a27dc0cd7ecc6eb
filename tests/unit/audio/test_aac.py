import av
import numpy as np
import pytest

from rostra.audio.aac import AAC_FRAME_SAMPLES, AAC_REACH_SAMPLES, AacEncoder, AccessUnit


def sweep(blocks: int) -> np.ndarray:
    t = np.arange(blocks * 1024) / 48_000
    return (0.3 * np.sin(2 * np.pi * (200 * t + 900 * t**2))).astype(np.float32).reshape(-1, 1024)


def decode(units: list[AccessUnit], extradata: bytes) -> np.ndarray:
    decoder = av.CodecContext.create("aac", "r")
    decoder.extradata = extradata
    return np.concatenate(
        [frame.to_ndarray()[0] for unit in units for frame in decoder.decode(av.Packet(unit.payload))]
    )


def test_the_extradata_is_the_config_of_mono_aac_lc_at_48_khz() -> None:
    config = AacEncoder(96_000, position=0).extradata
    # ISO/IEC 14496-3 §1.6.2.1: object type 2 (5 bits), frequency index 3 (4 bits), channels 1 (4 bits).
    assert int.from_bytes(config[:2], "big") >> 3 == 0b00010_0011_0001


def test_units_are_contiguous_and_begin_with_the_block_before_the_position() -> None:
    encoder = AacEncoder(96_000, position=1024 * 5000)
    units = [unit for block in sweep(8) for unit in encoder.encode(block)]
    assert [unit.position for unit in units] == [1024 * (5000 + k) for k in range(-1, 6)]


def test_a_unit_comes_as_soon_as_the_sound_up_to_its_reach_is_there() -> None:
    encoder = AacEncoder(96_000, position=0)
    for index, block in enumerate(sweep(10)):
        known = (index + 1) * AAC_FRAME_SAMPLES
        for unit in encoder.encode(block):
            assert unit.position + AAC_REACH_SAMPLES == known


def test_what_a_unit_decodes_to_is_the_sound_at_its_position() -> None:
    encoder = AacEncoder(96_000, position=0)
    blocks = sweep(60)
    units = [unit for block in blocks for unit in encoder.encode(block)]
    decoded = decode(units, encoder.extradata)
    original = blocks.reshape(-1)
    start = 20 * 1024
    heard = decoded[start - units[0].position :][:20_000]
    error = heard - original[start : start + 20_000]
    assert np.mean(error**2) < 1e-3 * np.mean(original**2)


def test_the_rate_holds() -> None:
    encoder = AacEncoder(96_000, position=0)
    noise = (0.1 * np.random.default_rng(1).standard_normal((200, 1024))).astype(np.float32)
    units = [unit for block in noise for unit in encoder.encode(block)]
    rate_bps = sum(len(unit.payload) for unit in units) * 8 * 48_000 / (1024 * len(units))
    assert rate_bps == pytest.approx(96_000, rel=0.05)


def test_a_position_off_the_grid_is_a_mistake() -> None:
    with pytest.raises(AssertionError):
        AacEncoder(96_000, position=4_800)
