"""Leave to rehearse: how a target proves that its operator and whoever sends a crowd know the same secret.

`GET /.well-known/rostra-rehearsal?nonce=N` is answered with the HMAC-SHA-256 (RFC 2104) over a word, the host
that was asked and N. So the secret never travels, and neither yesterday's answer nor another host's gives leave.
"""

import hashlib
import hmac
import re
from typing import Final

LEAVE_PATH: Final = "/.well-known/rostra-rehearsal"
NONCE: Final = re.compile(r"[0-9a-f]{32}")
TOKEN_LENGTH_MIN: Final = 16  # characters: 64 bits, if it was made by chance


def proof(token: str, *, host: str, nonce: str) -> str:
    """What a target at `host` (with its port, if that is in its address) answers to `nonce`."""
    said = f"rostra-rehearsal.1\n{host.lower()}\n{nonce}"
    return hmac.new(token.encode(), said.encode(), hashlib.sha256).hexdigest()


def proves(answer: str, token: str, *, host: str, nonce: str) -> bool:
    return hmac.compare_digest(answer.encode(), proof(token, host=host, nonce=nonce).encode())
