"""A log becomes a report: it is checked, read and judged here, and put in words by `rostra.report`.

As a program it makes the reports of a ledger's folder in that folder, and lets everything else go first.
"""

import json
import os
import sys
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

from rostra import disk
from rostra.core.errors import BadInputError
from rostra.report.page import render
from rostra.report.provenance import Correction, Judged, Probe, Provenance, Receipts, Stamped
from rostra.report.wording import LANGUAGES
from rostra.verdict.code import code_digest
from rostra.verdict.evening import CHANGE, read
from rostra.verdict.verdict import digest, judge, judge_now
from rostra.verifier.checks import receipts as checks
from rostra.verifier.checks.history import KEPT
from rostra.verifier.checks.judgement import CORRECTION, CORRECTOR, FAILURES, VERDICT
from rostra.verifier.checks.outsiders import STAMP
from rostra.verifier.checks.probes import HEARD, PROBE, VISITS_MAX
from rostra.verifier.checks.registration import PLAN
from rostra.verifier.entry import Entry
from rostra.verifier.errors import FlawError
from rostra.verifier.log import Log, named_key, open_log
from rostra.verifier.note import Note, NoteKey, parse_checkpoint, parse_note, signers
from rostra.verifier.policy import parse_policy
from rostra.verifier.receipt import MINUTE_MS, RECEIPTS
from rostra.verifier.source import Folder, Source
from rostra.verifier.stamp import parse_stamp
from rostra.verifier.step import Outcome
from rostra.verifier.verify import verify

VERDICT_FILE: Final = "verdict.json"


def page_file(language: str) -> str:
    return f"report.{language}.html"


@dataclass(frozen=True, slots=True)
class Report:
    """A verdict, and the page about it in each language that was asked for."""

    verdict: Mapping[str, Any]
    pages: Mapping[str, str]

    @property
    def files(self) -> dict[str, bytes]:
        """As a bundle has them, and as the witness serves them."""
        whole = json.dumps(self.verdict, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        pages = {page_file(language): page.encode() for language, page in self.pages.items()}
        return {**pages, VERDICT_FILE: whole.encode()}


def report(source: Source, *, address: str | None = None, languages: Sequence[str] = LANGUAGES) -> Report:
    """What the log in `source` says: the entries of its last verdict, or as far as it goes.

    `address` is what links to the log's files begin with. BadInputError for a log that is false or no evening.
    """
    compared = ""
    for step in verify(source):
        if step.outcome is Outcome.FAIL:
            raise BadInputError(f"No report is made of this log: {step.name}: {step.found}")
        if step.name == checks.Receipts.name:
            compared = step.code
    try:
        log = open_log(source, named_key(source))
        found = _Found(log, compared)
        evening = read(_Entries(log, found.judged_size))
        verdict = (judge_now if found.goes_on else judge)(evening).as_json()
    except (FlawError, *FAILURES) as error:
        raise BadInputError(f"This log cannot be judged: {error!s:.200}") from error
    provenance = found.provenance(digest(verdict), address)
    return Report(verdict, {language: render(verdict, evening, provenance, language) for language in languages})


class _Entries:
    """The first `size` entries, each time they are asked for: all of them at once would be half a gigabyte."""

    def __init__(self, log: Log, size: int) -> None:
        self._log = log
        self._size = size

    def __iter__(self) -> Iterator[Entry]:
        for data in islice(self._log.entries(), self._size):
            yield Entry(**json.loads(data)["said"])  # `verify` has checked it


class _Found:
    """What is in a log beside the evening itself. FlawError for what `verify` does not look at and is malformed."""

    def __init__(self, log: Log, compared: str) -> None:
        self.judged_size = log.checkpoint.size
        self._log = log
        self._opened: Entry | None = None
        self._last_ms = 0
        self._keys: Sequence[NoteKey] = ()  # of whom cosignatures are asked, as was registered
        self._cosigners: dict[str, None] = {}
        self._stamps: list[Stamped] = []
        self._visits: dict[str, list[bool]] = {}
        self._judged: list[Judged] = []
        self._corrections: list[Correction] = []
        self._warned: set[int] = set()
        self._receipts = _Receipts(compared)
        of_witness = {VERDICT: self._judge, KEPT: self._keep, STAMP: self._stamp, PLAN: self._plan}
        of_others = {
            PROBE: self._probe, CORRECTION: self._correct, CHANGE: self._change, RECEIPTS: self._signed,
        }  # fmt: skip
        for index, entry in enumerate(_Entries(log, log.checkpoint.size)):
            self._opened = self._opened or entry
            self._last_ms = max(self._last_ms, entry.wall_ms)
            take = (of_witness if entry.who == self._opened.who else of_others).get(entry.kind)
            if take is not None:
                take(index, entry)
        self._cosign(log.note)

    @property
    def goes_on(self) -> bool:
        """Whether its witness judges it, and has not said its last word."""
        return bool(self._judged) and not any(each.final for each in self._judged)

    def provenance(self, of: str, address: str | None) -> Provenance:
        log = self._log
        title = self._opened.body.get("title") if self._opened else None
        return Provenance(
            origin=log.checkpoint.origin,
            key=str(log.key),
            size=log.checkpoint.size,
            judged_size=self.judged_size,
            root=log.checkpoint.root.hex(),
            checkpoint=f"{log.note.text}\n{log.note.lines(log.key)}",
            code=code_digest(),
            digest=of,
            last_ms=self._last_ms,
            title=title if isinstance(title, str) else "",
            address=address,
            is_open=self.goes_on,
            cosigners=tuple(self._cosigners),
            stamps=tuple(self._stamps),
            probes=tuple(Probe(name, len(found), found.count(True)) for name, found in self._visits.items()),
            judged=tuple(self._judged),
            corrections=tuple(self._corrections),
            warned=frozenset(self._warned),
            receipts=self._receipts.told(),
        )

    def _judge(self, index: int, entry: Entry) -> None:
        body = entry.body
        label, found, size = body.get("label"), body.get("digest"), body.get("size")
        if not isinstance(label, str) or not isinstance(found, str) or not isinstance(size, int):
            raise FlawError(f"Entry {index} is no verdict.")
        final = body.get("final") is True
        self._judged.append(Judged(index, entry.wall_ms, label, body.get("firm") is True, found, final=final))
        if final:
            self.judged_size = min(size, index)

    def _keep(self, _index: int, entry: Entry) -> None:
        self._cosign(parse_note(str(entry.body.get("note")).encode()))

    def _cosign(self, note: Note) -> None:
        self._cosigners |= {key.name: None for key in signers(note, self._keys)}

    def _stamp(self, _index: int, entry: Entry) -> None:
        checkpoint = parse_checkpoint(Note(str(entry.body.get("checkpoint")), ()))
        stamp = parse_stamp(b64decode(str(entry.body.get("token"))))
        self._stamps.append(Stamped(stamp.signer.subject.rfc4514_string(), checkpoint.size, stamp.at_ms))

    def _plan(self, _index: int, entry: Entry) -> None:
        witness = entry.body.get("witness")
        policy = witness.get("policy") if isinstance(witness, dict) else None
        if isinstance(policy, str) and policy:
            self._keys = [each.key for each in parse_policy(policy.encode()).witnesses.values()]

    def _probe(self, _index: int, entry: Entry) -> None:
        self._visits.setdefault(entry.who, []).append(entry.body.get("outcome") == HEARD)

    def _change(self, index: int, entry: Entry) -> None:
        if entry.body.get("warned"):
            self._warned.add(index)

    def _signed(self, _index: int, entry: Entry) -> None:
        if self._is_ours(entry):
            self._receipts.take(entry.body)

    def _is_ours(self, entry: Entry) -> bool:
        """A process may serve several conversations, and says all to every log."""
        return self._opened is not None and entry.body.get("conversation") == self._opened.body.get("conversation")

    def _correct(self, index: int, entry: Entry) -> None:
        of, text = entry.body.get("entry"), entry.body.get("text")
        if self._is_ours(entry) and entry.who == CORRECTOR and isinstance(of, int) and isinstance(text, str):
            self._corrections.append(Correction(index, entry.wall_ms, entry.who, of, text))


class _Receipts:
    """What all receipts of a log say together. No single one can say more than a minute."""

    def __init__(self, compared: str) -> None:
        self._compared = compared
        self._count = self._refused = self._kept = 0
        self._sounding_ms = self._silent = self._holes = 0
        self._in_time: dict[str, bool] = {}  # by key, as far as `verify` compares them

    def take(self, body: Mapping[str, Any]) -> None:
        """An edge's entry of a minute, which `verify` has checked."""
        self._count += len({each for each in body["digests"] if isinstance(each, str)})
        self._refused += body["refused"]
        for each in (json.loads(text) for text in body["kept"] if isinstance(text, str)):
            heard = each["heard"]
            silent_ms = min(MINUTE_MS, heard["silent_ms"]) if heard["chunks"] else MINUTE_MS
            self._kept += 1
            self._sounding_ms += MINUTE_MS - silent_ms
            self._silent += silent_ms == MINUTE_MS
            self._holes += heard["gaps"] > 0
            if len(self._in_time) < VISITS_MAX:
                self._in_time.setdefault(each["key"], checks.is_heard(heard))

    def told(self) -> Receipts | None:
        """None if nobody sent any."""
        if not self._count + self._refused:
            return None
        return Receipts(
            count=self._count,
            refused=self._refused,
            kept=self._kept,
            keys=len(self._in_time),
            in_time=sum(self._in_time.values()),
            sounding_u=1_000_000 * self._sounding_ms // (MINUTE_MS * max(1, self._kept)),
            silent=self._silent,
            holes=self._holes,
            compared=self._compared,
        )


def main(folder: Path) -> None:
    """Write what `Report` has beside the ledger. The exit tells in a sentence what was in the way."""
    os.nice(19)  # the lowest priority: sound and records go first
    try:
        for name, data in report(Folder(folder), address="").files.items():
            disk.replace(folder / name, data)
    except (OSError, BadInputError, FlawError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
