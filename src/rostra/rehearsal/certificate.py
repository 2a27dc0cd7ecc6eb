"""A certificate of capacity: what was rehearsed, on what, with what result; canonical, signed, void on change."""

import base64
import hashlib
from binascii import Error as Base64Error
from typing import Any, Final

import msgspec
import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from rostra.core.errors import BadInputError
from rostra.rehearsal.crowd_report import CrowdReport
from rostra.rehearsal.scalability import Law, Point, beyond_knee, holds

_CONTEXT: Final = b"rostra.certificate.1\n"  # a signature over anything else of ours is none over a certificate
BYTES_MAX: Final = 4 * 1024 * 1024  # a day's arrivals, second by second, have 3 MB
JOINS: Final = "joins"
LISTENERS: Final = "listeners"


class Machine(msgspec.Struct, frozen=True):
    """What a capacity depends on. `identity` tells one machine from another and says nothing else of it."""

    cores: int
    model: str
    memory_bytes: int
    architecture: str
    kernel: str
    descriptors: int  # that one process may open
    identity: str


class Surroundings(msgspec.Struct, frozen=True):
    """All that voids a certificate when it changes: the machine, the versions, the settings."""

    machine: Machine
    versions: dict[str, str]
    configuration: dict[str, str]

    @property
    def configuration_sha256(self) -> str:
        return hashlib.sha256(rfc8785.dumps(self.configuration)).hexdigest()


class Arrival(msgspec.Struct, frozen=True, array_like=True):
    """How many had come by a second of it, how many of them had heard sound, how many listened or waited."""

    at_s: float
    come: int
    heard: int
    listening: int
    waiting: int = 0


class Stage(msgspec.Struct, frozen=True):
    """One thing that can be too little, `joins` a second or `listeners` at once: of `workers` edges together."""

    name: str
    unit: str
    workers: int
    points: tuple[Point, ...]
    law: Law | None
    remark: str = ""

    @property
    def holds(self) -> float:
        return holds(self.points)

    @property
    def known(self) -> bool:
        """Whether the limit was reached; otherwise what `holds` is the most that was tried."""
        return beyond_knee(self.points)


class Episode(msgspec.Struct, frozen=True):
    """A fault or an attack: what was done to whom (`remark`: how, or why not), and whether listeners noticed."""

    kind: str
    about: str
    at_s: float
    seconds: float
    done: bool
    survived: bool
    remark: str = ""
    counted: dict[str, float] = {}


class Certificate(msgspec.Struct, frozen=True):
    """What a rehearsal has shown. Instants are RFC 3339 in UTC. `failed` says in sentences what did not hold."""

    made: str
    script: str
    script_sha256: str
    seconds: float
    target: str
    surroundings: Surroundings
    generator: str
    generator_shares_machine: bool
    arrivals: tuple[Arrival, ...]
    stages: tuple[Stage, ...]
    faults: tuple[Episode, ...]
    attacks: tuple[Episode, ...]
    heard: CrowdReport | None
    failed: tuple[str, ...]

    def stage(self, name: str) -> Stage | None:
        return next((stage for stage in self.stages if stage.name == name), None)

    def per_worker(self, name: str) -> float | None:
        """What one worker has been shown to bear of `name`; None if that was not rehearsed."""
        stage = self.stage(name)
        return None if stage is None or stage.holds == 0 else stage.holds / stage.workers


class Capacity(msgspec.Struct, frozen=True):
    """What one edge worker of this machine bears at most, as a valid certificate says; None: nobody knows."""

    joins_hz: float | None
    listeners: int | None


def capacity(certificate: Certificate) -> Capacity:
    """A rehearsal that did not reach a limit does not say where it is."""

    def limit(name: str) -> float | None:
        stage = certificate.stage(name)
        return certificate.per_worker(name) if stage is not None and stage.known else None

    listeners = limit(LISTENERS)
    return Capacity(limit(JOINS), None if listeners is None else int(listeners))


class Change(msgspec.Struct, frozen=True):
    """One thing that a certificate names and that is not so any more."""

    what: str
    then: str
    now: str


def changes(then: Surroundings, now: Surroundings) -> list[Change]:
    """Everything by which `now` differs from what was rehearsed. Nothing: the certificate holds."""
    found = []
    for about in ("machine", "versions", "configuration"):
        before, after = msgspec.to_builtins(getattr(then, about)), msgspec.to_builtins(getattr(now, about))
        found += [
            Change(f"{about}: {name}", _said(before.get(name)), _said(after.get(name)))
            for name in sorted(before.keys() | after.keys())
            if before.get(name) != after.get(name)
        ]
    return found


def _said(value: Any) -> str:
    return "nothing" if value is None else str(value)


# --- the file --------------------------------------------------------------------------------------------


class _File(msgspec.Struct, frozen=True):
    certificate: msgspec.Raw
    public_key: str
    signature: str


_decoder = msgspec.json.Decoder(_File)
_certificates = msgspec.json.Decoder(Certificate)


def sign(certificate: Certificate, key: Ed25519PrivateKey) -> bytes:
    """The file: RFC 8785 over everything, the signature over the same form of `certificate` alone."""
    said = msgspec.to_builtins(certificate)
    signature = key.sign(_CONTEXT + rfc8785.dumps(said))
    whole = {
        "certificate": said,
        "public_key": public_text(key.public_key()),
        "signature": base64.b64encode(signature).decode(),
    }
    return rfc8785.dumps(whole) + b"\n"


def public_text(key: Ed25519PublicKey) -> str:
    return base64.b64encode(key.public_bytes_raw()).decode()


def read(data: bytes) -> tuple[Certificate, str]:
    """The certificate and the public key that signed it. BadInputError if it is none, or was altered.

    Who the key belongs to is for the caller to know.
    """
    if len(data) > BYTES_MAX:
        raise BadInputError("This is no certificate: it is too long.")
    try:
        file = _decoder.decode(data)
        said = msgspec.json.decode(file.certificate)
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(file.public_key, validate=True))
        signature = base64.b64decode(file.signature, validate=True)
        key.verify(signature, _CONTEXT + rfc8785.dumps(said))
        return _certificates.decode(file.certificate), file.public_key
    except InvalidSignature as error:
        raise BadInputError(
            "The signature is not of this certificate: it was altered after it was signed."
        ) from error
    except (ValueError, Base64Error, RecursionError) as error:
        raise BadInputError(f"This is no certificate: {error}.") from error
