"""Outsiders: who else saw the log, and when: cosignatures of other witnesses, and time stamps of an authority."""

import binascii
from base64 import b64decode
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Final

from cryptography import x509

from rostra.verifier.checks.history import History
from rostra.verifier.checks.registration import Anchor, Registration
from rostra.verifier.entry import Entry
from rostra.verifier.errors import FlawError
from rostra.verifier.log import Log
from rostra.verifier.note import Note, parse_checkpoint, signers
from rostra.verifier.policy import Policy, parse_policy
from rostra.verifier.stamp import parse_stamp, trusted
from rostra.verifier.step import Outcome, Step
from rostra.verifier.tree import Tree

STAMP: Final = "timestamp"  # by the witness: the text of a checkpoint, and an authority's token over it
AHEAD_MS: Final = 10_000  # honest clocks differ by less (NTP): more is a lie
SEEN_WITHIN_MS: Final = 180_000  # a checkpoint is cosigned within seconds, and stamped each minute


class Claims:
    """What the witness says of time: where its own entries are, and their instants."""

    def __init__(self) -> None:
        self.places: list[int] = []
        self.walls_ms: list[int] = []

    def take(self, index: int, entry: Entry) -> None:
        self.places.append(index)
        self.walls_ms.append(entry.wall_ms)

    def held_against(self, anchors: Sequence[Anchor]) -> str:
        """How much was seen too late to be held fast, in words; empty if nothing.

        FlawError if outsiders saw something before it claims to have been said.
        """
        worst_ms, ordered, end_ms = 0, sorted(anchors), max(self.walls_ms)
        for place, wall_ms in zip(self.places, self.walls_ms, strict=True):
            found = bisect_left(ordered, (place + 1, 0))
            at_ms = ordered[found].at_ms if found < len(ordered) else end_ms
            if at_ms < wall_ms - AHEAD_MS:
                early_ms = wall_ms - at_ms
                raise FlawError(f"Entry {place} says it is from {early_ms} ms after an outsider saw it: false.")
            worst_ms = max(worst_ms, at_ms - wall_ms)
        if worst_ms <= SEEN_WITHIN_MS:
            return ""
        late_s = worst_ms // 1_000
        return (
            f"outsiders saw what was said only up to {late_s} s later: until then it can be backdated, or rewritten"
        )


class Cosignatures:
    """Which checkpoints a quorum of `policy` has cosigned; without one, by the policy that the log registered."""

    name = "cosignatures"

    def __init__(
        self, log: Log, witness: str, policy: Policy | None, history: History, registration: Registration
    ) -> None:
        self._log = log
        self._witness = witness
        self._policy = policy
        self._history = history
        self._registration = registration
        self._claims = Claims()

    def take(self, index: int, entry: Entry) -> None:
        if entry.who == self._witness:
            self._claims.take(index, entry)

    def steps(self) -> Iterator[Step]:
        policy = self._policy or self._registered()
        if policy is None:
            yield Step(Outcome.INCOMPLETE, self.name, "nobody says whose cosignatures count: no policy")
            return
        own = policy.logs.get(self._log.key.name, self._log.key)
        if own != self._log.key:
            raise FlawError(f"The policy knows another key of {own.name}.")
        anchors = [
            Anchor(kept.checkpoint.size, at_ms)
            for kept in self._history.kept
            if (at_ms := _quorum(kept.note, policy)) is not None
        ]
        count = len(self._history.kept)
        if policy.witnesses and not anchors:
            yield Step(Outcome.INCOMPLETE, self.name, f"none of {count} checkpoints has a quorum")
            return
        self._registration.anchors += anchors
        unheld = self._claims.held_against(anchors) if anchors else ""
        found = f"{len(anchors)} of {count} checkpoints have a quorum" if anchors else "the policy asks for none"
        if self._policy is None:
            yield Step(Outcome.INCOMPLETE, self.name, f"{found}, by the policy that the log itself registered")
        elif not unheld:
            yield Step(Outcome.PASS, self.name, found)
        if unheld:
            yield Step(Outcome.INCOMPLETE, self.name, unheld)

    def _registered(self) -> Policy | None:
        plan = self._registration.plan
        witness = None if plan is None else plan.body.get("witness")
        text = witness.get("policy") if isinstance(witness, dict) else None
        return parse_policy(text.encode()) if isinstance(text, str) and text else None


def _quorum(note: Note, policy: Policy) -> int | None:
    """When the quorum was complete, in ms; None if it is not, or if none is asked for."""
    keys = {member.key: member for member in policy.witnesses.values()}
    cosigned = sorted((at_s or 0, key) for key, at_s in signers(note, keys).items())
    for count in range(1, len(cosigned) + 1):
        if policy.met([key for _, key in cosigned[:count]]):
            return cosigned[count - 1][0] * 1_000
    return None


class Stamps:
    """Checkpoints that an authority has stamped; `roots` are those that the reader believes."""

    name = "timestamps"

    def __init__(
        self, log: Log, tree: Tree, witness: str, roots: Sequence[x509.Certificate], registration: Registration
    ) -> None:
        self._log = log
        self._tree = tree
        self._witness = witness
        self._roots = roots
        self._registration = registration
        self._claims = Claims()
        self._anchors: list[Anchor] = []
        self._whose: dict[str, None] = {}

    def take(self, index: int, entry: Entry) -> None:
        if entry.who != self._witness:
            return
        self._claims.take(index, entry)
        if entry.kind == STAMP:
            self._stamped(index, entry)

    def _stamped(self, index: int, entry: Entry) -> None:
        text, token = entry.body.get("checkpoint"), entry.body.get("token")
        if not isinstance(text, str) or not isinstance(token, str):
            raise FlawError(f"Entry {index} has no time stamp.")
        checkpoint = parse_checkpoint(Note(text, ()))
        if checkpoint.origin != self._log.key.name or checkpoint.size > index:
            raise FlawError(f"Entry {index} has the time stamp of another log.")
        if self._tree.root(checkpoint.size) != checkpoint.root:
            raise FlawError(f"What entry {index} says was stamped is not what is here: the log has two histories.")
        try:
            stamp = parse_stamp(b64decode(token.encode("ascii"), validate=True))
        except (binascii.Error, UnicodeEncodeError) as error:
            raise FlawError(f"The time stamp of entry {index} is not base64.") from error
        if stamp.imprint != sha256(text.encode()).digest():
            raise FlawError(f"The time stamp of entry {index} is of something else.")
        if self._roots:
            trusted(stamp, self._roots)
        self._anchors.append(Anchor(checkpoint.size, stamp.at_ms))
        self._whose[stamp.signer.subject.rfc4514_string()[:80]] = None

    def steps(self) -> Iterator[Step]:
        if not self._anchors:
            yield Step(Outcome.INCOMPLETE, self.name, "no authority has stamped it")
            return
        self._registration.anchors += self._anchors
        unheld = self._claims.held_against(self._anchors)
        found = f"{len(self._anchors)} by {'; '.join(self._whose)}"
        if not self._roots:
            yield Step(Outcome.INCOMPLETE, self.name, f"{found}: nobody says that this is believed")
        elif not unheld:
            yield Step(Outcome.PASS, self.name, found)
        if unheld:
            yield Step(Outcome.INCOMPLETE, self.name, unheld)
