"""What a ledger says of an evening, per process and second; what is missing stays missing.

Counters (`did`, and what the kernel counts) become what was counted in each second; gauges (`now`) stay as they
are. A second has a status: a process that says nothing for a while and goes on in the same chain was frozen, one
that comes again as a new run was down, and one whose entries are not here is unseen, whatever it did.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import accumulate, repeat
from typing import Any, Final, Protocol, TypeVar

SECOND_MS: Final = 1_000
PLAN_S: Final = 15  # the plan follows ten seconds after the log, which may begin with the doors
PAUSE_S: Final = 3  # between two records of a process that is well; a busy machine makes one late by two
GONE_S: Final = 8  # without a word, while others are heard
SECONDS_MAX: Final = 86_400  # a wall clock that is wrong by more than a day puts nothing into this evening
RECORD: Final = "record"
CHANGE: Final = "change"
PLAN: Final = "registered_plan"
OPENED: Final = "opened"
IDENTITY: Final = "identity"
ON_HOLD: Final = "on_hold"  # of a stage: the conversations that have begun, and are music at the moment
STATEMENT: Final = "statement"
_PARTS: Final = ("did", "has", "now", "is")
_GAUGES_OF_KERNEL: Final = frozenset({"cores", "memory_bytes", "descriptors", "established"})
_Found = TypeVar("_Found")


class Entry(Protocol):
    """What the verdict reads of an entry; `rostra.verifier.entry.Entry` is one, checked and signed."""

    @property
    def who(self) -> str: ...
    @property
    def run(self) -> int: ...
    @property
    def seq(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def wall_ms(self) -> int: ...
    @property
    def body(self) -> Mapping[str, Any]: ...


class Role(IntEnum):
    """What a process is, by what it counts and not by its name."""

    OTHER = 0
    EDGE = 1
    STAGE = 2
    SITE = 3


class Status(IntEnum):
    """Of one process in one second."""

    ABSENT = 0  # it had not begun, or was stopped as was said before
    SEEN = 1
    DOWN = 2  # it was dead, or frozen: the next entry of its chain shows it
    UNSEEN = 3  # its entries are missing
    GONE = 4  # they end without a word, while others go on: dead, or cut off; unseen it is as well


class Memo:
    """What takes long is found once, though it is asked for again and again."""

    def __init__(self) -> None:
        self._found: dict[Hashable, Any] = {}

    def once(self, key: Hashable, find: Callable[[], _Found]) -> _Found:
        if key not in self._found:
            self._found[key] = find()
        found: _Found = self._found[key]
        return found


@dataclass(frozen=True, slots=True)
class Change:
    """Something that somebody changed, `at_s` of the evening; `index` is its entry in the log."""

    index: int
    at_s: int
    what: str
    subject: str
    text: str
    by: str = ""
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Statement:
    """What somebody official said of the evening while it went on."""

    index: int
    at_s: int
    text: str
    claims: str


@dataclass(frozen=True, slots=True)
class Capacity:
    """What was rehearsed of one edge; None where nothing was."""

    joins_hz: int | None = None
    listeners: int | None = None
    egress_bps: int | None = None


@dataclass(slots=True)
class Process:
    """One process's evening. `counts` are increments of each second, `gauges` what it said last in it."""

    name: str
    seconds: int = 0
    role: Role = Role.OTHER
    status: bytearray = field(default_factory=bytearray)
    counts: dict[str, list[int]] = field(default_factory=dict)
    gauges: dict[str, list[int | None]] = field(default_factory=dict)
    tops: dict[int, list[int]] = field(default_factory=dict)  # at a second: what the busiest sources asked
    entries: list[int] = field(default_factory=list)  # index in the log of the record of each second, or -1
    memo: Memo = field(default_factory=Memo, compare=False, repr=False)  # of the evening until now

    def counted(self, name: str, begin: int, end: int) -> int:
        """How much a counter grew from second `begin` to before `end`; 0 if it does not exist (ask `knows`)."""
        return total(self, (name,), begin, end)

    def extend(self, seconds: int) -> None:
        """Have room for so many; what is not known of them is empty."""
        more = seconds - self.seconds
        if more <= 0:
            return
        self.seconds = seconds
        self.status.extend(bytes(more))
        self.entries.extend([-1] * more)
        for counts in self.counts.values():
            counts.extend([0] * more)
        for gauges in self.gauges.values():
            gauges.extend([None] * more)

    def knows(self, name: str) -> bool:
        return name in self.counts or name in self.gauges

    def levels(self, name: str, begin: int, end: int) -> list[int]:
        """What a gauge said from `begin` to before `end`, where it said anything."""
        column = self.gauges.get(name)
        return [each for each in column[begin:end] if each is not None] if column else []

    def level(self, name: str, begin: int, end: int) -> int | None:
        """The mean of a gauge; None if it said nothing."""
        found = self.levels(name, begin, end)
        return sum(found) // len(found) if found else None

    def spent(self, status: Status, begin: int, end: int) -> int:
        return self.status[begin:end].count(status)

    def down(self, begin: int, end: int) -> int:
        """Seconds in which it was dead, frozen or gone."""
        return self.spent(Status.DOWN, begin, end) + self.spent(Status.GONE, begin, end)


def total(process: Process, names: tuple[str, ...], begin: int, end: int) -> int:
    """How much these counters grew together."""
    sums = process.memo.once(names, lambda: _sums(process, names))
    first, last, _ = slice(begin, end).indices(process.seconds)
    return sums[last] - sums[first] if first < last else 0


def _sums(process: Process, names: tuple[str, ...]) -> Sequence[int]:
    """How much they had grown before each second."""
    columns = [process.counts[name] for name in names if name in process.counts]
    grown = map(sum, zip(*columns, strict=True)) if columns else repeat(0, process.seconds)
    return list(accumulate(grown, initial=0))


@dataclass(frozen=True, slots=True)
class Evening:
    """All that the verdict knows. Instants are seconds since `began_s` (Unix)."""

    conversation: str
    began_s: int
    seconds: int
    doors_s: int
    starts_s: int
    processes: tuple[Process, ...]
    changes: tuple[Change, ...]
    statements: tuple[Statement, ...]
    capacities: Mapping[str, Capacity]
    plan: int | None  # the entry in the log
    plan_late: bool  # it was registered, or other capacities were, after the doors
    silent: tuple[str, ...]  # whose keys were registered, or who was to be there, and who said nothing
    memo: Memo = field(default_factory=Memo, compare=False, repr=False)

    def of(self, role: Role) -> tuple[Process, ...]:
        return tuple(each for each in self.processes if each.role is role)


@dataclass(slots=True)
class _Last:
    """The newest record of a process."""

    run: int
    seq: int
    second: int
    counters: dict[str, int]
    others: int = 0  # entries of its chain since then that are no records


def read(entries: Iterable[Entry]) -> Evening:
    """The evening in a log's entries, in their order. What means nothing to the verdict is passed over."""
    reader = Reader()
    for entry in entries:
        reader.take(entry)
    return reader.evening()


class Reader:
    """Takes entries in the order of the log, and knows after any of them what the evening is so far.

    It begins with the log's first entry, which its witness says: no process can move it by a clock that is wrong.
    """

    def __init__(self) -> None:
        self.size = 0  # entries taken
        self.seconds = 1
        self._began_s: int | None = None
        self._processes: dict[str, Process] = {}
        self._last: dict[str, _Last] = {}
        self._stopped: dict[str, int] = {}
        self._changes: list[Change] = []
        self._statements: list[Statement] = []
        self._capacities: dict[str, Capacity] = {}
        self._plans: list[int] = []
        self._late = False
        self._opened: Mapping[str, Any] = {}

    def take(self, entry: Entry) -> None:
        if self._began_s is None:
            self._began_s = entry.wall_ms // SECOND_MS
        index, at_s = self.size, entry.wall_ms // SECOND_MS - self._began_s
        self.size += 1
        last = self._last.get(entry.who)
        if entry.kind != RECORD and last is not None and last.run == entry.run and entry.seq > last.seq:
            last.others += 1
        if entry.kind == RECORD:
            self._record(index, entry, at_s)
        elif entry.kind == CHANGE:
            self._change(index, entry, at_s)
        elif entry.kind == PLAN:
            self._plan(index, entry, at_s)
        elif entry.kind == IDENTITY:
            self._process(entry.who)  # processes stand in the order in which they said who they are
        elif entry.kind == OPENED:
            self._opened = entry.body

    def _plan(self, index: int, entry: Entry, at_s: int) -> None:
        """What is registered again after the doors counts for new edges; of others it would be hindsight."""
        known = dict(_capacities(entry.body))
        doors_s = self._instant("doors_ms")
        if self._plans and at_s > doors_s:
            known = {name: each for name, each in known.items() if name not in self._capacities}
        self._late = self._late or (at_s > doors_s + PLAN_S and bool(known))
        self._capacities |= known
        self._plans.append(index)

    def evening(self) -> Evening:
        """The evening until now. Its columns are the reader's own: it holds until the next entry is taken."""
        for name, process in self._processes.items():
            process.extend(self.seconds)
            self._end(name, process)
            process.role = _role(process)
            process.memo = Memo()
        return Evening(
            conversation=_text(self._opened.get("conversation")),
            began_s=self._began_s or 0,
            seconds=self.seconds,
            doors_s=self._instant("doors_ms"),
            starts_s=self._instant("starts_ms"),
            processes=tuple(each for each in self._processes.values() if each.counts or each.gauges),
            changes=tuple(self._changes),
            statements=tuple(self._statements),
            capacities=self._capacities,
            plan=self._plans[0] if self._plans else None,
            plan_late=self._late,
            silent=tuple(name for name in self._capacities if name not in self._last),
        )

    def _instant(self, name: str) -> int:
        value = self._opened.get(name)
        return value // SECOND_MS - (self._began_s or 0) if isinstance(value, int) else 0

    def _process(self, name: str) -> Process:
        process = self._processes.get(name)
        if process is None:
            process = self._processes[name] = Process(name)
        return process

    def _record(self, index: int, entry: Entry, second: int) -> None:
        if not 0 <= second < SECONDS_MAX:
            return
        self.seconds = max(self.seconds, second + 1)
        process, last = self._process(entry.who), self._last.get(entry.who)
        process.extend(second + 1)
        counters: dict[str, int] = {}
        for part in _PARTS:
            for name, value in _numbers(_mapping(entry.body.get(part))):
                if _grows(part, name):
                    counters[name] = value
                else:
                    _column(process.gauges, name, process.seconds, None)[second] = value
        top = _mapping(_mapping(entry.body.get("now")).get("sources")).get("top")
        if isinstance(top, list):
            process.tops[second] = [each[1] for each in top if isinstance(each, list) and isinstance(each[-1], int)]
        self._count(process, last, entry, second, counters)
        process.entries[second] = index
        self._last[entry.who] = _Last(entry.run, entry.seq, second, counters)

    def _count(
        self, process: Process, last: _Last | None, entry: Entry, second: int, counters: Mapping[str, int]
    ) -> None:
        status, began = process.status, second
        goes_on = last is not None and last.run == entry.run
        before: Mapping[str, int] = {}
        if last is not None and goes_on:
            missing = entry.seq - last.seq - 1 - last.others
            pause = second - last.second
            began = last.second + 1
            if missing > 0:
                _mark(status, began, second, Status.UNSEEN)
            elif pause > PAUSE_S:
                _mark(status, began, second, Status.DOWN)
            else:
                _mark(status, began, second, Status.SEEN)
            before = (
                last.counters if missing <= PAUSE_S else counters
            )  # what was counted while unseen has no second
        elif last is not None:  # another run of it
            _mark(status, last.second + 1, second, Status.DOWN)
        elif entry.run // SECOND_MS < entry.wall_ms // SECOND_MS:  # it had begun before this entry
            before = counters
        status[second] = Status.SEEN
        for name, value in counters.items():
            column = _column(process.counts, name, process.seconds, 0)
            grown = value - before.get(name, 0)
            if grown > 0:
                column[second] += grown

    def _change(self, index: int, entry: Entry, at_s: int) -> None:
        body = entry.body
        what, text = _text(body.get("what")), _text(body.get("text"))
        if what == STATEMENT:
            self._statements.append(Statement(index, at_s, text, _text(body.get("claims"))))
            return
        subject = _text(body.get("subject")) or entry.who
        if what == "stop":
            self._stopped[subject] = at_s
        elif what == "start":
            self._stopped.pop(subject, None)
        by, before, after = (_text(body.get(name)) for name in ("by", "before", "after"))
        self._changes.append(Change(index, at_s, what, subject, text, by, before, after))

    def _end(self, name: str, process: Process) -> None:
        """Who says nothing until the end was stopped, as was said; or nobody knows."""
        last = self._last.get(name)
        if last is not None and self.seconds - last.second > PAUSE_S:
            gone = self.seconds - last.second > GONE_S and self._others_go_on(name)
            status = Status.ABSENT if name in self._stopped else Status.GONE if gone else Status.UNSEEN
            _mark(process.status, last.second + 1, self.seconds, status)
        elif last is not None:
            _mark(process.status, last.second + 1, self.seconds, Status.SEEN)

    def _others_go_on(self, name: str) -> bool:
        return any(self.seconds - each.second <= PAUSE_S for who, each in self._last.items() if who != name)


def _grows(part: str, name: str) -> bool:
    """Whether a number is a count since the process began."""
    counted = part == "did" or (part == "has" and name not in _GAUGES_OF_KERNEL)
    return counted or name.startswith("shield_") or name.endswith("_failures")


def _mark(status: bytearray, begin: int, end: int, value: Status) -> None:
    status[begin:end] = bytes([value]) * max(0, end - begin)


def _column(columns: dict[str, list[Any]], name: str, seconds: int, empty: int | None) -> list[Any]:
    column = columns.get(name)
    if column is None:
        column = columns[name] = [empty] * seconds
    return column


def _role(process: Process) -> Role:
    if process.knows("asked_first_anonymous") or process.knows("playing") or process.knows("cadence_ms"):
        return Role.EDGE
    if process.knows("frames_made") or process.knows("backlog_chunks"):
        return Role.STAGE
    if process.knows("database_us") or process.knows("jobs_waiting"):
        return Role.SITE
    return Role.OTHER


def _numbers(fields: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, int]]:
    """Every whole number, with the names of the objects that it is in before its own."""
    for name, value in fields.items():
        if isinstance(value, int):
            yield prefix + name, int(value)
        elif name == ON_HOLD and isinstance(value, list):
            yield name, len(value)
        elif isinstance(value, dict):
            yield from _numbers(value, f"{prefix}{name}_")


def _capacities(body: Mapping[str, Any]) -> Iterator[tuple[str, Capacity]]:
    for edge, known in _mapping(body.get("capacity")).items():
        numbers = dict(_numbers(_mapping(known)))
        yield edge, Capacity(numbers.get("joins_hz"), numbers.get("listeners"), numbers.get("egress_bps"))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else str(value) if isinstance(value, int) else ""
