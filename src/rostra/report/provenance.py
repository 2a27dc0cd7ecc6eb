"""What a report says beside the verdict: whose log it is, who else saw it, what was judged and corrected in it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict as the witness wrote it down at that time."""

    entry: int
    at_ms: int
    label: str
    firm: bool
    digest: str
    final: bool


@dataclass(frozen=True, slots=True)
class Correction:
    """Something in this log was found wrong; `of` is the entry that it is about."""

    entry: int
    at_ms: int
    by: str
    of: int
    text: str


@dataclass(frozen=True, slots=True)
class Probe:
    """Somebody outside who looked; of `visits` so many heard sound."""

    name: str
    visits: int
    heard: int


@dataclass(frozen=True, slots=True)
class Stamped:
    """An authority's word that the log's first `size` entries were there `at_ms`."""

    authority: str
    size: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class Receipts:
    """What listeners signed, a minute each: `count` in all, of which `kept` are in the log as they are.

    The rest is of those that are kept: `keys` at least, of which `in_time` had sound within ten seconds; how many
    millionths of their time had sound; how many had none, and in how many something was missing. `compared` with
    what edges say: `agrees`, `contradicts`, or `no_claim`.
    """

    count: int
    refused: int
    kept: int
    keys: int
    in_time: int
    sounding_u: int
    silent: int
    holes: int
    compared: str


@dataclass(frozen=True, slots=True)
class Provenance:
    """The log whose `size` entries are beneath `root`, and of which the first `judged_size` were judged.

    `address` is before the names of the log's files: empty for a page that lies among them; None if nobody can
    follow a link.
    """

    origin: str
    key: str
    size: int
    judged_size: int
    root: str
    checkpoint: str
    code: str  # digest of what judges
    digest: str  # of the verdict
    last_ms: int
    title: str = ""
    address: str | None = None
    is_open: bool = False  # its witness judges it, and has not said its last word
    cosigners: tuple[str, ...] = ()
    stamps: tuple[Stamped, ...] = ()
    probes: tuple[Probe, ...] = ()
    judged: tuple[Judged, ...] = ()
    corrections: tuple[Correction, ...] = ()
    warned: frozenset[int] = frozenset()  # entries of statements whose authors had been warned of what they claim
    receipts: Receipts | None = None
