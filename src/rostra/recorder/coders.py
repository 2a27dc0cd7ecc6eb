"""How the sound of a track becomes the bytes of a segment: pages as they come, FLAC, or Opus in Ogg."""

from typing import Final, Protocol

from rostra.audio.containers import ogg
from rostra.audio.flac import FlacEncoder
from rostra.audio.frame import PCM16_FRAME_BYTES, pcm16_to_frame, silence
from rostra.audio.opus import OpusEncoder
from rostra.core.units import CHUNK_FRAMES, CHUNK_SAMPLES, FRAME_SAMPLES

HELD_MAX_BYTES: Final = CHUNK_FRAMES * PCM16_FRAME_BYTES  # of payload: FLAC's block is 96 ms, a page of Opus 100
_STEM_BPS: Final = 96_000  # one voice, to be cut and mixed again later: more than the programme's 64 kbit/s


class Coder(Protocol):
    """Makes the bytes of one segment. What it holds back between two calls is not in the bytes yet."""

    @property
    def header(self) -> bytes: ...
    @property
    def held(self) -> int:
        """The numbers (chunks or frames) of which something is held back."""
        ...

    def encode(self, payload: bytes) -> bytes: ...
    def finish(self) -> bytes: ...


class Pages:
    """The programme: the stage's own Ogg pages behind the conversation's header."""

    def __init__(self, header: bytes) -> None:
        self.header = header
        self.held = 0

    def encode(self, payload: bytes) -> bytes:
        return payload

    def finish(self) -> bytes:
        return b""


class FlacStem:
    """A seat's 16-bit PCM, without loss."""

    def __init__(self) -> None:
        self._encoder = FlacEncoder()
        self.header = self._encoder.header

    @property
    def held(self) -> int:
        return -(-self._encoder.held_samples // FRAME_SAMPLES)

    def encode(self, payload: bytes) -> bytes:
        return self._encoder.encode(payload)

    def finish(self) -> bytes:
        return self._encoder.finish()


class OpusStem:
    """A seat's 16-bit PCM as Opus, one Ogg page per 100 ms from position 0 on."""

    def __init__(self) -> None:
        self._encoder = OpusEncoder(_STEM_BPS)
        self.header = ogg.init(pre_skip=self._encoder.pre_skip, application="rostra")
        self._packets: list[bytes] = []
        self._pts = 0

    @property
    def held(self) -> int:
        return len(self._packets)

    def encode(self, payload: bytes) -> bytes:
        made = b""
        for at in range(0, len(payload), PCM16_FRAME_BYTES):
            self._packets.append(self._encoder.encode(pcm16_to_frame(payload[at : at + PCM16_FRAME_BYTES])))
            if len(self._packets) == CHUNK_FRAMES:
                made += self._page()
        return made

    def finish(self) -> bytes:
        self._packets.append(self._encoder.encode(silence()))  # brings out what the look-ahead holds back
        return self._page()

    def _page(self) -> bytes:
        page = ogg.chunk(self._packets, pts=self._pts)
        self._pts += CHUNK_SAMPLES
        self._packets = []
        return page


def stem_coder(suffix: str) -> Coder:
    """The coder of a stem whose segments end in `suffix`."""
    return FlacStem() if suffix == "flac" else OpusStem()
