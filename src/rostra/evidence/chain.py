"""One run of one process as evidence: numbered, chained and signed entries."""

import time
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rostra.verifier.canonical import Json
from rostra.verifier.entry import FIRST, PURPOSE, Entry, entry_digest, seal


class Chain:
    """`clock_ns` is the wall's, `steady_ns` never steps."""

    def __init__(
        self,
        who: str,
        private: Ed25519PrivateKey,
        *,
        clock_ns: Callable[[], int] = time.time_ns,
        steady_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.who = who
        self._private = private
        self._clock_ns = clock_ns
        self._steady_ns = steady_ns
        self.run = clock_ns() // 1_000_000
        self._since_ns = steady_ns()
        self._seq = 0
        self._prev = FIRST

    @property
    def key(self) -> str:
        """The public key, in hexadecimal."""
        return self._private.public_key().public_bytes_raw().hex()

    def sign(self, said: bytes) -> bytes:
        """Sign something that is no entry: it begins with a purpose of its own."""
        assert not said.startswith(PURPOSE)
        return self._private.sign(said)

    def sealed(self, kind: str, body: dict[str, Json]) -> bytes:
        """The entry that would come next. `said` makes it the last one."""
        wall_ms = self._clock_ns() // 1_000_000
        mono_ms = (self._steady_ns() - self._since_ns) // 1_000_000
        return seal(Entry(self.who, self.run, self._seq, self._prev, kind, wall_ms, mono_ms, body), self._private)

    def said(self, entry: bytes) -> None:
        """It has been taken: the next one follows it."""
        self._seq += 1
        self._prev = entry_digest(entry)
