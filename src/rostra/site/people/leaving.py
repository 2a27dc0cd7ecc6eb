"""How somebody leaves: gone at once for everybody, destroyed when nothing can be appealed any more."""

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import delete, select, update

from rostra.site.conversations import announce
from rostra.site.conversations.phase import phase
from rostra.site.database.tables.attention import PushSubscription
from rostra.site.database.tables.authorization import Grant, Token
from rostra.site.database.tables.conversations import Conversation
from rostra.site.database.tables.graph import Block, Follow, FollowRequest, Mute
from rostra.site.database.tables.media import MediaAttachment
from rostra.site.database.tables.moderation import Appeal, Decision
from rostra.site.database.tables.people import Account, EmailToken, WebSession
from rostra.site.database.tables.posts import Status
from rostra.site.events import AccountChanged, AccountClosed
from rostra.site.media.store import Store
from rostra.site.media.withholding import WITHHOLD
from rostra.site.people import lookup, relations
from rostra.site.work import Site, Work

FORGET: Final = "people.forget"
CALL_OFF: Final = "people.call_off"
_HOST_LEFT: Final = {"en": "The host has left.", "nl": "De host is vertrokken."}
_KEPT: Final = timedelta(days=183)  # as long as a decision of today could be appealed (DSA art. 20)
_DAY: Final = timedelta(days=1)


async def leave(work: Work, account_id: int) -> None:
    """Close an account for good. Its name stays taken until it is destroyed; its e-mail address is free at once."""
    account, user = await lookup.account(work, account_id), await lookup.user(work, account_id)
    account.deleted_at = work.now
    user.email_key = f"deleted:{account_id}"
    await _end_relations(work, account_id)
    for table in (WebSession, EmailToken, Grant, PushSubscription):
        await work.session.execute(delete(table).where(table.account_id == account_id))
    tokens = update(Token).where(Token.account_id == account_id, Token.revoked_at.is_(None))
    await work.session.execute(tokens.values(revoked_at=work.now))
    posts = update(Status).where(Status.account_id == account_id, Status.deleted_at.is_(None))
    await work.session.execute(posts.values(deleted_at=work.now))
    work.tell(AccountClosed(account_id))
    work.tell(AccountChanged(account_id))
    work.later(WITHHOLD, {"account_id": account_id})
    work.later(CALL_OFF, {"account_id": account_id})
    work.later(FORGET, {"account_id": account_id}, due_at=work.now + _KEPT)


async def call_off(site: Site, payload: dict[str, Any]) -> None:
    """`people.call_off`: talks that who has left was to host, and that have not begun, are off.

    Who waits for one learns it, as from any that is called off. Handing it over would need somebody's consent. What
    has begun goes on, with whoever is on the stage.
    """
    async with site.writing() as work:
        talks = select(Conversation).where(
            Conversation.host_id == int(payload["account_id"]),
            Conversation.cancelled_at.is_(None),
            Conversation.ends_at > work.now,
        )
        for row in await work.session.scalars(talks):
            if not phase(row, site.stage, now=work.now).begun:
                await announce.call_off(work, row, _HOST_LEFT[row.language])


async def forget(site: Site, payload: dict[str, Any]) -> None:
    """`people.forget`: the account and all that hangs on it. A day later while a decision can be appealed."""
    account_id = int(payload["account_id"])
    async with site.writing() as work:
        account = await work.session.get(Account, account_id)
        if account is None:
            return
        assert account.deleted_at is not None, "Only who has left is forgotten."
        if await _may_appeal(work, account_id):
            work.later(FORGET, payload, due_at=work.now + _DAY)
            return
        files: list[str | None] = [account.avatar, account.header]
        media = select(MediaAttachment.file, MediaAttachment.preview)
        for file, preview in await work.session.execute(media.where(MediaAttachment.account_id == account_id)):
            files += [file, preview]
        await work.session.delete(account)
    Store(site.settings.media).remove(*files)


async def _end_relations(work: Work, account_id: int) -> None:
    """The counts of the others stay right."""
    following = list(await work.session.scalars(select(Follow.target_id).where(Follow.account_id == account_id)))
    followers = list(await work.session.scalars(select(Follow.account_id).where(Follow.target_id == account_id)))
    for target_id in following:
        await relations.unfollow(work, account_id, target_id)
    for follower_id in followers:
        await relations.remove_follower(work, account_id, follower_id)
    for table in (FollowRequest, Block, Mute):
        related = (table.account_id == account_id) | (table.target_id == account_id)
        await work.session.execute(delete(table).where(related))


async def _may_appeal(work: Work, account_id: int) -> bool:
    open_decision = select(Decision.id).where(
        Decision.target_account_id == account_id, Decision.appeal_until > work.now
    )
    waiting = select(Appeal.id).where(Appeal.account_id == account_id, Appeal.decided_at.is_(None))
    return bool(await work.session.scalar(open_decision) or await work.session.scalar(waiting))
