"""`rostra verify`, and the program of the single file: it needs Python and `cryptography`, nothing else."""

import argparse
import sys
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from rostra.verdict.code import code_digest
from rostra.verdict.evening import read
from rostra.verdict.verdict import Verdict, judge, judge_now
from rostra.verdict.what_if import WhatIf, WhatIfError, parse
from rostra.verifier.checks.judgement import Judge, Judged
from rostra.verifier.checks.receipts import parse_shown
from rostra.verifier.entry import Entry
from rostra.verifier.errors import FlawError
from rostra.verifier.note import parse_key
from rostra.verifier.policy import parse_policy
from rostra.verifier.source import source
from rostra.verifier.stamp import authorities
from rostra.verifier.step import Outcome, Step
from rostra.verifier.verify import Trust, verify

_EXIT: Final = {Outcome.PASS: 0, Outcome.INCOMPLETE: 2, Outcome.FAIL: 1}  # from good to bad
_ABOUT: Final = """Check a ledger step by step. Exit code 0: all of it holds; 1: something is false; 2: nothing is
false, and something is missing."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line for each step; returns the exit code."""
    asked = _parser().parse_args(arguments)
    worst = Outcome.PASS
    for step in _steps(asked):
        print(f"{step.outcome.value:10} {step.name}: {printable(step.found)}", flush=True)  # noqa: T201 # its work
        worst = max(worst, step.outcome, key=list(_EXIT).index)
    return _EXIT[worst]


def printable(text: str) -> str:
    """What a log says goes to somebody's terminal: nothing in it may steer that."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)


def _steps(asked: argparse.Namespace) -> Iterable[Step]:
    try:
        trust = Trust(
            key=None if asked.key is None else parse_key(asked.key),
            policy=None if asked.policy is None else parse_policy(_read(asked.policy)),
            seen=[_read(path) for path in asked.seen],
            receipts=[] if asked.receipts is None else parse_shown(_read(asked.receipts)),
            authorities=[] if asked.authority is None else authorities(_read(asked.authority)),
        )
        what_if = None if asked.what_if is None else partial(_judged, what_if=parse(asked.what_if))
        log = source(asked.log)
    except (FlawError, WhatIfError) as flaw:
        return [Step(Outcome.FAIL, "file", str(flaw))]
    return verify(log, trust, Judge(_judged, code_digest(), _judged_now, what_if))


def _judged(entries: Iterable[Entry], *, what_if: WhatIf | None = None) -> Judged:
    return _told(judge(read(entries), what_if=what_if))


def _judged_now(entries: Iterable[Entry]) -> Judged:
    return _told(judge_now(read(entries)))


def _told(verdict: Verdict) -> Judged:
    return Judged(f"{verdict.label}, {verdict.harm.value:.1%} harmed", verdict.digest)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("rostra verify", description=_ABOUT)
    parser.add_argument("log", help="a file that `rostra ledger export` made, a ledger's folder, or its address")
    parser.add_argument("--key", metavar="KEY", help="the log's verifier key, from somebody whom you believe")
    parser.add_argument("--what-if", metavar="WHAT", help="judge it otherwise too: no-attack,limit=2800")
    parser.add_argument("--policy", metavar="FILE", type=Path, help="whose cosignatures count (C2SP tlog-policy)")
    parser.add_argument(
        "--authority", metavar="FILE", type=Path, help="whose time stamps count (certificates, PEM)"
    )
    parser.add_argument("--receipts", metavar="FILE", type=Path, help="what a listener saved: is it in the log?")
    parser.add_argument(
        "--seen",
        metavar="FILE",
        type=Path,
        action="append",
        default=[],
        help="a checkpoint of this log that somebody kept elsewhere (may be repeated)",
    )
    return parser


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise FlawError(f"{path} cannot be read: {error.strerror}.") from error


if __name__ == "__main__":
    sys.exit(main())
