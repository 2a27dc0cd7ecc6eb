"""Physical checks: what a process says it did must fit what the kernel counted beside it.

A lie has to satisfy all of them at once. Each compares what has been added since the first record of a run, so that
what was before does not matter; a little is allowed for what happens between two readings.

That no more SYN cookies come back than were sent is no law: Linux counts the same one again with each ACK that
finds the accept queue full (six came back for each one that was sent, on a machine that had been flooded).
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from rostra.verifier.entry import Entry
from rostra.verifier.errors import FlawError
from rostra.verifier.step import Outcome, Step

RECORD: Final = "record"
BETWEEN: Final = 64  # things that one counter has and another has not yet
QUEUED: Final = 16_384  # connections that the kernel had opened for us before our first record (listen(2))
BYTES_BETWEEN: Final = 1 << 20
REQUEST_BYTES_MIN: Final = 14  # "GET / HTTP/1.0"
US_PER_MS: Final = 1_000


class Reading(NamedTuple):
    """One record: what a process did, how it is, and what the kernel counts of it and its machine."""

    mono_ms: int
    did: Mapping[str, Any]
    now: Mapping[str, Any]
    has: Mapping[str, Any]


def reading(entry: Entry) -> Reading:
    parts = (entry.body.get(name) for name in ("did", "now", "has"))
    return Reading(entry.mono_ms, *(part if isinstance(part, dict) else {} for part in parts))


def whole(values: Mapping[str, Any], *names: str) -> int | None:
    """The sum of these; None if one is missing or no whole number."""
    total = 0
    for name in names:
        value = values.get(name)
        if type(value) is not int:
            return None
        total += value
    return total


def added(first: Reading, last: Reading, part: str, *names: str) -> int | None:
    """By how much the sum of these has grown."""
    before, after = whole(getattr(first, part), *names), whole(getattr(last, part), *names)
    return None if before is None or after is None else after - before


def at_most(what: str, less: int | None, more: int | None, between: int = 0) -> str | None:
    """Words, if `less` is larger than it can be. Nothing is said of what is not known."""
    if less is None or more is None or less <= more + between:
        return None
    return f"{what}: {less} against {more}"


# --- the laws --------------------------------------------------------------------------------------------


def bytes_came_over_the_wire(first: Reading, last: Reading) -> str | None:
    ours, kernel = added(first, last, "did", "bytes_in"), added(first, last, "has", "ip_bytes_in", "ip6_bytes_in")
    return at_most("bytes read, against those that the machine received", ours, kernel, BYTES_BETWEEN)


def bytes_went_over_the_wire(first: Reading, last: Reading) -> str | None:
    ours, kernel = (
        added(first, last, "did", "bytes_out"),
        added(first, last, "has", "ip_bytes_out", "ip6_bytes_out"),
    )
    return at_most("bytes written, against those that the machine sent", ours, kernel, BYTES_BETWEEN)


def connections_were_opened(first: Reading, last: Reading) -> str | None:
    ours, kernel = added(first, last, "did", "accepts"), added(first, last, "has", "passive_opens")
    return at_most("connections accepted, against those that the kernel opened", ours, kernel, QUEUED)


def requests_have_bytes(first: Reading, last: Reading) -> str | None:
    answered, came = added(first, last, "did", "answers_2xx"), added(first, last, "did", "bytes_in")
    least = None if answered is None else REQUEST_BYTES_MIN * answered
    return at_most("bytes of the requests that were answered, against bytes read", least, came, BYTES_BETWEEN)


def processor_has_cores(first: Reading, last: Reading) -> str | None:
    used, cores = added(first, last, "has", "cpu_user_us", "cpu_system_us"), whole(last.has, "cores")
    there = None if cores is None else cores * (last.mono_ms - first.mono_ms) * US_PER_MS
    return at_most("time of the processor, against all that there was (us)", used, there, 1_000 * US_PER_MS)


def listeners_have_sockets(_: Reading, last: Reading) -> str | None:
    ours = whole(last.now, "playing", "connections")
    return at_most("listeners and connections, against open files", ours, whole(last.has, "descriptors"), 2_000)


def admitted_had_asked(first: Reading, last: Reading) -> str | None:
    classes = (f"asked_first_{each}" for each in ("speaker", "registered", "signed_in", "anonymous"))
    asked = added(first, last, "did", "asked_again", *classes)
    return at_most("admitted, against those who asked", added(first, last, "did", "admitted"), asked, BETWEEN)


def sounds_are_of_streams(first: Reading, last: Reading) -> str | None:
    within = (f"sound_within_{limit}_ms" for limit in (100, 300, 1_000, 3_000, 10_000))
    sounds, streams = added(first, last, "did", "sound_later", *within), added(first, last, "did", "streams")
    return at_most("first sounds, against streams that began", sounds, streams, BETWEEN)


def followers_are_of_streams(first: Reading, last: Reading) -> str | None:
    judged, streams = added(first, last, "did", "followed_10s", "left_before_10s"), whole(last.did, "streams")
    return at_most("streams that were followed or left, against streams", judged, streams, BETWEEN)


def parts_are_parts(_: Reading, last: Reading) -> str | None:
    for part, of in (
        ("admitted_plain", "admitted"),
        ("asked_again_unproven", "asked_again"),
        ("interrupted", "resumed"),
    ):
        found = at_most(f"{part}, against {of}", whole(last.did, part), whole(last.did, of))
        if found:
            return found
    return None


def counters_grow(first: Reading, last: Reading) -> str | None:
    """Each against the record before (`first` is that one)."""
    for name, count in first.did.items():
        after = last.did.get(name)
        if type(count) is int and type(after) is int and after < count:
            return f"the total {name[:40]} fell from {count} to {after}"
    return None


Law = Callable[[Reading, Reading], str | None]
LAWS: Final[tuple[Law, ...]] = (
    bytes_came_over_the_wire,
    bytes_went_over_the_wire,
    connections_were_opened,
    requests_have_bytes,
    processor_has_cores,
    listeners_have_sockets,
    admitted_had_asked,
    sounds_are_of_streams,
    followers_are_of_streams,
    parts_are_parts,
)


class Physics:
    """Every record against the first of its run, and against the one before."""

    name = "physics"

    def __init__(self) -> None:
        self._first: dict[tuple[str, int], Reading] = {}
        self._last: dict[tuple[str, int], Reading] = {}
        self._records = 0

    def take(self, index: int, entry: Entry) -> None:
        if entry.kind != RECORD:
            return
        place, now = (entry.who, entry.run), reading(entry)
        first, last = self._first.setdefault(place, now), self._last.get(place, now)
        self._last[place] = now
        self._records += 1
        for law in LAWS:
            self._hold(law(first, now), law.__name__, index, entry)
        self._hold(counters_grow(last, now), counters_grow.__name__, index, entry)

    @staticmethod
    def _hold(found: str | None, law: str, index: int, entry: Entry) -> None:
        if found is not None:
            words = law.replace("_", " ")
            raise FlawError(f"What {entry.who} says in entry {index} cannot be ({words}): {found}.")

    def steps(self) -> Iterator[Step]:
        laws = len(LAWS) + 1
        yield Step(Outcome.PASS, self.name, f"{self._records} records break none of {laws} laws")
