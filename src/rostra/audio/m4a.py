"""AAC-LC in an MP4 file (ISO/IEC 14496-14), as every podcast player has it: FFmpeg's encoder and muxer by PyAV.

A file that is whole when it is closed, unlike the programme's fragments (`audio.containers.fmp4`): its index comes
first, so that a player can begin and seek with what it has.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from rostra.audio.aac import CODER
from rostra.audio.frame import Frame
from rostra.core.units import SAMPLE_RATE_HZ


class M4aFile:
    """Frames go in one after the other; made by `m4a_file`."""

    def __init__(self, container: "av.container.OutputContainer", bitrate_bps: int) -> None:
        self._container = container
        self._stream = container.add_stream("aac", rate=SAMPLE_RATE_HZ, options={"aac_coder": CODER})
        self._stream.layout = "mono"
        self._stream.format = "fltp"
        self._stream.bit_rate = bitrate_bps
        self._position = 0

    def write(self, frame: Frame) -> None:
        """The next samples, shape (n,); must be finite. OSError."""
        sound = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(frame, np.float32)[np.newaxis], format="fltp", layout="mono"
        )
        sound.sample_rate = SAMPLE_RATE_HZ
        sound.time_base = Fraction(1, SAMPLE_RATE_HZ)
        sound.pts = self._position
        self._position += len(frame)
        self._container.mux(self._stream.encode(sound))

    def finish(self) -> None:
        self._container.mux(self._stream.encode(None))


@contextmanager
def m4a_file(path: Path, *, bitrate_bps: int, tags: Mapping[str, str]) -> Iterator[M4aFile]:
    """A new file at `path`, whole at the end of the context; `tags` are FFmpeg's, e.g. `title`. OSError."""
    options = {"movflags": "+faststart"}
    with av.open(str(path), "w", format="mp4", options=options) as container:
        container.metadata.update(tags)
        made = M4aFile(container, bitrate_bps)
        yield made
        made.finish()
