"""Links to a stage that commands print: an invitation behind the #, so that it never reaches a server's log."""

import secrets
import time
from urllib.parse import quote

from rostra.bus.connection import Connection
from rostra.bus.state import invitation_key
from rostra.config import Settings
from rostra.core.errors import BadInputError
from rostra.core.invitation import LIFETIME_S, Invitation, sign
from rostra.core.roster import StageRole


async def invite(
    connection: Connection,
    settings: Settings,
    conversation: str,
    role: StageRole | None,
    *,
    name: str = "",
    green: bool = False,
    lifetime_s: int = LIFETIME_S,
) -> tuple[str, str]:
    """The link for one person, and the bearer token in it (for OBS and other encoders)."""
    if not settings.gate_urls:
        raise BadInputError("No gate runs here (ROSTRA_GATES is 0): nobody can come on the stage.")
    key = await invitation_key(connection)
    person = secrets.token_hex(8)
    invitation = Invitation(conversation, person, role, expires_s=int(time.time()) + lifetime_s, green=green)
    token = sign(invitation, key=key)
    named = f"&name={quote(name)}" if name else ""
    return f"{settings.gate_urls[0]}/stage/{conversation}#t={token}{named}", token
