"""One world of an incident, as a process: takes a recipe from standard input, says what became of everybody."""

import asyncio
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from rostra.certified import here
from rostra.config import Settings
from rostra.core.limits import DESCRIPTORS_RESERVED
from rostra.rehearsal.certificate import JOINS, LISTENERS, Certificate, Stage, sign
from rostra.rehearsal.incidents.campaign import Orders
from rostra.rehearsal.incidents.enactment import enact
from rostra.rehearsal.incidents.program import warm_up
from rostra.rehearsal.incidents.system import Machine
from rostra.rehearsal.scalability import Point
from rostra.rehearsal.surroundings import identity_of
from rostra.signing import signing_key
from rostra.witness.bundle import export

_KNOWN: Final = frozenset(f"ROSTRA_{name.upper()}" for name in Settings.model_fields)
_JOINS_OF_A_CORE_HZ: Final = 800.0  # each on a connection of its own: what floods of them were seen to be served
_BEYOND: Final = 1.5  # of the seats: at that many, as the lab's lines are made, one in three hears nothing


def main() -> None:
    warm_up()
    orders = msgspec.json.decode(sys.stdin.buffer.readline(), type=Orders)

    def keep(ledger: Path) -> None:
        export(ledger, Path(orders.bundle), with_program=False)  # three hundred would bring it each

    course = asyncio.run(
        enact(
            orders.recipe,
            Path(orders.folder),
            outside=orders.outside,
            certify=lambda settings, machine: certify(settings, machine, seats=orders.recipe.seats),
            cache=Path(orders.cache),
            quotas=orders.quotas,
            keep=keep,
        )
    )
    sys.stdout.buffer.write(msgspec.json.encode(course) + b"\n")


def certify(environment: Mapping[str, str], place: Machine, *, seats: int) -> Path:
    """The certificate that an edge with these settings has in its lab: what its line and quota were made for."""
    told: dict[str, Any] = {
        name.removeprefix("ROSTRA_").lower(): value for name, value in environment.items() if name in _KNOWN
    }
    settings = Settings(**told)
    surroundings = here(settings)
    machine = msgspec.structs.replace(
        surroundings.machine,
        identity=identity_of(place.identity),
        descriptors=place.descriptors + DESCRIPTORS_RESERVED,
    )
    stages = [
        Stage(LISTENERS, "at once", 1, (Point(seats, seats, 10.0), Point(_BEYOND * seats, seats, 10.0)), None)
    ]
    if place.share is not None:
        joins = _JOINS_OF_A_CORE_HZ * place.share
        points = Point(joins, joins, 10.0), Point(_BEYOND * joins, joins, 10.0)
        stages.append(Stage(JOINS, "joins/s", 1, points, None))
    certificate = Certificate(
        made=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        script="lab",
        script_sha256="",
        seconds=20.0,
        target="an edge of a lab",
        surroundings=msgspec.structs.replace(surroundings, machine=machine),
        generator="by construction",
        generator_shares_machine=True,
        arrivals=(),
        stages=tuple(stages),
        faults=(),
        attacks=(),
        heard=None,
        failed=(),
    )
    path = settings.data / "certificate.json"
    path.write_bytes(sign(certificate, signing_key(settings.rehearsal_key)))
    return path


if __name__ == "__main__":
    main()
