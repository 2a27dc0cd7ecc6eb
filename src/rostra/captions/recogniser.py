"""What the captions process needs of a speech recogniser."""

from typing import Protocol

from rostra.audio.frame import Samples
from rostra.core.messages import Phrase


class Recogniser(Protocol):
    """Made and used in one thread; `name` tells people who has understood it so."""

    name: str

    def recognise(self, sound: Samples) -> list[Phrase]:
        """What is said in `sound` (16 kHz, shape (n,)), in the order of its seconds; nothing, if nothing is."""
        ...
