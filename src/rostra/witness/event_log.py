"""The log of one conversation: what the witness says in it, and what it takes from others."""

import json
from base64 import b64encode
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rostra import disk
from rostra.core.limits import LEDGER_PENDING_ENTRIES_MAX
from rostra.core.messages import ConversationRecord
from rostra.evidence.chain import Chain
from rostra.verifier.canonical import Json
from rostra.verifier.checks.history import KEPT
from rostra.verifier.checks.judgement import VERDICT
from rostra.verifier.checks.outsiders import STAMP
from rostra.verifier.checks.registration import PLAN
from rostra.verifier.entry import OPENED, REGISTERED, Entry, Head
from rostra.verifier.log import KEY
from rostra.verifier.note import note_key, signature
from rostra.verifier.tiles import CHECKPOINT
from rostra.witness.ledger import Ledger

REOPENED: Final = "reopened"
_NOTHING: Final = (0, -1)


def origin(host: str, conversation: str) -> str:
    """What the log of a conversation is called, everywhere."""
    return f"{host}/rostra/{conversation}"


class Known(NamedTuple):
    """The key of a process, and its newest entry."""

    key: str
    head: Head | None = None

    def claim(self) -> dict[str, Json]:
        if self.head is None:
            return {"key": self.key}
        return {"key": self.key, "run": self.head.run, "seq": self.head.seq, "digest": self.head.digest}


class EventLog:
    """Entries wait here while the disk refuses them, LEDGER_PENDING_ENTRIES_MAX; then the newest go, counted.

    BadInputError if the ledger in `folder` is another process's, or damaged.
    """

    def __init__(
        self, folder: Path, witness: str, private: Ed25519PrivateKey, *, host: str, record: ConversationRecord
    ) -> None:
        named = origin(host, record.id)
        key = note_key(named, private)
        self._ledger = Ledger(folder, origin=named, key=key, sign=lambda text: signature(text, named, private))
        disk.replace(folder / KEY, f"{key}\n".encode())
        self._folder = folder
        self._record = record
        self._chain = Chain(witness, private)
        self._unkept = _read(folder / CHECKPOINT)  # the newest note, until an entry keeps it
        self._newest = dict(_newest(self._ledger.entries()))  # of each process: run and number
        first, self._plan = _plans(self._ledger.entries())
        self.judge = first.get("verdict")  # the digest of the code whose judgement was registered
        self._republish = False
        self._pending: deque[bytes] = deque()
        self.lost = 0

    def __len__(self) -> int:
        return len(self._ledger)

    def close(self) -> None:
        self._ledger.close()

    def begin(self, known: Mapping[str, Known]) -> None:
        """The witness's own first entry: what is witnessed, whose keys it believes, and how far each was."""
        if len(self._ledger):
            self._say(REOPENED, {})
            return
        record = self._record
        processes: dict[str, Json] = {who: each.claim() for who, each in known.items()}
        self._newest |= {who: (each.head.run, each.head.seq) for who, each in known.items() if each.head}
        self._say(
            OPENED,
            {
                "conversation": record.id,
                "title": record.title,
                "starts_ms": record.starts_ns // 1_000_000,
                "doors_ms": record.doors_ns // 1_000_000,
                "ends_ms": record.ends_ns // 1_000_000,
                "processes": processes,
            },
        )

    def register(self, who: str, known: Known) -> None:
        """Somebody new has come, or somebody has a new key."""
        self._say(REGISTERED, {"processes": {who: known.claim()}})

    def plan(self, plan: dict[str, Json]) -> None:
        """What is registered beforehand, unless it is already; each further one has the next number."""
        number = self._plan.get("number", 0)
        assert isinstance(number, int)
        if self._plan != plan | {"number": number}:
            self.judge = self.judge if number else plan.get("verdict")
            self._plan = plan | {"number": number + 1}
            self._say(PLAN, self._plan)

    def lay_beside(self, files: Mapping[str, bytes]) -> None:
        """What entries name by its digest, and is too large to be one. OSError if the disk does not take it."""
        for name, data in files.items():
            path = self._folder / name
            if not path.exists():
                disk.make_folder(path.parent)
                disk.replace(path, data)

    def append(self, data: bytes, entry: Entry) -> None:
        """Take what a process said, unless it, or what came after it, is here already or was when the log began."""
        place = entry.run, entry.seq
        if place <= self._newest.get(entry.who, _NOTHING):
            return
        if len(self._pending) >= LEDGER_PENDING_ENTRIES_MAX:
            self.lost += 1
            return
        self._newest[entry.who] = place
        self._pending.append(data)

    @property
    def published(self) -> int:
        """How many entries the newest checkpoint has."""
        return self._ledger.checkpointed

    def judged(self, body: dict[str, Json]) -> None:
        """A verdict on what has been published."""
        self._say(VERDICT, body)

    @property
    def unkept(self) -> bytes | None:
        """The newest checkpoint, with what was added to it, until the next one is made."""
        return self._unkept

    def proof(self, before: int, size: int) -> list[bytes]:
        """That the log only grew. Not while `save` runs."""
        return self._ledger.consistency(before, size)

    def cosigned(self, note: bytes, lines: str) -> None:
        """Others have signed the checkpoint `note`; if there is a newer one by now, it is too late."""
        if lines and note == self._unkept:
            self._unkept = note + lines.encode()
            self._republish = True

    def stamped(self, text: str, token: bytes) -> None:
        """An authority has stamped a checkpoint."""
        self._say(STAMP, {"checkpoint": text, "token": b64encode(token).decode()})

    def _say(self, kind: str, body: dict[str, Json]) -> None:
        entry = self._chain.sealed(kind, body)
        self._chain.said(entry)
        self._pending.append(entry)

    def save(self, *, checkpoint: bool) -> None:
        """Return when all that came is on the disk, and published. OSError, and the rest waits, if it is not."""
        grown = len(self._ledger) + len(self._pending) > self._ledger.checkpointed
        if checkpoint and grown and self._unkept is not None:
            self._say(KEPT, {"note": self._unkept.decode()})
            self._unkept = None
        while self._pending:
            self._ledger.append(self._pending[0])
            self._pending.popleft()
        if checkpoint and grown:
            self._unkept = self._ledger.checkpoint()
        else:
            self._ledger.sync()
            if self._republish and self._unkept is not None:
                self._ledger.publish(self._unkept)
        self._republish = False


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def _plans(entries: Iterable[bytes]) -> tuple[dict[str, Json], dict[str, Json]]:
    """The plans that were registered first and last; empty if none was."""
    first: dict[str, Json] = {}
    last: dict[str, Json] = {}
    for data in entries:
        if PLAN.encode() in data:
            said = json.loads(data)["said"]
            last = said["body"] if said["kind"] == PLAN else last
            first = first or last
    return first, last


def _newest(entries: Iterable[bytes]) -> Iterator[tuple[str, tuple[int, int]]]:
    """Run and number of each entry, and of those that were the newest when the log began."""
    for data in entries:
        said = json.loads(data)["said"]
        yield said["who"], (said["run"], said["seq"])
        for who, claim in said["body"].get("processes", {}).items() if said["kind"] == OPENED else ():
            if "run" in claim:
                yield who, (claim["run"], claim["seq"])
