"""The replay's sound: what was recorded, at the loudness of podcasts, as Opus for browsers and AAC for the rest."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Final

import numpy as np

from rostra.audio.containers import ogg
from rostra.audio.dynamics import LEVELLER_GAIN_MAX_DB, LIMITER_LATENCY_SAMPLES, Limiter
from rostra.audio.frame import Frame, Samples, finite, silence
from rostra.audio.loudness import ABSOLUTE_GATE_LUFS, TARGET_LUFS, LoudnessMeter
from rostra.audio.m4a import m4a_file
from rostra.audio.opus import OpusDecoder, OpusEncoder
from rostra.core.errors import BadInputError
from rostra.core.units import CHUNK_FRAMES, CHUNK_SAMPLES, FRAME_SAMPLES
from rostra.recorder.level import PEAK_MAX_DBTP

# What was encoded at 64 kbit/s is encoded once more: at 96 that is not heard.
OPUS_BPS: Final = 96_000
AAC_BPS: Final = 96_000
_CEILING_DBTP: Final = PEAK_MAX_DBTP - 0.5  # both coders add 0.3 dB to limited speech
_NEAR_LU: Final = 0.2
_TRIALS_MAX: Final = 3  # of how much loudness the limiter takes away
_TRIED_CHUNKS: Final = 3_000  # five minutes from all over the recording tell it within 0.1 LU
_STRETCH_CHUNKS: Final = 100  # without a break, longer than a limiter remembers
_STEP: Final = 1.3  # the more gain the more of it the limiter takes


def gain_for(recorded_lufs: float, pages: Callable[[], Iterable[bytes]], *, count: int) -> float:
    """The gain in dB that brings the `count` `pages` to TARGET_LUFS behind the limiter; 0 for silence.

    Never more than a leveller gives a voice: what is softer than that is no conversation.
    """
    if recorded_lufs <= ABSOLUTE_GATE_LUFS:
        return 0.0
    wanted_db = gain_db = min(TARGET_LUFS - recorded_lufs, LEVELLER_GAIN_MAX_DB)
    every = -(-count // _TRIED_CHUNKS)
    tried = [page for n, page in enumerate(pages()) if n // _STRETCH_CHUNKS % every == 0]
    before_lufs = _lufs(_decoded(tried))
    found: dict[float, float] = {}  # how far from the target each gain leads
    for _ in range(_TRIALS_MAX):
        short_lu = wanted_db - (_lufs(limited(tried, gain_db=gain_db)) - before_lufs)
        if not np.isfinite(short_lu):
            return gain_db  # where nothing is to be heard
        found[gain_db] = abs(short_lu)
        if abs(short_lu) <= _NEAR_LU:
            break
        gain_db = min(gain_db + _STEP * short_lu, LEVELLER_GAIN_MAX_DB)
    return min(found, key=found.__getitem__)


def master(
    pages: Iterable[bytes], *, gain_db: float, opus: Path, m4a: Path, tags: Mapping[str, str]
) -> LoudnessMeter:
    """Make `opus` and `m4a` of the stage's `pages`, one at least; what they sound like is returned. OSError."""
    encoder, meter = OpusEncoder(OPUS_BPS), LoudnessMeter()
    packets: list[bytes] = []
    page, pts = b"", 0
    with opus.open("wb") as file, m4a_file(m4a, bitrate_bps=AAC_BPS, tags=tags) as aac:
        comments = {name.upper(): text for name, text in tags.items()}
        file.write(ogg.init(pre_skip=encoder.pre_skip, application="rostra", comments=comments))
        for frame in limited(pages, gain_db=gain_db):
            meter.add(frame)
            aac.write(frame)
            packets.append(encoder.encode(frame))
            if len(packets) == CHUNK_FRAMES:
                file.write(page)
                page, pts = ogg.chunk(packets, pts=pts), pts + CHUNK_SAMPLES
                packets.clear()
        file.write(ogg.moved(page, pts=pts - CHUNK_SAMPLES, last=True))
    return meter


def limited(pages: Iterable[bytes], *, gain_db: float) -> Iterator[Frame]:
    """The frames of `pages`, louder by `gain_db`, each in its place: what decoder and limiter delay is made up."""
    limiter, gain = Limiter(ceiling_dbtp=_CEILING_DBTP), np.float32(10 ** (gain_db / 20))
    delay = OpusEncoder(OPUS_BPS).pre_skip + LIMITER_LATENCY_SAMPLES
    held: Samples = np.zeros(0, np.float32)
    for frame in chain(_decoded(pages), [silence()]):
        held = np.concatenate((held, limiter.process(frame * gain)))
        skipped = min(delay, len(held))
        held, delay = held[skipped:], delay - skipped
        if len(held) >= FRAME_SAMPLES:
            yield held[:FRAME_SAMPLES]
            held = held[FRAME_SAMPLES:]


def _lufs(frames: Iterable[Frame]) -> float:
    meter = LoudnessMeter()
    for frame in frames:
        meter.add(frame)
    return meter.integrated_lufs


def _decoded(pages: Iterable[bytes]) -> Iterator[Frame]:
    """Five frames of each page, whatever it holds: a damaged packet is concealed, a missing one too."""
    decoder = OpusDecoder()
    for page in pages:
        packets = [*ogg.packets(page), *[None] * CHUNK_FRAMES][:CHUNK_FRAMES]
        for packet in packets:
            try:
                sound = decoder.decode(packet)
            except BadInputError:
                sound = decoder.decode(None)
            yield finite(sound if len(sound) == FRAME_SAMPLES else np.resize(sound, FRAME_SAMPLES))
