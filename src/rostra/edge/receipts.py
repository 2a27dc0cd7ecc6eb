"""What listeners say that they heard, minute by minute: a bounded pool, whose digests go into the ledger."""

from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

from rostra.core.limits import JOIN_RECEIPTS_PER_SECOND_MAX, RECEIPTS_PER_MINUTE_MAX
from rostra.verifier.canonical import Json, canonical
from rostra.verifier.errors import FlawError
from rostra.verifier.receipt import KEPT_MAX, MINUTE_MS, Promise, parse_receipt

JOIN: Final = b"rostra-join/v1\n"
Sign = Callable[[bytes], bytes]


class Pool:
    """Receipts of one conversation that came in one minute: one of each key, RECEIPTS_PER_MINUTE_MAX of them."""

    def __init__(self) -> None:
        self.texts: dict[bytes, tuple[str, str]] = {}  # by key: digest, and the receipt
        self.refused = 0

    def body(self, conversation: str, minute: int) -> dict[str, Json]:
        """Every digest, and the receipts with the smallest: which these are, nobody at the edge can choose."""
        received = sorted(self.texts.values())
        return {
            "conversation": conversation,
            "minute": minute,
            "digests": [digest for digest, _ in received],
            "kept": [text for _, text in received[:KEPT_MAX]],
            "refused": self.refused,
        }


class Receipts:
    """`sign` is by the key with which edge `who` signs its entries, in its run `run`."""

    def __init__(self, who: str, run: int, sign: Sign) -> None:
        self._who = who
        self._run = run
        self._sign = sign
        self._pools: dict[tuple[str, int], Pool] = {}
        self._joins: Counter[int] = Counter()  # of the current second

    def take(self, conversation: str, text: bytes, *, now_ms: int) -> dict[str, Json] | None:
        """The promise that it will be in the ledger; None if there are too many. FlawError if it is none."""
        minute = now_ms // MINUTE_MS
        pool = self._pools.setdefault((conversation, minute), Pool())
        if len(pool.texts) + pool.refused >= RECEIPTS_PER_MINUTE_MAX:
            pool.refused += 1
            return None
        try:
            receipt = parse_receipt(text)
        except FlawError:
            pool.refused += 1
            raise
        if receipt.heard["conversation"] != conversation or receipt.key in pool.texts:
            pool.refused += 1
            raise FlawError("A receipt is of this conversation, and one of each minute is enough.")
        pool.texts[receipt.key] = receipt.digest, text.decode()
        promise = Promise(self._who, self._run, conversation, minute, receipt.digest)
        return promise._asdict() | {"sig": b64encode(self._sign(promise.signed())).decode()}

    def joined(self, outcome: str, nonce: str, conversation: str, *, now_ms: int) -> str | None:
        """What became of a join, signed; None if too many ask for that in this second."""
        second = now_ms // 1_000
        if second not in self._joins:
            self._joins.clear()
        self._joins[second] += 1
        if self._joins[second] > JOIN_RECEIPTS_PER_SECOND_MAX:
            return None
        said = canonical(
            {
                "who": self._who,
                "run": self._run,
                "conversation": conversation,
                "at_ms": now_ms,
                "outcome": outcome,
                "nonce": nonce,
            }
        )
        return f"{b64encode(said).decode()}.{b64encode(self._sign(JOIN + said)).decode()}"

    def done(self, *, now_ms: int) -> Iterator[dict[str, Json]]:
        """The minutes that are over, once each."""
        for conversation, minute in [each for each in self._pools if each[1] < now_ms // MINUTE_MS]:
            yield self._pools.pop((conversation, minute)).body(conversation, minute)
