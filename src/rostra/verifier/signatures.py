"""Signatures of entries: checked at once, or, of a long log, by a second process while the first one reads on."""

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Final, NamedTuple, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from rostra.verifier.errors import FlawError

BESIDE_MIN: Final = 8_192  # signatures: of fewer, a process takes longer to start than it saves
_TOGETHER: Final = 256  # half a megabyte on its way to the other process
_AHEAD: Final = 16  # of these; then the first process waits


class Signature(NamedTuple):
    """Of entry `seq` of `who`, as they wrote it."""

    who: str
    seq: int
    key: bytes
    signature: bytes
    signed: bytes

    def is_true(self) -> bool:
        return is_signed(self.key, self.signature, self.signed)

    def flaw(self) -> FlawError:
        return FlawError(f"Entry {self.seq} of {self.who} is not signed by {self.who}: edited, or another key.")


class Signatures(Protocol):
    """FlawError for the first that is false: from `take`, or as late as from `settle`."""

    def take(self, signature: Signature) -> None: ...
    def settle(self) -> None: ...
    def close(self) -> None: ...


def is_signed(key: bytes, signature: bytes, signed: bytes) -> bool:
    """By Ed25519."""
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, signed)
    except InvalidSignature:
        return False
    return True


class AtOnce:
    """For who wants to know before the next entry."""

    def take(self, signature: Signature) -> None:
        if not signature.is_true():
            raise signature.flaw()

    def settle(self) -> None:
        """Nothing is left."""

    def close(self) -> None:
        """Nothing is open."""


class Beside:
    """Ed25519 is two fifths of a verification. The process is a new one: copies of one with threads may hang."""

    def __init__(self) -> None:
        self._pool = ProcessPoolExecutor(1, get_context("spawn"))
        self._batch: list[Signature] = []
        self._sent: deque[tuple[list[Signature], Future[int | None]]] = deque()

    def take(self, signature: Signature) -> None:
        self._batch.append(signature)
        if len(self._batch) == _TOGETHER:
            self._send()

    def _send(self) -> None:
        try:
            future = self._pool.submit(first_false, self._batch)
        except BrokenProcessPool as error:
            raise _ended() from error
        self._sent.append((self._batch, future))
        self._batch = []
        if len(self._sent) > _AHEAD:
            self._receive()

    def _receive(self) -> None:
        batch, future = self._sent.popleft()
        try:
            false = future.result()
        except BrokenProcessPool as error:
            raise _ended() from error
        if false is not None:
            self._sent.clear()  # what is behind the first one is not asked for
            self._batch = []
            raise batch[false].flaw()

    def settle(self) -> None:
        if self._batch:
            self._send()
        while self._sent:
            self._receive()

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)


def first_false(signatures: Sequence[Signature]) -> int | None:
    """The place of the first one that is."""
    return next((place for place, each in enumerate(signatures) if not each.is_true()), None)


def _ended() -> FlawError:
    return FlawError("The process that checks signatures was ended from outside: nothing is known of them.")
