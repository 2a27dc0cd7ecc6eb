"""What follows from a decision: who is told, whose streams end, who leaves the stage, what happens at its end."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import select

from rostra.core.limits import DOORS_LEAD_MAX_S, REASON_LENGTH_MAX
from rostra.core.ticket import LIFETIME_S
from rostra.site.attention.notify import notify
from rostra.site.conversations.addresses import listener_of
from rostra.site.conversations.announce import call_off
from rostra.site.conversations.phase import phase
from rostra.site.database.tables.conversations import Conversation, ConversationGuest
from rostra.site.database.tables.moderation import Decision, Restriction
from rostra.site.database.tables.posts import Status
from rostra.site.events import AccountChanged, AccountClosed, ConversationChanged, StatusDeleted, StatusEdited
from rostra.site.media.withholding import WITHHOLD
from rostra.site.moderation import log
from rostra.site.moderation.actions import REINSTATE, SUSPENDING
from rostra.site.moderation.restrictions import HIDDEN, in_force
from rostra.site.work import Site, Work

SEND_STATEMENT: Final = "moderation.send_statement"
EXPIRE: Final = "moderation.expire"
EXPEL: Final = "moderation.expel"
END: Final = "moderation.end"
PURGE: Final = "moderation.purge"
_PASSES: Final = timedelta(seconds=DOORS_LEAD_MAX_S + LIFETIME_S)  # for later ones nobody has a pass that lasts
_MARGIN: Final = timedelta(hours=1)  # after an appeal window: nobody who was in time finds the post gone


async def follow_up(
    work: Work, decision: Decision, restrictions: Sequence[Restriction], *, send_email: bool = True
) -> None:
    """Tell everybody whom `decision` concerns. What is slow or needs the bus is done as a job."""
    account_id = decision.target_account_id
    if decision.action != REINSTATE:
        await notify(work, "moderation_warning", [account_id], from_id=account_id, decision_id=decision.id)
        for restriction in restrictions:
            if restriction.ends_at is not None:
                work.later(EXPIRE, {"restriction_id": str(restriction.id)}, due_at=restriction.ends_at)
    if send_email:
        work.later(SEND_STATEMENT, {"decision_id": str(decision.id)})
    if decision.action in SUSPENDING:
        work.tell(AccountClosed(account_id))
        work.later(EXPEL, {"decision_id": str(decision.id)})
    elif decision.action == "end":
        work.later(END, {"decision_id": str(decision.id)})
    elif decision.action == "remove":
        work.later(PURGE, {"decision_id": str(decision.id)}, due_at=decision.appeal_until + _MARGIN)
    await show_anew(work, restrictions)


async def show_anew(work: Work, restrictions: Sequence[Restriction]) -> None:
    """Have everybody who shows what was restricted, or is so no longer, look again."""
    ids = [each.target_id for each in restrictions if each.target_kind == "status"]
    rows = await work.session.execute(select(Status.id, Status.account_id).where(Status.id.in_(ids)))
    kinds = await in_force(work, "status", ids)
    for status_id, account_id in rows:
        tell = StatusDeleted if kinds[status_id] & HIDDEN else StatusEdited
        work.tell(tell(status_id, account_id))
        work.later(WITHHOLD, {"status_id": status_id})
    for each in restrictions:
        if each.target_kind == "account":
            work.later(WITHHOLD, {"account_id": each.target_id})
            work.tell(AccountChanged(each.target_id))
        elif each.target_kind == "conversation":
            work.tell(ConversationChanged(each.target_id))


# --- jobs ------------------------------------------------------------------------------------------------------


async def expire(site: Site, payload: dict[str, Any]) -> None:
    """A restriction's time is over. The query knew that by itself; here it is written down, and pages learn it."""
    async with site.writing() as work:
        row = await work.session.get(Restriction, int(payload["restriction_id"]))
        if row is None or row.lifted_at is not None or row.ends_at is None or row.ends_at > work.now:
            return
        await log.append(work, "expired", {"restriction": str(row.id), "decision": str(row.decision_id)}, by=None)
        await show_anew(work, [row])


async def expel(site: Site, payload: dict[str, Any]) -> None:
    """Take a suspended account off every stage that it has a seat on, or may have one; withdraw its passes."""
    async with site.reading() as work:
        decision = await work.session.get_one(Decision, int(payload["decision_id"]))
        seats = (
            await work.session.execute(
                select(Conversation.name, ConversationGuest.person)
                .join(Conversation, Conversation.id == ConversationGuest.conversation_id)
                .where(ConversationGuest.account_id == decision.target_account_id, Conversation.ends_at > work.now)
            )
        ).all()
        soon = await work.session.execute(
            select(Conversation.id, Conversation.name).where(
                Conversation.ends_at > work.now, Conversation.starts_at < work.now + _PASSES
            )
        )
        open_soon = soon.all()
    for conversation_id, name in open_soon:
        if site.stage.record(name) is not None:
            listener = listener_of(site.settings, conversation_id, decision.target_account_id)
            await site.stage.revoke(name, listener)
    why = f"{decision.action} ({decision.id})"[:REASON_LENGTH_MAX]
    for name, person in seats:
        if site.stage.record(name) is not None:
            await site.stage.expel(name, person, by=str(decision.decided_by_id), why=why)


async def end(site: Site, payload: dict[str, Any]) -> None:
    """End the conversations of a decision; call off those that have not begun."""
    async with site.writing() as work:
        decision = await work.session.get_one(Decision, int(payload["decision_id"]))
        rows = await work.session.scalars(
            select(Conversation)
            .join(Restriction, Restriction.target_id == Conversation.id)
            .where(Restriction.decision_id == decision.id, Restriction.target_kind == "conversation")
        )
        begun = []
        for row in rows:
            now = phase(row, site.stage, now=work.now)
            if now.begun and not now.over:
                begun.append(row.name)
            elif not now.over:
                await call_off(work, row, decision.legal_ground)
    for name in begun:
        await site.stage.end(name)
