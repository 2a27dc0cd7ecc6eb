"""A synthetic evening: what a witness and its edges would say in a log, and the log as files."""

from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rostra.evidence.chain import Chain
from rostra.verifier.checks.history import KEPT
from rostra.verifier.checks.outsiders import STAMP
from rostra.verifier.checks.probes import PROBE
from rostra.verifier.checks.registration import PLAN
from rostra.verifier.entry import OPENED, REGISTERED
from rostra.verifier.log import KEY
from rostra.verifier.note import Algorithm, Checkpoint, cosignature, note_key, parse_note, signature
from rostra.verifier.policy import parse_policy
from rostra.verifier.tree import Tree, leaf_hash
from rostra.witness.ledger import Ledger

ORIGIN = "example.org/rostra/evening"
WITNESS = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
LOG_KEY = note_key(ORIGIN, WITNESS)
START_MS = 1_723_485_600_000
DOORS_S = 60
CHECKPOINT_S = 10
COSIGNERS = ("north", "south", "west")


def key_of(who: str) -> Ed25519PrivateKey:
    """Each process's own, the same in every run of the tests."""
    return Ed25519PrivateKey.from_private_bytes(who.encode().ljust(32, b"."))


def signed_note(text: str, *, origin: str = ORIGIN, key: Ed25519PrivateKey = WITNESS) -> bytes:
    return f"{text}\n{signature(text, origin, key)}".encode()


NEVER = dict.fromkeys(
    (
        *("asked_first_speaker", "asked_first_registered", "asked_first_signed_in", "asked_again", "sound_later"),
        *(f"sound_within_{limit}_ms" for limit in (300, 1_000, 3_000, 10_000)),
    ),
    0,
)
PROBE_KEY = note_key("paper.example", key_of("paper.example"))


def _policy() -> str:
    keys = {name: note_key(f"{name}.example", key_of(name), Algorithm.COSIGNATURE) for name in COSIGNERS}
    witnesses = "".join(f"witness {name} {key}\n" for name, key in keys.items())
    return f"log {LOG_KEY}\n{witnesses}group most 2 {' '.join(keys)}\nquorum most\n"


POLICY_TEXT = _policy()
POLICY = parse_policy(POLICY_TEXT.encode())


class Evening:
    """The entries in the order of the log; everybody's clock is `wall_ms` and `steady_ms`."""

    def __init__(
        self,
        *edges: str,
        origin: str = ORIGIN,
        plan: dict[str, Any] | None = None,
        start_ms: int = START_MS,
        has: dict[str, int] | None = None,
    ) -> None:
        self.wall_ms = self.start_ms = start_ms
        self.steady_ms = 0
        self.entries: list[bytes] = []
        self.edges = edges or ("edge-1",)
        self.notes: list[bytes] = []  # every checkpoint so far
        self.counted = dict.fromkeys(self.edges, 0)
        self.skew_ms: dict[str, int] = {}  # by how much somebody's wall clock is wrong
        self.cosigning_delay_ms = 0
        self.more: dict[str, int] = {}  # what each edge says it did besides, each second
        self.kernel_grows: dict[str, int] = {}  # what its kernel counts besides, each second
        self._kernel = dict(has or {})
        self._did: dict[str, int] = dict.fromkeys(("accepts",), 0)
        self._origin = origin
        self._tree = Tree()
        self._chains: dict[str, Chain] = {}
        processes = {edge: {"key": self.chain(edge).key} for edge in self.edges}
        conversation = origin.rpartition("/")[2]
        doors_ms = start_ms + DOORS_S * 1_000
        doors = {"doors_ms": doors_ms, "starts_ms": doors_ms + 60_000, "ends_ms": doors_ms + 600_000}
        self.say("witness", OPENED, {"conversation": conversation, "processes": processes} | doors)
        self.say("witness", PLAN, plan or {"number": 1, "probes": [str(PROBE_KEY)]})

    def chain(self, who: str, *, anew: bool = False) -> Chain:
        if anew or who not in self._chains:
            private = WITNESS if who == "witness" else key_of(who)
            self._chains[who] = Chain(
                who,
                private,
                clock_ns=lambda: (self.wall_ms + self.skew_ms.get(who, 0)) * 1_000_000,
                steady_ns=lambda: self.steady_ms * 1_000_000,
            )
        return self._chains[who]

    def use(self, who: str, chain: Chain) -> None:
        """From now on `who` speaks in this chain."""
        self._chains[who] = chain

    def say(self, who: str, kind: str, body: dict[str, Any]) -> None:
        chain = self.chain(who)
        entry = chain.sealed(kind, body)
        chain.said(entry)
        self.entries.append(entry)

    def record(self, edge: str) -> dict[str, Any]:
        """What an edge says at this second: three came in, and all is well."""
        self.counted[edge] += 3
        count = self.counted[edge]
        did = dict.fromkeys(("asked_first_anonymous", "admitted", "streams", "sound_within_100_ms"), count) | NEVER
        return {"did": did | self._did, "has": dict(self._kernel)}

    def go_on(self, seconds: int) -> "Evening":
        for _ in range(seconds):
            self.wall_ms += 1_000
            self.steady_ms += 1_000
            self._did = {name: self._did.get(name, 0) + count for name, count in self.more.items()} or self._did
            self._kernel = {name: value + self.kernel_grows.get(name, 0) for name, value in self._kernel.items()}
            for edge in self.edges:
                self.say(edge, "record", self.record(edge))
            if self.steady_ms % (CHECKPOINT_S * 1_000) == 0:
                self.checkpoint()
        return self

    def checkpoint(self) -> None:
        """The witness keeps the former checkpoint, and makes one of all that is here."""
        if self.notes:
            self.say("witness", KEPT, {"note": self.notes[-1].decode() + self.cosigned})
        for entry in self.entries[len(self._tree) :]:
            self._tree.append(leaf_hash(entry))
        text = str(Checkpoint(self._origin, len(self._tree), self._tree.root()))
        self.notes.append(signed_note(text, origin=self._origin))
        at_s = (self.wall_ms + self.cosigning_delay_ms) // 1_000
        self.cosigned = "".join(cosignature(text, f"{name}.example", key_of(name), at_s=at_s) for name in COSIGNERS)

    def probe(self, *outcomes: str, key: Ed25519PrivateKey | None = None) -> "Evening":
        """A newspaper's probe has come so often."""
        who = PROBE_KEY.name
        if who not in self._chains:
            chain = Chain(
                who,
                key or key_of(who),
                clock_ns=lambda: self.wall_ms * 1_000_000,
                steady_ns=lambda: self.steady_ms * 1_000_000,
            )
            self._chains[who] = chain
            self.say("witness", REGISTERED, {"processes": {who: {"key": chain.key}}})
        for outcome in outcomes:
            self.say(who, PROBE, {"outcome": outcome})
        return self

    def stamp(self, token: Callable[[bytes], bytes]) -> None:
        """The newest checkpoint is stamped by an authority."""
        text = parse_note(self.notes[-1]).text
        stamped = b64encode(token(text.encode())).decode()
        self.say("witness", STAMP, {"checkpoint": text, "token": stamped})


def written(folder: Path, entries: list[bytes], *, key: Ed25519PrivateKey = WITNESS, origin: str = ORIGIN) -> Path:
    """A ledger of these entries, signed by `key`."""
    named = note_key(origin, key)
    ledger = Ledger(folder, origin=origin, key=named, sign=lambda text: signature(text, origin, key))
    for entry in entries:
        ledger.append(entry)
    ledger.checkpoint()
    ledger.close()
    (folder / KEY).write_text(f"{named}\n")
    return folder
