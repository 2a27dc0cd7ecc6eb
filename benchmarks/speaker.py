"""What a bad network leaves of a speaker: PESQ-WB behind our jitter buffer, with RED, with FEC, and with neither."""

import random
from collections.abc import Iterator

import numpy as np

from benchmarks.record import keep
from hearing import Heard, speech, wideband_pesq
from rostra.audio.jitter import JitterBuffer
from rostra.audio.opus import OpusDecoder, OpusEncoder
from rostra.core.units import FRAME_SAMPLES

BITRATE_BPS = 40_000  # what a browser is asked for
SPACING_S = 0.02
BURST = 2.0  # packets: the mean length of a loss


def main() -> None:
    figures: dict[str, object] = {}
    for loss in (0.0, 0.01, 0.05, 0.10):
        for jitter_s in (0.0, 0.03):
            for name, red, fec in (("RED", True, True), ("FEC", False, True), ("neither", False, False)):
                scores, buffer = call(loss=loss, jitter_s=jitter_s, red=red, fec=fec)
                what = f"{loss:.0%} loss, {jitter_s * 1000:.0f} ms jitter, {name}"
                figures[f"{what}: PESQ-WB mean, worst piece"] = f"{np.mean(scores):.2f}, {min(scores):.2f}"
                figures[f"{what}: held back (ms), provenance"] = (
                    f"{buffer.target / 48:.0f}, { {k: v for k, v in buffer.provenance.as_dict().items() if v} }"
                )
                print(what, figures[f"{what}: PESQ-WB mean, worst piece"], flush=True)
    keep("speaker", figures)


def call(*, loss: float, jitter_s: float, red: bool, fec: bool) -> tuple[list[float], JitterBuffer]:
    """The recording through one network, and what is heard of it."""
    said = speech()
    encoder, buffer = OpusEncoder(BITRATE_BPS, loss_percent=10 if fec else 0), JitterBuffer(OpusDecoder())
    packets = [
        encoder.encode(said[at : at + FRAME_SAMPLES]) for at in range(0, len(said) - FRAME_SAMPLES, FRAME_SAMPLES)
    ]
    arrivals = sorted(network(len(packets), random.Random(1), loss=loss, jitter_s=jitter_s))
    heard, waiting, delay = [], 0, 0
    for tick in range(len(packets) + 50):
        while waiting < len(arrivals) and arrivals[waiting][0] <= tick * SPACING_S:
            at_s, number = arrivals[waiting]
            if red and number:
                buffer.add((number - 1) * FRAME_SAMPLES, packets[number - 1], arrived_s=at_s, redundant=True)
            buffer.add(number * FRAME_SAMPLES, packets[number], arrived_s=at_s)
            waiting += 1
        frame = buffer.pull()
        if frame is None and not heard:
            delay += 1
        heard.append(np.zeros(FRAME_SAMPLES, np.float32) if frame is None else frame)
    return wideband_pesq(Heard(-delay * SPACING_S, np.concatenate(heard)), 0, reach_s=0.5), buffer


def network(count: int, chance: random.Random, *, loss: float, jitter_s: float) -> Iterator[tuple[float, int]]:
    """(arrival, number) of the packets that arrive: losses come in bursts (Gilbert), delays are normal, never early."""
    lost = False
    for number in range(count):
        recovers = chance.random() < 1 / BURST
        falls = chance.random() < loss / (1 - loss) / BURST if loss else False
        lost = not recovers if lost else falls
        if not lost:
            yield number * SPACING_S + abs(chance.gauss(0, jitter_s)), number
