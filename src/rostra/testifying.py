"""How a process or a command of this machine begins to begin_testimony: who it is, on what, under which limits."""

from collections.abc import Mapping
from fcntl import LOCK_EX, flock
from typing import Final

import structlog

from rostra import disk
from rostra.bus.certificates import put_certificate
from rostra.bus.connection import Connection
from rostra.certified import Standing, here
from rostra.config import Settings
from rostra.core.errors import BadInputError, BusError, RostraError
from rostra.evidence.change import CHANGE, Change
from rostra.evidence.known import Run
from rostra.evidence.testimony import SignedTestimony, Silence
from rostra.rehearsal.surroundings import hypervisor, machine
from rostra.verifier.canonical import Json, canonical
from rostra.verifier.entry import entry_digest

_log = structlog.get_logger()
OPERATOR: Final = "operator"
_MACHINE: Final = ("machine", "cores", "memory_bytes", "kernel", "hypervisor")


async def begin_testimony(
    settings: Settings, connection: Connection, name: str, *, also: Mapping[str, Json] | None = None
) -> Silence:
    """What `name` says of itself, if anybody keeps it; `also`: of its identity. It has begun.

    Without a key, or when it cannot be told, the sound goes on without evidence.
    """
    if not settings.witnesses:
        return Silence()
    surroundings, configuration = here(settings), settings.digest()
    on = surroundings.machine
    identity: dict[str, Json] = {
        "versions": dict(surroundings.versions),
        "configuration": configuration,
        "machine": on.identity,
        "cores": on.cores,
        "memory_bytes": on.memory_bytes,
        "kernel": on.kernel,
        "hypervisor": hypervisor(),
        **(also or {}),
    }
    run = Run(
        surroundings.versions["code"],
        configuration,
        entry_digest(canonical({each: identity[each] for each in _MACHINE})),
    )
    try:
        testimony = SignedTestimony(connection, name, settings.data / "evidence")
        await testimony.begin(identity, run)
    except (RostraError, OSError):
        _log.exception("evidence.stopped")
        return Silence()
    return testimony


async def declare(settings: Settings, connection: Connection, change: Change) -> None:
    """Have the ledger hold what an operator is about to do. BusError, and it must not be done, if nothing does."""
    await say(settings, connection, CHANGE, change.body())


async def say(settings: Settings, connection: Connection, kind: str, body: dict[str, Json]) -> None:
    """BusError if nothing takes it. One command at a time: all of a machine are one speaker."""
    if not settings.witnesses:
        return
    folder = settings.data / "evidence"
    try:
        disk.make_folder(folder)
        with (folder / "operator.lock").open("ab") as lock:
            flock(lock, LOCK_EX)
            testimony = SignedTestimony(connection, OPERATOR, folder)
            testimony.introduce({"machine": machine().identity})
            is_said = await testimony.say(kind, body)
    except OSError as error:
        raise BadInputError(
            f"The folder {folder} cannot be used ({error.strerror}): nothing is done unsaid."
        ) from error
    if not is_said:
        raise BusError("Neither the bus nor the disk takes what would be done: nothing is done unsaid.")


def bounds(certificate: Standing | None, *, listeners_max: int | None, egress_bps: float | None) -> dict[str, Json]:
    """The limits in force at an edge worker, and what it was shown to bear, whether or not that still holds."""
    limits = {"listeners": listeners_max, "egress_bps": None if egress_bps is None else round(egress_bps)}
    bounds: dict[str, Json] = {"limits": {name: value for name, value in limits.items() if value is not None}}
    if certificate is not None:
        joins_hz, listeners = certificate.capacity.joins_hz, certificate.capacity.listeners
        bounds["rehearsed"] = {
            "certificate": certificate.digest,
            **{name: int(value) for name, value in (("joins_hz", joins_hz), ("listeners", listeners)) if value},
            "void": [change.what for change in certificate.changes],
        }
    return bounds


async def show_certificate(
    settings: Settings, connection: Connection, name: str, certificate: Standing | None
) -> None:
    """Let the witness have the file that this edge's identity will name. Without it nothing stops."""
    if certificate is None or not settings.witnesses:
        return
    try:
        await put_certificate(connection, name, certificate.file)
    except (BadInputError, BusError) as error:
        _log.warning("certificate.unshown", error=str(error))


async def say_void(testimony: Silence, name: str, certificate: Standing | None) -> None:
    """Say that the machine is not the one that was rehearsed."""
    if certificate is None:
        return
    moved = [change for change in certificate.changes if change.what.startswith("machine: ")]
    if moved:
        text = "; ".join(
            f"{change.what}: {change.then} when it was rehearsed, {change.now} now" for change in moved
        )
        await testimony.before(
            Change("move", name, "certificate", certificate.digest, text=f"The certificate is void: {text}.")
        )
