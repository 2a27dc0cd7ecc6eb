"""What this machine was certified to carry, as long as nothing has changed that the certificate names."""

from hashlib import sha256
from typing import NamedTuple

import structlog

from rostra.config import Settings
from rostra.core.errors import BadInputError
from rostra.rehearsal.certificate import (
    Capacity,
    Change,
    Machine,
    Surroundings,
    capacity,
    changes,
    public_text,
    read,
)
from rostra.rehearsal.surroundings import machine, versions
from rostra.signing import signing_key

_log = structlog.get_logger()
_NOTHING = Capacity(None, None)


def here(settings: Settings) -> Surroundings:
    """What a certificate of this machine would name now."""
    return Surroundings(machine(), versions(), settings.rehearsed())


def own_key(settings: Settings) -> str | None:
    """The public key of the certificates that are made here, if there is one yet."""
    path = settings.rehearsal_key
    return public_text(signing_key(path).public_key()) if path.exists() else None


class Standing(NamedTuple):
    """A certificate of this machine's own: its file, what it shows, and what has changed since."""

    file: bytes
    capacity: Capacity
    made_on: Machine
    changes: list[Change]

    @property
    def digest(self) -> str:
        """SHA-256 of the file: its name in evidence."""
        return sha256(self.file).hexdigest()

    @property
    def holds(self) -> Capacity:
        """What an edge worker bears; nothing if the certificate is void."""
        return _NOTHING if self.changes else self.capacity


def standing(settings: Settings, now: Surroundings) -> Standing | None:
    """The certificate that the settings name; None, and the log says why, if there is none to be believed."""
    if settings.certificate is None:
        return None
    try:
        data = settings.certificate.read_bytes()
        certificate, signer = read(data)
    except (OSError, BadInputError) as error:
        _log.error("certificate.unusable", file=str(settings.certificate), error=str(error))
        return None
    if signer != own_key(settings):
        _log.error("certificate.foreign", file=str(settings.certificate), signer=signer)
        return None
    found = changes(certificate.surroundings, now)
    if found:
        changed = [change.what for change in found]
        _log.warning("certificate.void", file=str(settings.certificate), changed=changed)
    return Standing(data, capacity(certificate), certificate.surroundings.machine, found)
