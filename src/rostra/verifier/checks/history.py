"""One history: every checkpoint that was kept, in the log or by readers elsewhere, is of these same entries."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from rostra.verifier.entry import Entry
from rostra.verifier.errors import FlawError
from rostra.verifier.log import Log, signed_by
from rostra.verifier.note import Checkpoint, Note, parse_note
from rostra.verifier.step import Outcome, Step
from rostra.verifier.tree import Tree

KEPT: Final = "checkpoint"  # by the witness: a former checkpoint, and who has cosigned it since


class Kept(NamedTuple):
    """A checkpoint, and the place of the entry that keeps it: what is behind it came later."""

    checkpoint: Checkpoint
    note: Note
    place: int


class History:
    """Compares with `tree`. `seen` are signed notes that somebody kept elsewhere."""

    name = "consistency"

    def __init__(self, log: Log, tree: Tree, witness: str, seen: Sequence[bytes]) -> None:
        self.kept: list[Kept] = []
        self._log = log
        self._tree = tree
        self._witness = witness
        self._seen = seen

    def take(self, index: int, entry: Entry) -> None:
        if entry.kind != KEPT or entry.who != self._witness:
            return
        text = entry.body.get("note")
        if not isinstance(text, str):
            raise FlawError(f"Entry {index} keeps a checkpoint without its note.")
        note = parse_note(text.encode())
        checkpoint = signed_by(note, self._log.key)
        if checkpoint.size > index:
            raise FlawError(f"Entry {index} keeps a checkpoint of {checkpoint.size} entries: more than were there.")
        self._compare(checkpoint, f"entry {index}")
        self.kept.append(Kept(checkpoint, note, index))

    def steps(self) -> Iterator[Step]:
        for number, data in enumerate(self._seen, 1):
            checkpoint = signed_by(parse_note(data), self._log.key)
            if checkpoint.size > len(self._tree):
                more = checkpoint.size - len(self._tree)
                raise FlawError(f"A reader was shown {more} entries more than are here: the end was cut off.")
            self._compare(checkpoint, f"reader {number}")
        self.kept.append(Kept(self._log.checkpoint, self._log.note, len(self._tree)))
        found = f"{len(self.kept)} checkpoints of the log"
        found += f" and {len(self._seen)} of readers" if self._seen else ""
        yield Step(Outcome.PASS, self.name, f"{found} are of one history")

    def _compare(self, checkpoint: Checkpoint, whose: str) -> None:
        if self._tree.root(checkpoint.size) != checkpoint.root:
            raise FlawError(
                f"The checkpoint of {whose} has another root for the first {checkpoint.size} entries: "
                "the log has two histories."
            )
