"""A rehearsal's script: what is to happen to whom and when, read from TOML and checked."""

import hashlib
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from rostra.core.errors import BadInputError
from rostra.rehearsal.arrivals import Count, Crowd, Seconds, Span, most_at_once, size
from rostra.rehearsal.attackers import KINDS

Share = Annotated[float, Meta(gt=0, le=1)]
Name = Annotated[str, Meta(min_length=1, max_length=100)]
OWN: Final = "own"
CROWD_MAX: Final = 1_000_000  # of one script: 16 MB of instants; more is what `rostra plan` computes


class Act(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="act", kw_only=True):
    """What a `share` of those who listen do at `at_s`."""

    at_s: Seconds
    share: Share = 1.0


class Reload(Act, frozen=True, tag="reload"):
    """They reload the page: connection and ticket are gone, and they join again at once."""


class Vanish(Act, frozen=True, tag="vanish"):
    """Their region disappears without a goodbye, and returns `for_s` later, all at once."""

    for_s: Span


class Sleep(Act, frozen=True, tag="sleep"):
    """Their phones sleep: the connection stays, nothing is read for `for_s`."""

    for_s: Span


class Attack(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Hostile traffic of one `kind` (rehearsal/attackers.py) from so many loopback `addresses`.

    `connections` at once at most, `rate_hz` new ones a second. It is survived as a fault is.
    """

    kind: Name
    at_s: Seconds
    for_s: Span
    connections: Annotated[int, Meta(ge=1, le=15_000)] = 5_000
    rate_hz: Span = 1_000.0
    addresses: Annotated[int, Meta(ge=1, le=50_000)] = 1_000
    pause_max_s: Seconds = 0.0


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Something breaks.

    `process` is a child of `rostra serve` (`edge-1`, `stage-2`, `bus`), or `pid_file` says which one; `for_s` how
    long it is stopped, starved, full or gone. `left` is the share of a core that a starved process keeps, `step_s`
    the step of the clock. It is survived if nobody misses a chunk and nobody's pause is longer than `pause_max_s`.
    """

    kind: Literal["kill", "stop", "cpu", "clock", "disk", "bus", "database"]
    at_s: Seconds
    for_s: Seconds = 0.0
    process: str = ""
    pid_file: str = ""
    left: Share = 0.2
    step_s: float = 5.0
    pause_max_s: Seconds = 0.0

    @property
    def about(self) -> str:
        return self.process or self.pid_file or self.kind


class Script(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`target` is `own` (a system that the rehearsal starts itself) or the address of a conversation."""

    title: Name
    seconds: Span
    target: str = OWN
    rendition: str = "webm-32"
    processes: Count = 1
    crowd: Annotated[tuple[Crowd, ...], Meta(min_length=1)]
    acts: tuple[Reload | Vanish | Sleep, ...] = ()
    attacks: tuple[Attack, ...] = ()
    faults: tuple[Fault, ...] = ()

    @property
    def sha256(self) -> str:
        return hashlib.sha256(msgspec.json.encode(self, order="sorted")).hexdigest()


_NEEDS_PROCESS: Final = frozenset({"kill", "stop", "cpu"})
_ON_OWN: Final = frozenset({"clock", "disk", "database"})
_LASTING: Final = frozenset({"stop", "cpu", "disk", "bus", "database"})


def parse(text: str) -> Script:
    """The script, or BadInputError with the place and the reason."""
    try:
        script = msgspec.toml.decode(text, type=Script)
    except (msgspec.ValidationError, msgspec.DecodeError, ValueError) as error:
        raise BadInputError(f"The script cannot be used: {error}.") from error
    for fault in script.faults:
        _check(fault, script)
    for attack in script.attacks:
        if attack.kind not in KINDS:
            raise BadInputError(f"There is no attack {attack.kind!r}: choose one of {', '.join(KINDS)}.")
    for each in (*script.acts, *script.attacks, *script.faults):
        if each.at_s >= script.seconds:
            raise BadInputError(
                f"The script ends after {script.seconds:g} s: nothing can happen at {each.at_s:g} s."
            )
    if sum(size(crowd) for crowd in script.crowd) > CROWD_MAX:
        raise BadInputError(f"A script has {CROWD_MAX:,} listeners at most: `rostra plan` computes larger crowds.")
    return script


def _check(fault: Fault, script: Script) -> None:
    if fault.kind in _NEEDS_PROCESS and not (fault.process or fault.pid_file):
        raise BadInputError(f"A fault of kind {fault.kind!r} needs `process` or `pid_file`: whom does it befall?")
    if fault.kind in _LASTING and fault.for_s == 0:
        raise BadInputError(f"A fault of kind {fault.kind!r} needs `for_s`: how long does it last?")
    if script.target != OWN and fault.kind in _ON_OWN:
        raise BadInputError(
            f"A fault of kind {fault.kind!r} befalls a whole system: only one that the rehearsal starts itself "
            f'(target = "{OWN}").'
        )
    if script.target != OWN and not fault.pid_file:
        raise BadInputError(
            f"At a target of yours, name the process of the fault {fault.kind!r} by its `pid_file`."
        )


def processes_needed(script: Script, *, room: int) -> int:
    """How many processes carry the crowd, if each may hold `room` connections."""
    return max(script.processes, -(-most_at_once(script.crowd) // room))
