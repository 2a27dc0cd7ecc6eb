"""Where a talk is: its page, its picture, its door (with a pass), its stage (with an invitation)."""

from datetime import datetime
from hashlib import sha256
from typing import Final

from rostra.core.invitation import Invitation
from rostra.core.invitation import sign as sign_invitation
from rostra.core.roster import StageRole
from rostra.core.ticket import LIFETIME_S, Ticket, TicketClass, sign_pass
from rostra.site.database.tables.conversations import Conversation, ConversationGuest
from rostra.site.settings import SiteSettings

_INVITED_S: Final = 2 * 24 * 3600  # a link is made anew with each look at the page


def page_address(settings: SiteSettings, row: Conversation) -> str:
    return f"{settings.url}/conversations/{row.name}"


def picture_address(settings: SiteSettings, row: Conversation) -> str | None:
    return None if row.picture is None else f"{settings.url}/media/{row.picture}"


def listening_address(
    settings: SiteSettings, row: Conversation, *, account_id: int | None, registered: bool, now: datetime
) -> str:
    """The listening page; for whom the site knows, with a pass. `registered` is who has a reminder."""
    page = f"{settings.edge_url}/c/{row.name}"
    if account_id is None:
        return page
    listener = listener_of(settings, row.id, account_id)
    ticket_class = TicketClass.REGISTERED if registered else TicketClass.SIGNED_IN
    now_s = int(now.timestamp())
    known = Ticket(row.name, listener, ticket_class, now_s, now_s + LIFETIME_S)
    return f"{page}#pass={sign_pass(known, keys=settings.ticket_keys)}"


def listener_of(settings: SiteSettings, conversation_id: int, account_id: int) -> bytes:
    """The same listener each time, and a stranger to whoever reads it: the edge learns no account."""
    return sha256(settings.key + f"listener {conversation_id} {account_id}".encode()).digest()[:8]


def stage_address(
    settings: SiteSettings, row: Conversation, guest: ConversationGuest, *, now: datetime
) -> str | None:
    """The stage with this guest's seat, or None where no gate runs."""
    if not settings.gate_urls:
        return None
    expires_s = int(now.timestamp()) + _INVITED_S
    invitation = Invitation(row.name, guest.person, StageRole(guest.role), expires_s)
    token = sign_invitation(invitation, key=settings.invitation_key)
    return f"{settings.gate_urls[0]}/stage/{row.name}#t={token}"
