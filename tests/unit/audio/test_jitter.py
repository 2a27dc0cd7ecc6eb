"""Whatever the network does to a speaker's packets, the best that can be made of them leaves every 20 ms."""

import random
import struct
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.audio.frame import Samples
from rostra.audio.jitter import PACKETS_MAX, TARGET_MAX, JitterBuffer, squeeze
from rostra.audio.opus import OpusDecoder, OpusEncoder
from rostra.core.errors import BadInputError
from rostra.core.units import FRAME_SAMPLES, SAMPLE_RATE_HZ

INVENTED = -1.0


class Numbers:
    """A codec whose packets are numbers: packet n sounds like n / 1,000; what is invented sounds like -1."""

    def decode(self, packet: bytes | None, *, fec: bool = False, missing: int = FRAME_SAMPLES) -> Samples:
        if packet is None:
            return np.full(missing, INVENTED, np.float32)
        if len(packet) != 8:
            raise BadInputError("no packet")
        number, samples = struct.unpack(">iI", packet)
        if fec:
            return np.full(missing, (number - 1) / 1_000, np.float32)
        return np.full(samples, number / 1_000, np.float32)


class Call:
    """A speaker who counts, a network, and the mixer that pulls every 20 ms."""

    def __init__(self, *, duration: int = FRAME_SAMPLES, first_timestamp: int = 0) -> None:
        self.buffer = JitterBuffer(Numbers())
        self.duration = duration
        self.first_timestamp = first_timestamp
        self.heard: list[float] = []

    def run(self, arrivals: Iterator[tuple[float, int]], *, seconds: float, ppm: float = 0.0) -> "Call":
        """`arrivals`: (second, packet number) in order of arrival; the mixer's clock is `ppm` slow."""
        waiting = next(arrivals, None)
        for tick in range(round(seconds * 50)):
            now_s = tick * 0.02 * (1 + ppm / 1e6)
            while waiting is not None and waiting[0] <= now_s:
                at_s, number = waiting
                timestamp = (self.first_timestamp + number * self.duration) % (1 << 32)
                self.buffer.add(timestamp, struct.pack(">iI", number, self.duration), arrived_s=at_s)
                waiting = next(arrivals, None)
            frame = self.buffer.pull()
            if frame is not None:
                assert frame.shape == (FRAME_SAMPLES,)
                self.heard += [round(float(level) * 1_000) for level in (frame[0], frame[-1])]
        return self

    @property
    def numbers(self) -> list[int]:
        """The packets that were heard, in order, each once; -1,000 for what was invented."""
        return [number for index, number in enumerate(self.heard) if index == 0 or number != self.heard[index - 1]]


def steady(
    count: int, *, period_s: float = 0.02, lost: frozenset[int] = frozenset()
) -> Iterator[tuple[float, int]]:
    for number in range(count):
        if number not in lost:
            yield number * period_s, number


@pytest.mark.parametrize("duration_ms", [10, 20, 40, 60])
def test_a_network_without_fault_is_heard_as_it_was_said(duration_ms: int) -> None:
    call = Call(duration=duration_ms * 48)
    call.run(steady(300, period_s=duration_ms / 1_000), seconds=300 * duration_ms / 1_000)
    assert call.numbers == list(range(len(call.numbers)))
    assert len(call.numbers) > 290 - 120 / duration_ms
    fates = call.buffer.provenance.as_dict() | {
        "received": 0,
        "dropped": 0,
    }  # long packets settle in the first second
    assert fates == dict.fromkeys(fates, 0)


def test_timestamps_may_wrap_in_mid_word() -> None:
    call = Call(first_timestamp=(1 << 32) - 50 * FRAME_SAMPLES).run(steady(100), seconds=2)
    assert call.numbers == list(range(len(call.numbers)))
    assert len(call.numbers) > 90


def test_one_lost_packet_is_corrected_from_the_next_and_two_are_half_invented() -> None:
    call = Call().run(steady(100, lost=frozenset({40, 60, 61})), seconds=2)
    provenance = call.buffer.provenance
    assert (provenance.corrected, provenance.concealed) == (2, 1)
    assert call.numbers[38:43] == [38, 39, 40, 41, 42], "the next packet tells what was in the lost one"
    assert call.numbers[58:64] == [58, 59, -1_000, 61, 62, 63]


def test_what_redundancy_brings_back_is_counted_and_heard() -> None:
    buffer = JitterBuffer(Numbers())
    heard = []
    for number in range(100):
        if number % 10 != 5:
            for earlier in (number - 1, number):
                payload = struct.pack(">iI", earlier, FRAME_SAMPLES)
                buffer.add(earlier * FRAME_SAMPLES, payload, arrived_s=number * 0.02, redundant=earlier < number)
        frame = buffer.pull()
        if frame is not None:
            heard.append(round(float(frame[0]) * 1_000))
    assert heard == list(range(heard[0], heard[0] + len(heard)))
    assert 9 <= buffer.provenance.restored <= 11, "in time, also where the packet itself was on its way"
    assert buffer.provenance.concealed == 0


def test_jitter_is_waited_for_and_calm_is_made_use_of() -> None:
    chance = random.Random(1)
    rough = sorted((number * 0.02 + chance.uniform(0, 0.12), number) for number in range(500))
    calm = [(10.2 + number * 0.02, 500 + number) for number in range(6_000)]
    call = Call()
    call.run(iter(rough), seconds=10)
    assert 4 * FRAME_SAMPLES < call.buffer.target <= TARGET_MAX
    assert call.heard[len(call.heard) // 2 :].count(-1_000) <= 4, "once it knows the network nothing is invented"
    roughly = call.buffer.target
    call.run(((at - 10, number) for at, number in calm), seconds=120)
    assert call.buffer.target < roughly / 3


@pytest.mark.parametrize("ppm", [-200, 200])
def test_a_clock_that_is_off_by_200_ppm_neither_starves_nor_piles_up(ppm: int) -> None:
    call = Call().run(steady(30_000), seconds=600, ppm=ppm)
    provenance = call.buffer.provenance
    assert call.buffer.depth < call.buffer.target + 5 * FRAME_SAMPLES
    assert provenance.starved <= 600 * 200 / 1e6 / 0.02 + 1, "one frame for each 20 ms of drift at most"
    assert len(set(call.numbers)) > 29_900


def test_two_seconds_of_nothing_and_then_everything_at_once_is_caught_up_with() -> None:
    arrivals = [(number * 0.02 if not 100 <= number < 200 else 4.0, number) for number in range(400)]
    call = Call().run(iter(arrivals), seconds=8)
    assert call.numbers[-1] > 380, "who speaks is heard now, not two seconds later"
    assert call.buffer.depth < call.buffer.target + 12 * FRAME_SAMPLES


def test_after_a_second_of_silence_a_speaker_starts_anew() -> None:
    call = Call().run(iter([*steady(50), *((10 + at, number + 5_000) for at, number in steady(50))]), seconds=12)
    assert call.numbers[-52:-2] == list(range(5_000, 5_050))
    assert call.buffer.target < 3 * FRAME_SAMPLES, "the pause is not taken for jitter"


def test_a_flood_costs_the_oldest_and_never_more_memory() -> None:
    buffer = JitterBuffer(Numbers())
    for number in range(10_000):
        buffer.add(number * FRAME_SAMPLES, struct.pack(">iI", number, FRAME_SAMPLES), arrived_s=0.0)
    assert buffer.depth == 0, "not started: nobody has pulled"
    for _ in range(PACKETS_MAX + 10):
        buffer.pull()
    assert buffer.depth < TARGET_MAX + 13 * FRAME_SAMPLES


@given(
    st.lists(
        st.tuples(st.integers(0, (1 << 32) - 1), st.binary(max_size=40), st.floats(0, 100), st.booleans()),
        max_size=60,
    )
)
def test_garbage_never_stops_the_frames(packets: list[tuple[int, bytes, float, bool]]) -> None:
    buffer = JitterBuffer(OpusDecoder())
    for timestamp, payload, arrived_s, redundant in packets:
        buffer.add(timestamp, payload, arrived_s=arrived_s, redundant=redundant)
        frame = buffer.pull()
        assert frame is None or (frame.shape == (FRAME_SAMPLES,) and bool(np.isfinite(frame).all()))


def test_squeezing_takes_a_whole_period_out_of_a_tone_and_leaves_no_click() -> None:
    tone = np.sin(2 * np.pi * 150 * np.arange(4 * FRAME_SAMPLES) / SAMPLE_RATE_HZ).astype(np.float32)
    squeezed = squeeze(tone)
    removed = len(tone) - len(squeezed)
    assert removed % 320 in {0, 319, 1}, "a period of 150 Hz is 320 samples"
    assert removed > 0
    assert float(np.abs(np.diff(squeezed)).max()) < 1.05 * float(np.abs(np.diff(tone)).max())


def test_real_opus_with_loss_is_finite_and_as_long_as_it_was() -> None:
    encoder, buffer = OpusEncoder(40_000, loss_percent=10), JitterBuffer(OpusDecoder())
    chance = random.Random(2)
    frames = 0
    for number in range(200):
        tone = 0.3 * np.sin(2 * np.pi * 200 * np.arange(number * 960, number * 960 + 960) / SAMPLE_RATE_HZ)
        packet = encoder.encode(tone.astype(np.float32))
        if chance.random() > 0.1:
            buffer.add(number * 960, packet, arrived_s=number * 0.02)
        frame = buffer.pull()
        if frame is not None:
            frames += 1
            assert bool(np.isfinite(frame).all())
    assert frames >= 196
    assert buffer.provenance.corrected > 5
