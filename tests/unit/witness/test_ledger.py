"""The ledger's files: as tlog-tiles has them, and whole whatever the disk or the kernel does to its writer."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rostra.core.errors import BadInputError
from rostra.verifier.note import Checkpoint, note_key, parse_checkpoint, parse_note, signature
from rostra.verifier.tiles import unbundled
from rostra.verifier.tree import Tree, leaf_hash
from rostra.witness.check import check_ledger
from rostra.witness.ledger import Disk, Ledger, RealDisk

ORIGIN = "example.org/rostra/evening"
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY = note_key(ORIGIN, PRIVATE)


def sign(text: str) -> str:
    return signature(text, ORIGIN, PRIVATE)


@contextmanager
def opened(folder: Path, files: Disk | None = None) -> Iterator[Ledger]:
    ledger = Ledger(folder, origin=ORIGIN, key=KEY, sign=sign, files=files)
    try:
        yield ledger
    finally:
        ledger.close()


def entry(number: int) -> bytes:
    return b'{"number":%d}' % number


def tree_of(count: int) -> Tree:
    tree = Tree()
    for number in range(count):
        tree.append(leaf_hash(entry(number)))
    return tree


def findings(folder: Path) -> tuple[int, list[str]]:
    size, found = check_ledger(folder, origin=ORIGIN, key=KEY)
    return size, [f"{each.where}: {each.what}" for each in found]


def test_the_files_are_those_of_tlog_tiles(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        for number in range(600):
            assert ledger.append(entry(number)) == number
        note = ledger.checkpoint()
    assert parse_checkpoint(parse_note(note)) == Checkpoint(ORIGIN, 600, tree_of(600).root())
    assert (tmp_path / "checkpoint").read_bytes() == note
    files = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert files == {
        "checkpoint", "lock", "tail.600",
        "tile/0/000", "tile/0/001", "tile/0/002.p/88", "tile/1/000.p/2",
        "tile/entries/000", "tile/entries/001", "tile/entries/002.p/88",
    }  # fmt: skip
    assert unbundled((tmp_path / "tile/entries/001").read_bytes()) == [entry(n) for n in range(256, 512)]
    assert findings(tmp_path) == (600, [])


def test_it_goes_on_where_it_was_and_narrow_tiles_go_when_they_are_full(tmp_path: Path) -> None:
    count = 0
    for growth in (1, 5, 250, 1, 0, 300, 255):
        with opened(tmp_path) as ledger:
            assert len(ledger) == count
            for _ in range(growth):
                ledger.append(entry(count))
                count += 1
            ledger.checkpoint()
        assert findings(tmp_path) == (count, [])
    assert not list((tmp_path / "tile/0/000.p").glob("*"))
    assert parse_checkpoint(parse_note((tmp_path / "checkpoint").read_bytes())).root == tree_of(count).root()


def test_what_was_synced_and_not_checkpointed_is_still_there(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        for number in range(300):
            ledger.append(entry(number))
        ledger.checkpoint()
        for number in range(300, 310):
            ledger.append(entry(number))
        ledger.sync()
    assert findings(tmp_path) == (310, [])
    with opened(tmp_path) as ledger:
        assert len(ledger) == 310
        ledger.append(entry(310))
        ledger.checkpoint()
    assert findings(tmp_path) == (311, [])


def test_two_writers_are_one_too_many(tmp_path: Path) -> None:
    with opened(tmp_path), pytest.raises(BadInputError, match="Another process"):
        Ledger(tmp_path, origin=ORIGIN, key=KEY, sign=sign)


def test_an_entry_that_no_bundle_holds_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger, pytest.raises(BadInputError, match="at most 65535"):
        ledger.append(bytes(65_536))


def test_half_an_entry_at_the_end_is_told_and_then_gone(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        ledger.append(entry(0))
        ledger.append(entry(1))
    tail = tmp_path / "tail.0"
    tail.write_bytes(tail.read_bytes()[:-3])
    assert findings(tmp_path) == (1, ["tail.0: its last 17 bytes are an entry that was never written whole"])
    with opened(tmp_path) as ledger:
        assert len(ledger) == 1
    assert findings(tmp_path) == (1, [])


@pytest.mark.parametrize("name", ["tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/000"])
@pytest.mark.parametrize("how", ["gone", "changed", "cut"])
def test_fsck_names_the_file_that_is_not_what_it_was(tmp_path: Path, name: str, how: str) -> None:
    with opened(tmp_path) as ledger:
        for number in range(300):
            ledger.append(entry(number))
        ledger.checkpoint()
    path = tmp_path / name
    data = path.read_bytes()
    if how == "gone":
        path.unlink()
    else:
        path.write_bytes(data[:-1] if how == "cut" else data[:20] + bytes([data[20] ^ 1]) + data[21:])
    _, found = findings(tmp_path)
    assert any(finding.startswith((f"{name}: ", "tile/0/000: ")) for finding in found)


def test_a_checkpoint_of_somebody_else_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        ledger.append(entry(0))
        ledger.checkpoint()
    stranger = Ed25519PrivateKey.generate()
    text = str(Checkpoint(ORIGIN, 1, tree_of(1).root()))
    (tmp_path / "checkpoint").write_text(f"{text}\n{signature(text, ORIGIN, stranger)}")
    assert findings(tmp_path)[1] == [f"checkpoint: The checkpoint is not signed by {ORIGIN}."]
    with pytest.raises(BadInputError, match="not signed"):
        Ledger(tmp_path, origin=ORIGIN, key=KEY, sign=sign)


# --- failures at any call ------------------------------------------------------------------------------


class KilledError(BaseException):
    """The process is no more; nothing of it may catch this."""


class FailingDisk(RealDisk):
    """Fails at call number `fails_at`, having done `done` of it (0, a part, or all): full, or killed for good."""

    def __init__(self, fails_at: int, *, killed: bool, done: float) -> None:
        self.calls = 0
        self._fails_at = fails_at
        self._killed = killed
        self._done = done

    def _fails(self) -> bool:
        self.calls += 1
        return self.calls == self._fails_at or (self._killed and self.calls > self._fails_at)

    def _raise(self) -> None:
        raise KilledError if self._killed else OSError(errno.ENOSPC, "No space left on device")

    def append(self, path: Path) -> IO[bytes]:
        if self._fails():
            self._raise()
        return super().append(path)

    def write(self, file: IO[bytes], data: bytes) -> None:
        if self._fails():
            super().write(file, data[: round(len(data) * self._done)])
            self._raise()
        super().write(file, data)

    def truncate(self, file: IO[bytes], size: int) -> None:
        if self._fails():
            self._raise()
        super().truncate(file, size)

    def sync(self, path: Path) -> None:
        if self._fails():
            self._raise()
        super().sync(path)

    def replace(self, path: Path, data: bytes) -> None:
        if self._fails():
            if self._done == 1:
                super().replace(path, data)
            elif self._done:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.with_name(f".{path.name}").write_bytes(data[: len(data) // 2])
            self._raise()
        super().replace(path, data)

    def remove(self, path: Path) -> None:
        if self._fails():
            if self._done == 1:
                super().remove(path)
            self._raise()
        super().remove(path)


def evening(folder: Path, files: Disk, counted: list[int]) -> None:
    """Entries in bursts, synced and checkpointed; `counted[0]` is how many are safe, `[1]` how many were taken.

    Whoever cannot write tries again, as the witness does.
    """
    with opened(folder, files) as ledger:
        for burst in (3, 250, 10, 1, 40):
            for _ in range(burst):
                _until_it_works(lambda: ledger.append(entry(len(ledger))))
                counted[1] = len(ledger)
            _until_it_works(ledger.sync)
            counted[0] = len(ledger)
            _until_it_works(ledger.checkpoint)


def _until_it_works(do: object) -> None:
    assert callable(do)
    for _ in range(3):
        try:
            do()
        except OSError:
            continue
        return
    raise AssertionError("the disk stays full")


def calls_of_an_evening(folder: Path) -> int:
    files = FailingDisk(0, killed=False, done=0)
    evening(folder, files, [0, 0])
    return files.calls


def _calls(count: int, *, first: int = 1) -> list[int]:
    """Each call of a beginning and of an end, and some of the many alike between."""
    return [*range(first, 20), *range(20, count - 25, 29), *range(count - 25, count + 1)]


@pytest.mark.parametrize("done", [0, 0.5, 1])
def test_p9_a_kill_at_any_call_leaves_a_ledger_that_lacks_at_most_what_was_not_synced(
    tmp_path: Path, done: float
) -> None:
    calls = calls_of_an_evening(tmp_path / "whole")
    assert calls > 330
    for fails_at in _calls(calls):
        folder = tmp_path / str(fails_at)
        counted = [0, 0]
        with pytest.raises(KilledError):
            evening(folder, FailingDisk(fails_at, killed=True, done=done), counted)
        size, found = findings(folder)
        assert counted[0] <= size <= counted[1] + 1
        assert all("never written whole" in each for each in found)
        with opened(folder) as ledger:
            assert len(ledger) == size
            ledger.append(entry(size))
            note = ledger.checkpoint()
        assert parse_checkpoint(parse_note(note)).root == tree_of(size + 1).root()
        assert findings(folder) == (size + 1, [])


@pytest.mark.parametrize("done", [0, 0.5])
def test_p9_a_disk_that_is_full_at_any_call_costs_nothing(tmp_path: Path, done: float) -> None:
    calls = calls_of_an_evening(tmp_path / "whole")
    for fails_at in _calls(calls, first=3):
        folder = tmp_path / str(fails_at)
        evening(folder, FailingDisk(fails_at, killed=False, done=done), [0, 0])
        assert findings(folder) == (304, [])
