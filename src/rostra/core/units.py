"""The programme's time: samples of one 48 kHz clock, in frames of 20 ms and chunks of 100 ms."""

from typing import Final

SAMPLE_RATE_HZ: Final = 48_000
FRAME_SAMPLES: Final = 960
CHUNK_FRAMES: Final = 5
CHUNK_SAMPLES: Final = CHUNK_FRAMES * FRAME_SAMPLES
FRAME_NS: Final = 20_000_000
CHUNK_NS: Final = CHUNK_FRAMES * FRAME_NS
SECOND_NS: Final = 1_000_000_000
PLAYER_MARGIN_S: Final = 0.12  # a player holds one cadence and this much more at least (docs/protocol.md §3)
INTERRUPTION_MS: Final = 3_000  # of sound that a listener lacks in all: less is borne, more is not the evening


def samples_to_ns(samples: int) -> int:
    return samples * SECOND_NS // SAMPLE_RATE_HZ


def ns_to_samples(ns: int) -> int:
    """Samples whose time has fully passed after `ns` nanoseconds (floored, also below zero)."""
    return ns * SAMPLE_RATE_HZ // SECOND_NS
