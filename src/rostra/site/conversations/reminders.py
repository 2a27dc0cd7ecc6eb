"""Reminders: who wants to be told of a talk is told shortly before it, and when it moves or is called off."""

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import delete, select

from rostra.site.answers import invalid
from rostra.site.attention.push import deliver
from rostra.site.conversations.addresses import page_address, picture_address
from rostra.site.conversations.phase import Phase
from rostra.site.conversations.posts import when
from rostra.site.database.tables.attention import PushSubscription
from rostra.site.database.tables.conversations import Conversation, Reminder
from rostra.site.database.tables.people import User
from rostra.site.mail import post
from rostra.site.pages.languages import N_, translations
from rostra.site.work import Site, Work

BEFORE: Final = timedelta(minutes=15)  # time to find one's headphones; the doors are open by then
_TITLES: Final = {
    "soon": N_("It starts soon"),
    "moved": N_("It starts at another time"),
    "cancelled": N_("It is called off"),
}
_BATCH: Final = 500  # mails and pushes that are queued in one transaction


async def remind(
    work: Work, row: Conversation, account_id: int, *, by_email: bool, by_push: bool, phase_now: Phase
) -> Reminder:
    """Have somebody told; they are registered listeners at the door from now on."""
    if phase_now.over:
        raise invalid("This conversation is over")
    found = await reminder(work, row.id, account_id)
    if found is None:
        found = Reminder(
            id=work.make_id(),
            conversation_id=row.id,
            account_id=account_id,
            sent_revision=-1,
            created_at=work.now,
        )
        work.session.add(found)
    found.by_email, found.by_push = by_email, by_push
    return found


async def forget(work: Work, row: Conversation, account_id: int) -> None:
    await work.session.execute(
        delete(Reminder).where(Reminder.conversation_id == row.id, Reminder.account_id == account_id)
    )


async def reminder(work: Work, conversation_id: int, account_id: int) -> Reminder | None:
    return (
        await work.session.scalars(
            select(Reminder).where(Reminder.conversation_id == conversation_id, Reminder.account_id == account_id)
        )
    ).one_or_none()


def plan_reminders(work: Work, row: Conversation) -> None:
    """Have everybody reminded of the start as it is announced now."""
    payload = {"id": row.id, "starts_at": row.starts_at.isoformat(), "what": "soon", "after": 0}
    work.later("conversation.remind", payload, due_at=max(work.now, row.starts_at - BEFORE))


async def moved(site: Site, payload: dict[str, Any]) -> None:
    """Job: tell of another start, or that there is none, and remind of the new one."""
    async with site.writing() as work:
        row = await work.session.get(Conversation, payload["id"])
        if row is None or row.revision != payload["revision"]:
            return  # changed again since: the job of that change tells it
        what = "moved" if row.cancelled_at is None else "cancelled"
        work.later(
            "conversation.remind",
            {"id": row.id, "starts_at": row.starts_at.isoformat(), "what": what, "after": 0},
        )
        if row.cancelled_at is None:
            plan_reminders(work, row)


async def send(site: Site, payload: dict[str, Any]) -> None:
    """Job: queue one batch of what is to be told, and the next batch after it."""
    async with site.writing() as work:
        row = await work.session.get(Conversation, payload["id"])
        if row is None or row.starts_at.isoformat() != payload["starts_at"]:
            return  # moved since: the job of that change tells it
        what: str = payload["what"]
        if what == "soon" and row.cancelled_at is not None:
            return
        waiting = list(
            await work.session.scalars(
                select(Reminder)
                .where(Reminder.conversation_id == row.id, Reminder.id > payload["after"])
                .order_by(Reminder.id)
                .limit(_BATCH)
            )
        )
        await _tell(work, row, what, waiting)
        if len(waiting) == _BATCH:
            work.later("conversation.remind", payload | {"after": waiting[-1].id})


async def _tell(work: Work, row: Conversation, what: str, waiting: list[Reminder]) -> None:
    """Queue a letter and a push each. Who cannot log in any more is told nothing."""
    values = {"talk": row.title, "url": page_address(work.settings, row), "why": row.cancelled_why}
    users = await work.session.scalars(
        select(User).where(User.account_id.in_([each.account_id for each in waiting if each.by_email]))
    )
    for user in users:
        post.send(
            work,
            f"talk_{what}",
            to=user.email,
            locale=user.locale,
            values=values | {"when": when(row, user.locale)},
        )
    subscriptions = await work.session.scalars(
        select(PushSubscription.id).where(
            PushSubscription.account_id.in_([each.account_id for each in waiting if each.by_push])
        )
    )
    for subscription_id in subscriptions:
        told = {"subscription_id": subscription_id, "conversation_id": row.id, "what": what}
        work.later("conversation.push", told)


async def push(site: Site, payload: dict[str, Any]) -> None:
    """Job: tell one browser or client."""
    async with site.reading() as work:
        subscription = await work.session.get(PushSubscription, payload["subscription_id"])
        row = await work.session.get(Conversation, payload["conversation_id"])
        if subscription is None or row is None or row.ends_at < work.now:
            return
        user = await work.session.get_one(User, subscription.account_id)
        message = {
            "preferred_locale": user.locale,
            "notification_id": str(row.id),
            "notification_type": "conversation",
            "icon": picture_address(work.settings, row) or f"{work.settings.url}/favicon.ico",
            "title": translations(user.locale).gettext(_TITLES[payload["what"]]),
            "body": row.title,
            "url": page_address(work.settings, row),
        }
    await deliver(site, subscription, message)
