"""Certificates of capacity: each edge shows its own, and the witness lays them beside its logs."""

import re
from hashlib import sha256
from typing import Final

from rostra.bus.connection import Connection
from rostra.bus.subjects import CERTIFICATE_STREAM, certificate_subject
from rostra.core.errors import BadInputError
from rostra.core.limits import CERTIFICATE_SHOWN_BYTES_MAX

_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")  # of a process: one token of a subject


async def put_certificate(connection: Connection, edge: str, certificate: bytes) -> None:
    """Show the file by whose SHA-256 the edge's identity names it. BadInputError for one that is too long."""
    if len(certificate) > CERTIFICATE_SHOWN_BYTES_MAX:
        raise BadInputError(f"The certificate has more than {CERTIFICATE_SHOWN_BYTES_MAX} bytes.")
    await connection.store(certificate_subject(edge), certificate)


async def read_certificate(connection: Connection, edge: str, digest: str) -> bytes | None:
    """The file with this SHA-256 (hexadecimal); None if the edge shows another one, or none."""
    if not _NAME.fullmatch(edge):  # whoever names itself so is no process of ours
        return None
    stored = await connection.last(CERTIFICATE_STREAM, certificate_subject(edge))
    if stored is None or len(stored.payload) > CERTIFICATE_SHOWN_BYTES_MAX:
        return None
    return stored.payload if sha256(stored.payload).hexdigest() == digest else None
