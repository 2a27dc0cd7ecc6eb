"""Keys with which something on this machine signs: each in a file of its own that its owner alone can read."""

import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from rostra.core.errors import BadInputError


def signing_key(path: Path) -> Ed25519PrivateKey:
    """The key in `path`, which is made if there is none. BadInputError if it cannot be used."""
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            made = Ed25519PrivateKey.generate()
            pem = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(pem)
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise BadInputError(f"The key {path} cannot be used: {error}.") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise BadInputError(f"The key {path} is no Ed25519 key.")
    return key
