"""Receipts: whether what listeners signed agrees with what edges say, and whether shown ones were left out."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from rostra.verifier.checks.clocks import told
from rostra.verifier.checks.probes import RARE, VISITS_MAX, Probes, is_rare
from rostra.verifier.entry import Entry
from rostra.verifier.errors import FlawError
from rostra.verifier.receipt import KEPT_MAX, MINUTE_MS, RECEIPTS, Promise, Receipt, digest, parse_receipt, raw
from rostra.verifier.signatures import is_signed
from rostra.verifier.step import Outcome, Step

HEARD_WITHIN_MS: Final = 10_000  # as the edges' own claim that probes are held against
SAID_WITHIN_MS: Final = 2 * MINUTE_MS  # an edge says a minute's receipts as soon as it is over
SHOWN_MAX: Final = 10_000  # a week of one listener
AGREES: Final = "agrees"  # with what edges say
CONTRADICTS: Final = "contradicts"
NO_CLAIM: Final = "no_claim"  # there is nothing to compare
_WRONG: Final = (KeyError, TypeError, ValueError, RecursionError)


class Shown(NamedTuple):
    """What a listener saved, and shows: a receipt, and what the edge signed for it, if that came back."""

    receipt: Receipt
    promise: Promise | None
    signature: bytes


class Receipts:
    """`keys` are everybody's, `shown` comes from outside; what edges claim, `probes` knows."""

    name = "receipts"

    def __init__(
        self, conversation: str, probes: Probes, keys: Mapping[str, bytes], shown: Sequence[Shown]
    ) -> None:
        self._conversation = conversation
        self._probes = probes
        self._keys = keys
        self._shown = shown
        self._said: dict[tuple[str, int], set[str]] = {}  # digests, of an edge and a minute
        self._first: dict[bytes, bool] = {}  # of each key: whether it was heard in time
        self._latest_ms: dict[tuple[str, int], int] = {}  # of each run, if somebody shows something
        self._count = 0

    def take(self, index: int, entry: Entry) -> None:
        if self._shown:
            self._latest_ms[entry.who, entry.run] = entry.wall_ms
        if entry.kind != RECEIPTS:
            return
        minute, refused, digests, kept = (entry.body.get(name) for name in ("minute", "refused", "digests", "kept"))
        if not isinstance(minute, int) or not isinstance(digests, list) or not isinstance(kept, list):
            raise FlawError(f"Entry {index} has receipts without their minute, digests or texts.")
        if not isinstance(refused, int) or refused < 0:
            raise FlawError(f"Entry {index} has receipts, and does not say how many were refused.")
        if entry.body.get("conversation") != self._conversation:
            return  # an edge serves several, and says all to every log
        known = {each for each in digests if isinstance(each, str)}
        smallest = sorted(known)[:KEPT_MAX]
        texts = [each.encode() for each in kept if isinstance(each, str)]
        if [digest(text) for text in texts] != smallest:
            raise FlawError(
                f"{entry.who} kept other receipts in entry {index} than those with the smallest digests."
            )
        self._said.setdefault((entry.who, minute), set()).update(known)
        self._count += len(known)
        for receipt in map(parse_receipt, texts):
            if receipt.heard["conversation"] != self._conversation:
                raise FlawError(f"Entry {index} has a receipt of another conversation.")
            if len(self._first) < VISITS_MAX:
                self._first.setdefault(receipt.key, is_heard(receipt.heard))

    def steps(self) -> Iterator[Step]:
        if self._first:
            yield self._agreement()
        left_out = [found for each in self._shown if (found := self._missing(each)) is not None]
        yield from told(self.name, left_out)
        if self._shown and not left_out:
            yield Step(Outcome.PASS, self.name, f"all {len(self._shown)} that were shown are in the log")

    def _agreement(self) -> Step:
        tally = Counter(self._first.values())
        found = f"{tally[True]} of {tally.total()} listeners heard something in time ({self._count} receipts)"
        claimed_u = self._probes.claimed_u()
        if claimed_u is None:
            words = f"{found}; no edge says anything to compare it with"
            return Step(Outcome.INCOMPLETE, self.name, words, NO_CLAIM)
        if is_rare(tally[True], tally.total(), claimed_u):
            found += f", where the edges say {claimed_u / 10_000:.1f} %: less than one in {RARE} by chance"
            words = f"{found}; anybody can sign one, so it is a contradiction, no proof"
            return Step(Outcome.INCOMPLETE, self.name, words, CONTRADICTS)
        return Step(Outcome.PASS, self.name, f"{found}, which {claimed_u / 10_000:.1f} % allows", AGREES)

    def _missing(self, shown: Shown) -> str | None:
        """Why this one was left out, in words; None if it is here. FlawError if its edge had promised it."""
        receipt, promise = shown.receipt, shown.promise
        if receipt.heard["conversation"] != self._conversation:
            raise FlawError("A receipt that was shown is of another conversation.")
        if promise is None:
            here = any(receipt.digest in digests for digests in self._said.values())
            return None if here else f"{receipt.digest} is not in the log, and no edge had promised it"
        key = self._keys.get(promise.who)
        if key is None or not is_signed(key, shown.signature, promise.signed()):
            raise FlawError(f"The promise that was shown for {receipt.digest} is not signed by {promise.who:.80}.")
        if promise.digest != receipt.digest or promise.conversation != self._conversation:
            raise FlawError(f"The promise that was shown for {receipt.digest} is of something else.")
        if receipt.digest in self._said.get((promise.who, promise.minute), ()):
            return None
        due_ms = promise.minute * MINUTE_MS + SAID_WITHIN_MS
        if self._latest_ms.get((promise.who, promise.run), 0) > due_ms:
            raise FlawError(f"{promise.who} had promised the receipt {receipt.digest}, and it was left out.")
        return (
            f"{receipt.digest} is not in the log; {promise.who} had promised it, and said nothing more after that"
        )


def is_heard(heard: Mapping[str, Any]) -> bool:
    """Whether sound came in time, by a receipt."""
    return bool(heard["chunks"] > 0 and heard["first_sound_ms"] <= HEARD_WITHIN_MS)


def parse_shown(data: bytes) -> list[Shown]:
    """What a listener saved from the page: a line of JSON for each. FlawError for anything else."""
    lines = data.splitlines()
    if len(lines) > SHOWN_MAX:
        raise FlawError(f"More than {SHOWN_MAX} receipts are shown.")
    try:
        return [_shown(json.loads(line)) for line in lines]
    except _WRONG as error:
        raise FlawError("What was shown are no receipts.") from error


def _shown(value: dict[str, Any]) -> Shown:
    text, promised = value["receipt"], value["promise"]
    if not isinstance(text, str):
        raise FlawError("A receipt is a text.")
    receipt = parse_receipt(text.encode())
    if promised is None:
        return Shown(receipt, None, b"")
    promise = Promise(**{name: promised[name] for name in Promise._fields})
    if any(type(each) is not kind for each, kind in zip(promise, (str, int, str, int, str), strict=True)):
        raise FlawError("A promise has other values than an edge gives.")
    return Shown(receipt, promise, raw(promised["sig"]))
