"""A recogniser in a thread of its own, so that the longest of its turns does not hold up the bus."""

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from rostra.audio.frame import Samples
from rostra.captions.recogniser import Recogniser
from rostra.core.messages import Phrase


@dataclass(frozen=True, slots=True)
class Model:
    """How a recogniser is made (in the thread that will use it), and the languages that it knows."""

    make: Callable[[], Recogniser]
    languages: frozenset[str]


class Ear:
    """One thread with one recogniser, made when first needed; `niceness` of that thread, if not the process's."""

    def __init__(self, model: Model, *, niceness: int | None = None) -> None:
        self.languages = model.languages
        self.name = ""  # of the recogniser, once it is made
        self._make = model.make
        self._niceness = niceness
        self._recogniser: Recogniser | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ear")

    async def hear(self, sound: Callable[[], Samples]) -> list[Phrase]:
        """What is said in `sound` (16 kHz), which is made in that thread too."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._hear, sound)

    def _hear(self, sound: Callable[[], Samples]) -> list[Phrase]:
        if self._recogniser is None:
            if self._niceness is not None:  # on Linux of this thread, and of those that the model starts
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), self._niceness)
            self._recogniser = self._make()
            self.name = self._recogniser.name
        return self._recogniser.recognise(sound())
