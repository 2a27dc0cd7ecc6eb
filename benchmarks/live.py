"""How soon a live verdict is firm, by kind of evening; and what it costs while two hours of eight edges go on.

`live:5` judges five synthetic evenings of each kind, `live:FOLDER` the incidents of a folder (`rostra rehearse
incidents`). Synthetic ones end 90 s after their onset: what is not firm by then counts as not firm within 120 s.
"""

import json
import resource
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import evenings
from benchmarks.verdict import EDGES, HOURS, long_evening
from rostra.verdict.crowd import span
from rostra.verdict.evening import Reader, read
from rostra.verdict.live import LIVE_EVERY_S, first_firm
from rostra.verdict.verdict import judge_now
from rostra.verifier.entry import Entry, parse_entry
from rostra.verifier.log import named_key, open_log
from rostra.verifier.source import source
from rostra.witness.judging import SHARE_MAX

WITHIN_S = (30, 60, 120)
FIRST_SEED = 2_000  # none that the tables were fitted from
JUDGED_EVERY_S = 900


class Watched(NamedTuple):
    """An evening, and at which of its seconds the harm begins."""

    kind: str
    entries: Sequence[Entry]
    onset: int


def main(of: str = "3") -> None:
    soon(_enacted(Path(of)) if Path(of).is_dir() else _synthetic(int(of)))
    cost()


def soon(watched: Iterator[Watched]) -> None:
    """Only evenings with harm: of others there is nothing to be firm about."""
    found: dict[str, list[int | None]] = defaultdict(list)
    for each in watched:
        firm = first_firm(each.entries, since=each.onset)
        found[each.kind].append(None if firm is None else firm - each.onset)
    print(f"{'firm after the onset':24} {'n':>4}" + "".join(f"{f'{within} s':>8}" for within in WITHIN_S))
    for kind, seconds in sorted(found.items()):
        print(_line(kind, seconds))
    print(_line("all", [each for seconds in found.values() for each in seconds]))


def _line(kind: str, seconds: Sequence[int | None]) -> str:
    shares = [len([s for s in seconds if s is not None and s <= within]) / len(seconds) for within in WITHIN_S]
    return f"{kind:24} {len(seconds):4}" + "".join(f"{share:8.0%}" for share in shares)


def _synthetic(count: int) -> Iterator[Watched]:
    for kind in evenings.KINDS:
        for seed in range(FIRST_SEED, FIRST_SEED + count):
            scenario = evenings.scenario(kind, seed)
            evening = evenings.Evening(scenario)
            if span(read(evening.entries)).onset is not None:
                yield Watched(kind, evening.entries, scenario.begin)


def _enacted(folder: Path) -> Iterator[Watched]:
    for bundle in sorted(folder.glob("*/bundle.tar.xz")):
        log = source(bundle)
        entries = [parse_entry(data).entry for data in open_log(log, named_key(log)).entries()]
        onset = span(read(entries)).onset
        if onset is not None:
            kind = json.loads((bundle.parent / "truth.json").read_text(encoding="utf-8"))["kind"]
            yield Watched(kind, entries, onset)


def cost() -> None:
    """Judged each quarter of an hour; between them the mean of both ends stands for each verdict."""
    before_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024
    reader, reading_s, spent_s, last_s, due = Reader(), 0.0, 0.0, 0.0, JUDGED_EVERY_S
    print(f"\n{HOURS} h, {EDGES} edges: a verdict's CPU, and when the next one may be asked for")
    for entry in long_evening():
        data = json.dumps(entry._asdict())
        began_s = time.process_time()
        reader.take(Entry(**json.loads(data)))
        reading_s += time.process_time() - began_s
        if reader.seconds >= due:
            began_s = time.process_time()
            judge_now(reader.evening())
            took_s = time.process_time() - began_s
            pause_s = max(LIVE_EVERY_S, (took_s + last_s) / 2 / SHARE_MAX)
            spent_s += JUDGED_EVERY_S / pause_s * (took_s + last_s) / 2
            print(f"{due // 60:4} min {took_s:6.2f} s {max(LIVE_EVERY_S, took_s / SHARE_MAX):6.0f} s")
            due, last_s = due + JUDGED_EVERY_S, took_s
    after_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024
    whole = (spent_s + reading_s) / reader.seconds
    print(f"{whole:.1%} of a core on average, {reading_s / reader.seconds:.2%} of it to read; ", end="")
    print(f"{after_mb - before_mb:.0f} MB more at its end")
