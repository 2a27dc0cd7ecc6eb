"""Live recognition by Moonshine (tiny, English, 26 M parameters): its model comes in the package, pinned to 0.1.0.

Measured on one thread: 0.06 s of CPU for a second of speech; a quarter of Whisper's delay, because it does not
pad what is short to 30 s.
"""

from typing import Final

from moonshine_voice import ModelArch
from moonshine_voice.transcriber import Transcriber
from moonshine_voice.utils import get_model_path

from rostra.audio.frame import Samples
from rostra.audio.resample import RECOGNISER_HZ
from rostra.core.limits import CAPTION_TEXT_LENGTH_MAX
from rostra.core.messages import Phrase
from rostra.core.webvtt import one_line

LANGUAGES: Final = frozenset({"en"})
# Utterances are cut already, so its own voice detector is off: it would say a fifth of it twice as slowly.
_OPTIONS: Final = {"vad_threshold": "0.0", "identify_speakers": "false", "return_audio_data": "false"}


class Moonshine:
    """A `Recogniser`."""

    name = "Moonshine tiny-en"

    def __init__(self) -> None:
        self._transcriber = Transcriber(get_model_path("tiny-en"), ModelArch.TINY, options=_OPTIONS)

    def recognise(self, sound: Samples) -> list[Phrase]:
        """As `Recogniser`."""
        lines = self._transcriber.transcribe_without_streaming(sound.tolist(), RECOGNISER_HZ).lines
        return [
            Phrase(line.start_time, line.start_time + line.duration, text[:CAPTION_TEXT_LENGTH_MAX])
            for line in lines
            if (text := one_line(line.text).replace(",,", ","))  # it stutters on commas
        ]
