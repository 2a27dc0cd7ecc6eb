"""What this machine was certified to carry, as long as nothing has changed that the certificate names."""

import structlog

from rostra.config import Settings
from rostra.core.errors import BadInputError
from rostra.rehearsal.certificate import Capacity, Surroundings, capacity, changes, public_text, read
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


def certified(settings: Settings) -> Capacity:
    """What an edge worker bears by the settings' certificate; nothing if that is void, and the log says why."""
    if settings.certificate is None:
        return _NOTHING
    try:
        certificate, signer = read(settings.certificate.read_bytes())
    except (OSError, BadInputError) as error:
        _log.error("certificate.unusable", file=str(settings.certificate), error=str(error))
        return _NOTHING
    if signer != own_key(settings):
        _log.error("certificate.foreign", file=str(settings.certificate), signer=signer)
        return _NOTHING
    found = changes(certificate.surroundings, here(settings))
    if found:
        changed = [change.what for change in found]
        _log.warning("certificate.void", file=str(settings.certificate), changed=changed)
        return _NOTHING
    return capacity(certificate)
