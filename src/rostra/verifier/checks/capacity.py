"""What edges were rehearsed to bear, as the plan has it, against the certificates that lie beside the log."""

import json
from base64 import b64decode
from collections.abc import Iterator
from hashlib import sha256
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from rostra.verifier.canonical import Json
from rostra.verifier.checks.clocks import told
from rostra.verifier.checks.registration import Registration
from rostra.verifier.entry import Entry
from rostra.verifier.errors import FlawError
from rostra.verifier.source import Source
from rostra.verifier.step import Outcome, Step

CERTIFICATES: Final = "certificate"  # the folder beside a log
PURPOSE: Final = b"rostra.certificate.1\n"
SERVED_MIN: Final = 0.99  # of what was offered, as the rehearsal has it
_STAGES: Final = {"joins_hz": "joins", "listeners": "listeners"}
_SAID: Final = b'{"certificate":'
_KEY: Final = b',"public_key":"'
_WRONG: Final = (KeyError, TypeError, ValueError, ArithmeticError, RecursionError)


def certificate_name(digest: str) -> str:
    """Where the file with this SHA-256 lies beside a log."""
    return f"{CERTIFICATES}/{digest}"


class Capacity:
    """Each capacity of the first plan; `source` has the certificates."""

    name = "capacity"

    def __init__(self, source: Source, registration: Registration) -> None:
        self._source = source
        self._registration = registration

    def take(self, index: int, entry: Entry) -> None:
        """All is in the plan."""

    def steps(self) -> Iterator[Step]:
        plan = self._registration.plan
        capacity = None if plan is None else plan.body.get("capacity")
        missing, signers = [], set()
        for edge, figures in capacity.items() if isinstance(capacity, dict) else ():
            digest = figures.get("certificate") if isinstance(figures, dict) else None
            if not isinstance(figures, dict) or not isinstance(digest, str):
                missing.append(f"{edge} was not rehearsed: nobody knows what it bears")
                continue
            try:
                data = self._source.read(certificate_name(digest))
            except FlawError:
                missing.append(f"the certificate of {edge} is not beside the log ({digest:.64})")
                continue
            signers.add(_held_against(data, digest, edge, figures))
        yield from told(self.name, missing)
        if signers:
            yield Step(Outcome.PASS, self.name, f"as certificates show that {', '.join(sorted(signers))} signed")


def _held_against(data: bytes, digest: str, edge: str, figures: dict[str, Json]) -> str:
    """Who signed the certificate. FlawError if the plan says something else than it shows."""
    if sha256(data).hexdigest() != digest:
        raise FlawError(f"The certificate of {edge} is another file than was registered.")
    said, signer = signed_certificate(data)
    shown = capacities(said)
    for name in _STAGES:
        if figures.get(name) != shown.get(name):
            claimed = figures.get(name)
            raise FlawError(
                f"The plan has {claimed!s:.20} {name} of {edge}; its certificate shows {shown.get(name)}."
            )
    return signer


def signed_certificate(data: bytes) -> tuple[dict[str, Any], str]:
    """What a certificate says, and the key that signed it. FlawError if it is none, or was altered."""
    try:
        whole = json.loads(data)
        signed = data[len(_SAID) : data.rindex(_KEY)]  # it is canonical: so is what was signed, as it stands there
        key = b64decode(whole["public_key"], validate=True)
        Ed25519PublicKey.from_public_bytes(key).verify(
            b64decode(whole["signature"], validate=True), PURPOSE + signed
        )
        said = json.loads(signed)
    except InvalidSignature as error:
        raise FlawError("The signature is not of this certificate: it was altered after it was signed.") from error
    except _WRONG as error:
        raise FlawError("What should be a certificate is none.") from error
    if not isinstance(said, dict):
        raise FlawError("What should be a certificate is none.")
    return said, key.hex()


def capacities(said: dict[str, Any]) -> dict[str, int]:
    """What one worker bears, where the rehearsal found the limit (docs/protocol.md, §7): whole numbers."""
    found = {}
    try:
        for name, stage_name in _STAGES.items():
            for stage in said["stages"]:
                points = sorted((point["offered"], point["served"]) for point in stage["points"])
                if stage["name"] != stage_name or not points or _held(points[-1]):
                    continue
                largest = 0.0
                for point in points:
                    if not _held(point):
                        break
                    largest = point[0]
                if largest:
                    found[name] = int(largest / stage["workers"])
                break
    except _WRONG as error:
        raise FlawError("A certificate has no stages that can be read.") from error
    return found


def _held(point: tuple[float, float]) -> bool:
    offered, served = point
    return served >= SERVED_MIN * offered
