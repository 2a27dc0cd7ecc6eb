"""A probe: looks at a conversation from outside, as a listener would, and signs what it found."""

import http.client
import json
import socket
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from http import HTTPStatus
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlencode, urlsplit

from rostra.core.errors import BadInputError
from rostra.core.framing import MEDIA, FrameReader
from rostra.evidence.chain import Chain
from rostra.evidence.spool import Spool
from rostra.verifier.canonical import Json
from rostra.verifier.checks.probes import HEARD, PROBE, WAITING

RENDITION: Final = "webm-16"  # what costs the edge least
LISTEN_S: Final = 3.0
TIMEOUT_S: Final = 10.0  # to the first sound: what a person bears, and what the edges count
_READ_BYTES: Final = 65_536
_ANSWER_BYTES_MAX: Final = 65_536
_MICRO: Final = 1_000_000
Clock = Callable[[], float]


class _UnheardError(Exception):
    """The visit ends here: `args[0]` is the outcome."""


class Visit:
    """One visit, step by step; what was measured so far stays when a step fails. Times are microseconds."""

    def __init__(self, url: str, *, listen_s: float = LISTEN_S, clock: Clock = time.monotonic) -> None:
        self._url = urlsplit(url.rstrip("/"))
        if self._url.scheme not in {"http", "https"} or not self._url.hostname or "/c/" not in self._url.path:
            raise BadInputError(f"{url!r} is no conversation's address: it looks like https://host/c/ID.")
        self._listen_s = listen_s
        self._clock = clock
        self.found: dict[str, Json] = {"conversation": self._url.path.rpartition("/")[2]}

    def go(self) -> dict[str, Json]:
        """What was found. `outcome`: heard, waiting, refused, silent, or unreached."""
        began_s = self._clock()
        try:
            ticket = self._join()
            self._hear(ticket, began_s)
            outcome = HEARD
        except _UnheardError as ended:
            outcome = str(ended.args[0])
        except (OSError, http.client.HTTPException, ValueError) as error:
            outcome = "unreached"
            self.found["error"] = f"{type(error).__name__}: {error!s:.200}"
        return self.found | {"outcome": outcome}

    def _timed(self, name: str, since_s: float) -> None:
        self.found[name] = round((self._clock() - since_s) * _MICRO)

    def _connect(self, *, measured: bool) -> http.client.HTTPConnection:
        host, port = str(self._url.hostname), self._url.port or (443 if self._url.scheme == "https" else 80)
        at_s = self._clock()
        address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][4]
        if measured:
            self._timed("dns_us", at_s)
        at_s = self._clock()
        connected = socket.create_connection((str(address[0]), port), timeout=TIMEOUT_S)
        if measured:
            self._timed("connect_us", at_s)
        if self._url.scheme == "https":
            at_s = self._clock()
            connected = ssl.create_default_context().wrap_socket(connected, server_hostname=host)
            if measured:
                self._timed("tls_us", at_s)
        connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
        connection.sock = connected
        return connection

    def _join(self) -> str:
        with closing(self._connect(measured=True)) as connection:
            at_s = self._clock()
            connection.request("POST", f"{self._url.path}/join")
            answer = connection.getresponse()
            body = answer.read(_ANSWER_BYTES_MAX)
            self._timed("join_us", at_s)
        self.found["status"] = answer.status
        if answer.status != HTTPStatus.OK:
            raise _UnheardError("refused")
        said = json.loads(body)
        if not isinstance(said, dict) or said.get("status") != "admitted":
            raise _UnheardError(WAITING)
        return str(said.get("ticket", ""))

    def _hear(self, ticket: str, began_s: float) -> None:
        query = urlencode({"ticket": ticket, "rendition": RENDITION})
        numbers: list[int] = []
        first_s: float | None = None
        with closing(self._connect(measured=False)) as connection:
            connection.request("GET", f"{self._url.path}/stream?{query}")
            answer = connection.getresponse()
            if answer.status != HTTPStatus.OK:
                self.found["status"] = answer.status
                raise _UnheardError("refused")
            for seq in self._chunks(answer):
                now_s = self._clock()
                first_s = now_s if first_s is None else first_s
                numbers.append(seq)
                if now_s - first_s >= self._listen_s:
                    break
        if first_s is None:
            raise _UnheardError("silent")
        self.found["first_sound_us"] = round((first_s - began_s) * _MICRO)
        self.found["heard_us"] = round((self._clock() - first_s) * _MICRO)
        self.found |= {"chunks": len(numbers), "first_seq": numbers[0], "last_seq": numbers[-1]}
        self.found["missing"] = numbers[-1] - numbers[0] + 1 - len(set(numbers))
        if first_s - began_s > TIMEOUT_S:
            raise _UnheardError("silent")

    @staticmethod
    def _chunks(answer: http.client.HTTPResponse) -> Iterator[int]:
        reader = FrameReader()
        while data := answer.read1(_READ_BYTES):
            for frame in reader.feed(data):
                if frame.kind == MEDIA:
                    yield frame.seq


class Probe:
    """Its chain, the file in which it is kept, and the witness that is told."""

    def __init__(self, chain: Chain, kept: Path, witness_url: str | None) -> None:
        self._chain = chain
        self._kept = kept
        self._witness: SplitResult | None = None if witness_url is None else urlsplit(witness_url.rstrip("/"))
        if self._witness is not None and self._witness.scheme not in {"http", "https"}:
            raise BadInputError(f"{witness_url!r} is no witness's address: it looks like https://host.")
        self._spool = Spool(kept.with_name(f"{kept.name}.spool"))

    def say(self, found: dict[str, Json]) -> bytes:
        """Sign it, keep it, and let it wait for the witness, which may be away."""
        entry = self._chain.sealed(PROBE, found)
        with self._kept.open("ab") as file:
            file.write(entry + b"\n")
        if self._witness is not None:
            self._spool.offer(entry)
        self._chain.said(entry)
        return entry

    def tell(self) -> str | None:
        """Give the witness what waits; what came in the way, if something did."""
        assert self._witness is not None
        url = f"{self._witness.geturl()}/ledgers/entries"
        while (entry := self._spool.oldest()) is not None:
            request = urllib.request.Request(url, data=entry, method="POST")  # noqa: S310 # http or https, see above
            try:
                with urllib.request.urlopen(request, timeout=TIMEOUT_S):  # noqa: S310 # likewise
                    self._spool.taken()
            except urllib.error.HTTPError as error:
                if error.code in {HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN}:
                    raise BadInputError(
                        f"The witness refuses what this probe says: {error.read(500)!r}."
                    ) from error
                return f"{error.code} {error.reason}"
            except OSError as error:
                self._spool.keep()
                return str(error)
        return None
