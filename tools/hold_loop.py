"""Makes the music of the waiting room: `python tools/hold_loop.py`, once. A browser repeats it by itself.

The first two sections of the hold music (51.2 s). Its end is faded into what precedes its beginning in the whole
piece, which is a circle: so the repetition is not heard.
"""

import sys
from pathlib import Path

import av
import numpy as np

from rostra.audio import hold_music
from rostra.audio.hold_music import BAR_SAMPLES
from rostra.audio.hold_score import SECTION_BARS
from rostra.core.units import SAMPLE_RATE_HZ

LENGTH_SAMPLES = 2 * SECTION_BARS * BAR_SAMPLES
FADE_SAMPLES = SAMPLE_RATE_HZ
BITRATE_BPS = 32_000  # 200 kB: as much as seven seconds of everything else that a page loads
TARGET = Path(__file__).parents[1] / "src/rostra/edge/pages/assets/hold.mp3"


def main() -> None:
    music = hold_music.cached(Path(sys.argv[1] if len(sys.argv) > 1 else "data/cache"))
    loop = music[:LENGTH_SAMPLES].copy()
    fade = np.linspace(0, 1, FADE_SAMPLES, dtype=np.float32)
    loop[-FADE_SAMPLES:] = loop[-FADE_SAMPLES:] * (1 - fade) + music[-FADE_SAMPLES:] * fade
    pcm = np.round(np.clip(loop, -1, 1) * 32_767).astype(np.int16)
    with av.open(TARGET, "w", format="mp3") as file:
        stream = file.add_stream("libmp3lame", rate=SAMPLE_RATE_HZ, layout="mono", bit_rate=BITRATE_BPS)
        frame = av.AudioFrame.from_ndarray(pcm[np.newaxis, :], format="s16p", layout="mono")
        frame.sample_rate = SAMPLE_RATE_HZ
        for packet in (*stream.encode(frame), *stream.encode(None)):
            file.mux(packet)


if __name__ == "__main__":
    main()
