"""What a host lets everybody know: a post, words in the waiting room and the player, perhaps another start."""

from datetime import datetime
from typing import Any, Final

from rostra.core.claims import CLAIMS
from rostra.site.answers import invalid
from rostra.site.conversations import posts
from rostra.site.conversations.announce import move_start, newest_notice, require_lead
from rostra.site.conversations.phase import Phase
from rostra.site.database.tables.conversations import Conversation, HostNotice
from rostra.site.events import ConversationChanged
from rostra.site.work import Site, Work

TEXT_LENGTH_MAX: Final = 300  # it is read on a phone, beside a clock


async def give(
    work: Work,
    row: Conversation,
    by: int,
    text: str,
    *,
    starts_at: datetime | None,
    phase_now: Phase,
    claims: str = "",
    warned: str = "",
) -> HostNotice:
    """RefusedError for somebody who is no host, a talk that is over, or a start that has passed.

    `claims`: what the text says was the cause of trouble, if it does; then it is a statement, and kept as one.
    `warned`: that this is more than the evidence shows, as `core.claims.warning` told who says it nevertheless.
    """
    await require_lead(work, row, by)
    text = " ".join(text.split())
    if not text or len(text) > TEXT_LENGTH_MAX:
        raise invalid(f"A notice has 1 to {TEXT_LENGTH_MAX} characters")
    if phase_now.over:
        raise invalid("This conversation is over")
    if claims and claims not in CLAIMS:
        raise invalid("A notice claims attack, demand, own, dependency, none, or nothing")
    if starts_at is not None:
        if phase_now.begun:
            raise invalid("What has begun cannot begin again")
        await move_start(work, row, starts_at)
    notice = HostNotice(
        id=work.make_id(),
        conversation_id=row.id,
        account_id=by,
        text=text,
        starts_at=starts_at,
        created_at=work.now,
    )
    work.session.add(notice)
    what = "statement" if claims else "notice"
    work.witness(what, row.name, "host", by, text=text, claims=claims, warned=warned)
    await posts.tell(work, row, notice)
    work.later("conversation.tell", {"id": row.id, "notice_id": notice.id})
    work.tell(ConversationChanged(row.id))
    return notice


async def tell(site: Site, payload: dict[str, Any]) -> None:
    """Job: have the notice shown where people wait and listen, unless there is a newer one."""
    async with site.reading() as work:
        row = await work.session.get(Conversation, payload["id"])
        notice = await newest_notice(work, payload["id"])
    if row is not None and notice is not None and notice.id == payload["notice_id"]:
        await site.stage.tell(row.name, notice.text)
