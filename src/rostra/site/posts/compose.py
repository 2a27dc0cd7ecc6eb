"""Posting: a draft becomes a post, with all that hangs on it, in one transaction."""

from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final

from sqlalchemy import delete, exists, select, update

from rostra.site.answers import RefusedError, invalid
from rostra.site.attention.notify import notify
from rostra.site.cards.cards import give_card
from rostra.site.database.insert import insert_once
from rostra.site.database.tables.authorization import IdempotencyKey
from rostra.site.database.tables.graph import Follow
from rostra.site.database.tables.media import MediaAttachment
from rostra.site.database.tables.people import Account
from rostra.site.database.tables.posts import Mention, Poll, Status
from rostra.site.events import StatusCounted, StatusPosted
from rostra.site.posts import direct
from rostra.site.posts.draft import Draft
from rostra.site.posts.naming import add_tags, name_accounts
from rostra.site.posts.text import render
from rostra.site.posts.visibility import the_original, the_own
from rostra.site.work import Site, Work

_KEY_KEPT: Final = timedelta(hours=1)  # Mastodon's own; clients try again within seconds
_KEY_LENGTH_MAX: Final = 200
_NOTIFIED_AT_ONCE: Final = 500  # a transaction of 50 ms


async def post(
    work: Work,
    account_id: int,
    draft: Draft,
    *,
    app_id: int | None = None,
    key: str = "",
    conversation_id: int | None = None,
    notice: bool = False,
) -> Status:
    """The post. With the `key` of one that was posted before (Idempotency-Key), that one, and nothing new.

    RefusedError for a reply to what cannot be seen, and for attachments that are not there.
    """
    status_id = work.make_id()
    before = await claim(work, account_id, key, status_id)
    if before is not None:
        return await the_own(work, before, account_id)
    parent = await _parent(work, account_id, draft)
    named = await name_accounts(work, draft.text)
    status = Status(
        id=status_id,
        account_id=account_id,
        text=draft.text,
        content=render(draft.text, site_url=work.settings.url, usernames=named.usernames),
        spoiler_text=draft.spoiler_text,
        visibility=draft.visibility,
        sensitive=draft.sensitive,
        language=draft.language,
        in_reply_to_id=parent.id if parent else None,
        in_reply_to_account_id=parent.account_id if parent else None,
        thread_id=parent.thread_id if parent else status_id,
        card_id=None,
        app_id=app_id,
        conversation_id=conversation_id,
        notice=notice,
        created_at=work.now,
    )
    work.session.add(status)
    await work.session.flush()
    await attach(work, status, draft.media_ids)
    if draft.poll is not None:
        work.session.add(new_poll(work, status, draft))
    work.session.add_all([Mention(status_id=status_id, account_id=each) for each in named.ids])
    await add_tags(work, status)
    await work.session.flush()
    await _counted(work, status)
    if draft.visibility == "direct":
        await direct.posted(work, status, named.ids)
    await _announced(work, status, named.ids)
    return status


async def claim(work: Work, account_id: int, key: str, made_id: int) -> int | None:
    """The id of what was made with this key, or None: then it is `made_id`'s. Waits for one that is being made."""
    if not key:
        return None
    if len(key) > _KEY_LENGTH_MAX:
        raise invalid("The Idempotency-Key is too long")
    mine = (IdempotencyKey.account_id == account_id, IdempotencyKey.key == key)
    await work.session.execute(delete(IdempotencyKey).where(*mine, IdempotencyKey.expires_at <= work.now))
    row = {"account_id": account_id, "key": key, "status_id": made_id, "expires_at": work.now + _KEY_KEPT}
    if await insert_once(work.session, IdempotencyKey, id=work.make_id(), **row):
        return None
    return await work.session.scalar(select(IdempotencyKey.status_id).where(*mine))


async def _parent(work: Work, account_id: int, draft: Draft) -> Status | None:
    if draft.in_reply_to_id is None:
        return None
    try:
        return await the_original(work, draft.in_reply_to_id, account_id)
    except RefusedError as error:
        raise RefusedError(
            HTTPStatus.NOT_FOUND, "The post you are trying to reply to does not appear to exist."
        ) from error


async def attach(work: Work, status: Status, media_ids: tuple[int, ...]) -> None:
    """Attach what was uploaded, in this order. RefusedError if any is not there, not ready, or on another post."""
    if not media_ids:
        return
    found = await work.session.scalars(
        select(MediaAttachment)
        .where(MediaAttachment.id.in_(media_ids), MediaAttachment.account_id == status.account_id)
        .with_for_update()  # two posts at once cannot both have it
    )
    media = {row.id: row for row in found if row.status_id in {None, status.id}}
    missing = [str(each) for each in media_ids if each not in media]
    if missing:
        raise invalid(
            f"Validation failed: Media {', '.join(missing)} not found or already attached to another post"
        )
    if len(media_ids) > 1 and any(row.kind in {"video", "audio", "gifv"} for row in media.values()):
        raise invalid("Validation failed: Cannot attach a video to a post that already contains images")
    if any(row.state == "processing" for row in media.values()):
        raise invalid("Cannot attach files that have not finished processing. Try again in a moment!")
    if any(row.state != "ready" for row in media.values()):
        raise invalid("Validation failed: Media could not be processed")
    for position, media_id in enumerate(dict.fromkeys(media_ids)):
        media[media_id].status_id, media[media_id].position = status.id, position


def new_poll(work: Work, status: Status, draft: Draft) -> Poll:
    """The draft's poll, which ends by a job."""
    assert draft.poll is not None
    poll = Poll(
        id=work.make_id(),
        status_id=status.id,
        options=list(draft.poll.options),
        votes=[0] * len(draft.poll.options),
        voters_count=0,
        multiple=draft.poll.multiple,
        hide_totals=draft.poll.hide_totals,
        expires_at=work.now + timedelta(seconds=draft.poll.lasts_s),
    )
    work.later("poll.end", {"poll_id": poll.id}, due_at=poll.expires_at)
    return poll


async def _counted(work: Work, status: Status) -> None:
    """Always first the account, then the post: two transactions never wait for each other."""
    await work.session.execute(
        update(Account)
        .where(Account.id == status.account_id)
        .values(statuses_count=Account.statuses_count + 1, last_status_at=work.now)
    )
    if status.in_reply_to_id is not None:
        await work.session.execute(
            update(Status).where(Status.id == status.in_reply_to_id).values(replies_count=Status.replies_count + 1)
        )
        work.tell(StatusCounted(status.in_reply_to_id))


async def _announced(work: Work, status: Status, mentions: list[int]) -> None:
    work.tell(StatusPosted(status.id, status.account_id))
    await notify(work, "mention", mentions, from_id=status.account_id, status_id=status.id)
    await give_card(work, status)
    awaited = select(exists().where(Follow.target_id == status.account_id, Follow.notify))
    if status.visibility != "direct" and await work.session.scalar(awaited):
        work.later("post.notify", {"kind": "status", "status_id": status.id, "after": 0})


async def notify_many(site: Site, payload: dict[str, Any]) -> None:
    """A job: tell those who want to hear of every post of its author (`status`), or who boosted it (`update`)."""
    async with site.writing() as work:
        status = await work.session.get(Status, payload["status_id"])
        if status is None or status.deleted_at is not None:
            return
        boosts, follows = (Status.account_id, Status.id), (Follow.account_id, Follow.id)
        if payload["kind"] == "update":
            query = select(*boosts).where(Status.reblog_of_id == status.id, Status.id > payload["after"])
            query = query.order_by(Status.id)
        else:
            query = select(*follows).where(Follow.target_id == status.account_id, Follow.notify)
            query = query.where(Follow.id > payload["after"]).order_by(Follow.id)
        rows = (await work.session.execute(query.limit(_NOTIFIED_AT_ONCE))).all()
        told = [account_id for account_id, _ in rows]
        await notify(work, payload["kind"], told, from_id=status.account_id, status_id=status.id)
        if len(rows) == _NOTIFIED_AT_ONCE:
            work.later("post.notify", payload | {"after": rows[-1][1]})
