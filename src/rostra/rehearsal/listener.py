"""One listener, as a stranger: joins over HTTP, follows the stream, resumes elsewhere, judges what it hears."""

import http.client
import json
import random
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from rostra.core.errors import BadInputError, RostraError
from rostra.core.framing import INIT, MEDIA, FrameReader
from rostra.rehearsal.continuity import Continuity

# Nothing for this long, and the edge is taken for dead: three cadences, but never less than 1.5 s.
_SILENCE_MIN_S: Final = 1.5
_SILENCE_CADENCES: Final = 3
_KNOCK_S: Final = 0.5
_BACKOFF_FIRST_S: Final = 0.1
_BACKOFF_MAX_S: Final = 5.0
_READ_BYTES: Final = 64 * 1024

Sink = Callable[[bytes], object]


@dataclass(frozen=True, slots=True)
class ListenReport:
    """What was heard. `ok` if nothing was missing, in disorder or late.

    `missing_chunks` were left out without a word, `missed_chunks` with one (`moved`).
    """

    url: str
    rendition: str
    seconds: float
    chunks: int
    first_seq: int | None
    last_seq: int | None
    missing_chunks: int
    missed_chunks: int
    repeated_chunks: int
    pauses_ms: float
    longest_pause_ms: float
    first_sound_ms: float
    resumed: int
    moved: int
    bytes: int
    state: str

    @property
    def ok(self) -> bool:
        faults = self.missing_chunks or self.missed_chunks or self.repeated_chunks or self.moved or self.pauses_ms
        return self.chunks > 0 and not faults


class Listener:
    """Listens to `url` (a conversation's page) until it ends, or until `seconds` have passed.

    Without a `rendition` it takes the first that the edge offers, as players do.
    """

    def __init__(self, url: str, *, rendition: str = "", sink: Sink | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname or not parts.path.startswith("/c/"):
            raise BadInputError(f"{url!r} is no conversation's address: it looks like http://host:8080/c/ID.")
        self.url = url
        self.heard = Continuity()
        self._base = f"http://{parts.netloc}"
        self._path = parts.path.rstrip("/")
        self._rendition = rendition
        self._sink = sink
        self._ticket = ""
        self._alternates = [self._base]
        self._resumed = 0
        self._written_seq = -1
        self._has_init = False

    def listen(
        self, *, seconds: float | None, on_read: Callable[[Continuity], object] | None = None
    ) -> ListenReport:
        """RostraError if nothing can be heard at all; everything later is survived and reported."""
        self._join(self._base)
        began_s = time.monotonic()
        for base in self._bases():
            chunks_before = self.heard.chunks
            with suppress(OSError, http.client.HTTPException):  # the edge is gone or silent: ask the next one
                for data in self._stream(base):
                    self.heard.feed(data, now_s=time.monotonic())
                    if on_read is not None:
                        on_read(self.heard)
                    if seconds is not None and time.monotonic() - began_s >= seconds:
                        return self._report(began_s)
            if self.heard.end_reason is not None:
                return self._report(began_s)
            if seconds is not None and time.monotonic() - began_s >= seconds:
                return self._report(began_s)
            self._resumed += self.heard.chunks > chunks_before
            self.heard.reconnected()
            self._alternates = list(self.heard.alternates) or self._alternates
        raise AssertionError("the alternates never end")

    def _bases(self) -> Iterator[str]:
        """Edges to try: the first at once, each next one at once, then with growing pauses until sound comes."""
        failures, heard_seq = 0, self.heard.last_seq
        while True:
            for base in tuple(self._alternates):
                if self.heard.last_seq != heard_seq:
                    failures, heard_seq = 0, self.heard.last_seq
                if failures > len(self._alternates):
                    pause_s = min(_BACKOFF_MAX_S, _BACKOFF_FIRST_S * 2 ** (failures - len(self._alternates)))
                    time.sleep(pause_s * random.uniform(0.5, 1.0))
                failures += 1
                yield base

    def _join(self, base: str) -> None:
        while not self._is_admitted(base):  # the doors are closed: knock again
            time.sleep(_KNOCK_S)

    def _is_admitted(self, base: str) -> bool:
        try:
            answer, body = self._request(base, "POST", "/join", timeout_s=10)
        except (OSError, http.client.HTTPException) as error:
            raise RostraError(f"No edge answers at {base} ({error}): is the address right?") from error
        said = _json(body)
        if answer.status != 200:
            raise RostraError(f"{base} says: {said.get('title', answer.reason)}. {said.get('detail', '')}".strip())
        if said.get("status") != "admitted":
            return False
        names = [rendition["name"] for rendition in said["renditions"]]
        self._rendition = self._rendition or next(iter(names), "")
        if self._rendition not in names:
            raise BadInputError(f"There is no rendition {self._rendition!r}: choose one of {', '.join(names)}.")
        self._ticket = said["ticket"]
        others = [alternate for alternate in said["alternates"] if alternate != base]
        self._alternates = [base, *others]
        return True

    def _request(
        self, base: str, method: str, path: str, *, timeout_s: float
    ) -> tuple[http.client.HTTPResponse, bytes]:
        connection = http.client.HTTPConnection(urlsplit(base).netloc, timeout=timeout_s)
        try:
            connection.request(method, self._path + path)
            answer = connection.getresponse()
            return answer, answer.read()
        finally:
            connection.close()

    def _stream(self, base: str) -> Iterator[bytes]:
        query = {"ticket": self._ticket, "rendition": self._rendition}
        if self.heard.last_seq is not None:
            query["from"] = str(self.heard.last_seq + 1)
        silence_s = max(_SILENCE_MIN_S, _SILENCE_CADENCES * self.heard.playout.cadence_s)
        connection = http.client.HTTPConnection(urlsplit(base).netloc, timeout=silence_s)
        reader = FrameReader()
        try:
            connection.request("GET", f"{self._path}/stream?{urlencode(query)}")
            answer = connection.getresponse()
            if answer.status == HTTPStatus.FORBIDDEN:  # a ticket of another key: ask for a new one
                with suppress(RostraError):
                    self._is_admitted(base)
            if answer.status != HTTPStatus.OK:
                return
            while data := answer.read1(_READ_BYTES):
                if self._sink is not None:
                    self._write(reader, data)
                yield data
        finally:
            connection.close()

    def _write(self, reader: FrameReader, data: bytes) -> None:
        assert self._sink is not None
        for frame in reader.feed(data):
            if frame.kind == INIT and not self._has_init:
                self._has_init = True
                self._sink(frame.payload)
            elif frame.kind == MEDIA and frame.seq > self._written_seq:
                self._written_seq = frame.seq
                self._sink(frame.payload[4:])

    def _report(self, began_s: float) -> ListenReport:
        heard = self.heard
        heard.close(now_s=time.monotonic())
        first_ms = 0.0 if heard.first_sound_s is None else (heard.first_sound_s - began_s) * 1000
        return ListenReport(
            url=self.url,
            rendition=self._rendition,
            seconds=round(time.monotonic() - began_s, 1),
            chunks=heard.chunks,
            first_seq=heard.first_seq,
            last_seq=heard.last_seq,
            missing_chunks=heard.missing,
            missed_chunks=heard.missed,
            repeated_chunks=heard.repeated,
            pauses_ms=round(heard.playout.paused_s * 1000, 1),
            longest_pause_ms=round(heard.playout.longest_pause_s * 1000, 1),
            first_sound_ms=round(first_ms, 1),
            resumed=self._resumed,
            moved=heard.moved,
            bytes=heard.bytes,
            state=heard.state,
        )


def _json(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
