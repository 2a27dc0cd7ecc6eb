"""Sound from anywhere: a file, an address or an open stream, in anything that FFmpeg reads, as frames."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, Final

import av
import av.error
import numpy as np
from av.container import InputContainer

from rostra.audio.frame import Frame, Samples, finite
from rostra.core.errors import SourceError
from rostra.core.units import FRAME_SAMPLES, SAMPLE_RATE_HZ

STALL_TIMEOUT_S: Final = 10.0  # a radio that has sent nothing for so long is gone; proxies give up after 30-60 s
# FFmpeg reads up to 5 MB or 5 s before the first frame; a live source would begin that late.
PROBE_BYTES_MAX: Final = 256 * 1024  # cover art before the sound of an MP3 fits in it
ANALYSIS_MS_MAX: Final = 500
# Samples without a header are searched for DTS in disguise, packet after packet, up to all of PROBE_BYTES_MAX:
# 2.7 s of a WAV in a pipe. Eight packets show it too.
_PROBE_PACKETS_MAX: Final = 8
_READ_BYTES: Final = 4_096  # a pipe's buffer page: sound goes on as it comes
_BAD_PACKETS_MAX: Final = 50  # in a row, about a second: damage is skipped, garbage is not listened to

_FLOAT_FORMATS: Final = {"flt", "fltp", "dbl", "dblp"}


def frames_from(
    url: str | BinaryIO,
    *,
    wait: Callable[[], bool] | None = None,
    stall_timeout_s: float = STALL_TIMEOUT_S,
    probe_bytes_max: int = PROBE_BYTES_MAX,
    analysis_ms_max: int = ANALYSIS_MS_MAX,
    container: str | None = None,
) -> Iterator[Frame]:
    """Decode `url`: a path, an address that FFmpeg knows, or an open binary stream (a pipe too).

    Yields frames of shape (960,), mono, 48 kHz, -1 to +1, as fast as they are asked for; the last is padded
    with silence. Channels are mixed so that no full-scale input overshoots. Damaged packets are skipped,
    NaN and infinities are silence.

    `wait` makes the end of a file no end: it is called there, waits a little, and returns whether to look
    again, so that a file which is still being written can be followed. `stall_timeout_s` holds for
    addresses. `container` names FFmpeg's demuxer where there is nothing to probe, e.g. `s16le`.

    Raises SourceError, when the first or a later frame is asked for.
    """
    name = _shown(url)
    options = {
        "probesize": str(probe_bytes_max),
        "analyzeduration": str(analysis_ms_max * 1_000),
        "max_probe_packets": str(_PROBE_PACKETS_MAX),
    }
    with ExitStack() as stack:
        try:
            file: str | _Stream
            if isinstance(url, str):
                file = url if wait is None else _Stream(stack.enter_context(Path(url).open("rb")), wait)
            else:
                file = _Stream(url, wait)
            source = av.open(
                file,
                "r",
                format=container,
                options=options,
                buffer_size=_READ_BYTES,
                timeout=stall_timeout_s if isinstance(url, str) else None,
            )
            stack.callback(source.close)
            yield from _cut(_samples(source, name))
        except (av.error.FFmpegError, OSError) as error:
            raise SourceError(_reason(error, name, stall_timeout_s)) from error


class _Stream:
    """What PyAV reads from: any binary stream, giving what there is instead of waiting for a full buffer."""

    def __init__(self, stream: BinaryIO, wait: Callable[[], bool] | None) -> None:
        # A buffered reader's `read` waits for every byte that was asked for, `read1` for the first.
        self._read: Callable[[int], bytes | None] = getattr(stream, "read1", stream.read)
        self._wait = wait
        self.seekable = stream.seekable if wait is None else lambda: False
        self.seek = stream.seek
        self.tell = stream.tell

    def read(self, size: int) -> bytes:
        while True:
            data = self._read(size)
            if data or self._wait is None or not self._wait():
                return data or b""


def _cut(blocks: Iterator[Samples]) -> Iterator[Frame]:
    """Blocks of any length as frames; the last one is padded with silence."""
    rest = np.zeros(0, np.float32)
    for block in blocks:
        sound = np.concatenate((rest, block))
        whole = len(sound) // FRAME_SAMPLES * FRAME_SAMPLES
        yield from sound[:whole].reshape(-1, FRAME_SAMPLES)
        rest = sound[whole:]
    if len(rest):
        yield np.pad(rest, (0, FRAME_SAMPLES - len(rest)))


def _samples(source: InputContainer, name: str) -> Iterator[Samples]:
    """The source's sound in blocks of any length, mono at 48 kHz."""
    resampler: av.AudioResampler | None = None
    setup: tuple[str, str, int] | None = None
    for frame in _decoded(source, name):
        if resampler is None or setup != (frame.format.name, frame.layout.name, frame.sample_rate):
            # A radio may change its format from one song to the next.
            if resampler is not None:
                yield from _resampled(resampler, None)
            setup = (frame.format.name, frame.layout.name, frame.sample_rate)
            resampler = _resampler()
        yield from _resampled(resampler, _finite(frame))
    if resampler is None:
        raise SourceError(f"There is no sound in {name}: its audio stream is empty or damaged.")
    yield from _resampled(resampler, None)


def _decoded(source: InputContainer, name: str) -> Iterator[av.AudioFrame]:
    if not source.streams.audio:
        raise SourceError(f"There is no audio stream in {name}: give something with sound.")
    bad = 0
    for packet in source.demux(source.streams.audio[0]):
        try:
            frames = packet.decode()
        except av.error.InvalidDataError as error:
            bad += 1
            if bad > _BAD_PACKETS_MAX:
                raise SourceError(f"The sound in {name} is damaged: nothing more can be decoded.") from error
            continue
        bad = 0
        for frame in frames:
            assert isinstance(frame, av.AudioFrame)
            yield frame


def _resampler() -> av.AudioResampler:
    # Without a limit libswresample lets float sums grow: full-scale stereo comes out at 1.41, 5.1 at 3.4.
    return av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE_HZ, options={"rematrix_maxval": "1"})


def _resampled(resampler: av.AudioResampler, frame: av.AudioFrame | None) -> Iterator[Samples]:
    for resampled in resampler.resample(frame):
        # Decoders of lossy formats overshoot by a decibel or two, and a float file may hold anything.
        samples = np.asarray(resampled.to_ndarray(), np.float32).reshape(-1)
        yield np.clip(finite(samples), -1, 1)


def _finite(frame: av.AudioFrame) -> av.AudioFrame:
    """The frame, NaN and infinities as silence: in a resampler, one of them would spread over its window."""
    if frame.format.name not in _FLOAT_FORMATS:
        return frame
    sound = frame.to_ndarray()
    usable = np.isfinite(sound)
    if usable.all():
        return frame
    repaired = av.AudioFrame.from_ndarray(
        np.where(usable, sound, sound.dtype.type(0)), format=frame.format.name, layout=frame.layout.name
    )
    repaired.sample_rate = frame.sample_rate
    repaired.pts = frame.pts
    repaired.time_base = frame.time_base
    return repaired


def _shown(url: str | BinaryIO) -> str:
    """The source's name for a message, without the password that an address may hold."""
    if isinstance(url, str):
        return re.sub(r"//[^/@]*@", "//", url)
    return str(getattr(url, "name", "the stream"))


def _reason(error: Exception, name: str, stall_timeout_s: float) -> str:
    match error:
        case FileNotFoundError():
            return f"There is no file {name}: check the path."
        case av.error.ExitError() | TimeoutError():
            return f"Nothing came from {name} for {stall_timeout_s:g} s: check that it is on the air."
        case av.error.InvalidDataError() | EOFError():
            return f"{name} is no sound that FFmpeg can read: give an audio file or stream."
        case av.error.ProtocolNotFoundError():
            return f"{name} is no address that FFmpeg knows: use a path, http:, https: or rtsp:."
        case av.error.HTTPError() | av.error.HTTPClientError():
            return f"{name} was refused by its server: {error.strerror}."
        case _:
            text = getattr(error, "strerror", None) or str(error)
            return f"{name} cannot be read: {text}."
