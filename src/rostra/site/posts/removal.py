"""Deleting a post: it is marked, and goes from every list, with the boosts of it."""

from datetime import timedelta

from sqlalchemy import delete, update

from rostra.core.limits import MEDIA_UNATTACHED_S
from rostra.site.answers import not_found
from rostra.site.database.tables.attention import Notification
from rostra.site.database.tables.media import MediaAttachment
from rostra.site.database.tables.posts import Status, StatusPin
from rostra.site.events import StatusCounted, StatusDeleted
from rostra.site.posts import direct
from rostra.site.posts.reactions import count_statuses, unboost
from rostra.site.posts.visibility import the_own
from rostra.site.work import Work


async def delete_post(work: Work, account_id: int, status_id: int, *, delete_media: bool = False) -> None:
    """Delete one's own post or boost. Its uploads may be attached to another one, unless `delete_media`."""
    status = await the_own(work, status_id, account_id)
    if status.reblog_of_id is not None:
        await unboost(work, account_id, status.id)
        return
    await count_statuses(work, account_id, -1)
    marked = update(Status).where(Status.id == status.id, Status.deleted_at.is_(None)).values(deleted_at=work.now)
    if (await work.session.execute(marked.returning(Status.id))).first() is None:
        raise not_found()  # deleted at the same instant: all of this is undone
    if status.in_reply_to_id is not None:
        await work.session.execute(
            update(Status).where(Status.id == status.in_reply_to_id).values(replies_count=Status.replies_count - 1)
        )
        work.tell(StatusCounted(status.in_reply_to_id))
    await work.session.execute(delete(StatusPin).where(StatusPin.status_id == status.id))
    await work.session.execute(delete(Notification).where(Notification.status_id == status.id))
    if not delete_media:
        await _free_media(work, status)
    if status.visibility == "direct":
        await direct.deleted(work, status)
    boosts = delete(Status).where(Status.reblog_of_id == status.id).returning(Status.id, Status.account_id)
    for boost_id, booster_id in sorted(await work.session.execute(boosts)):
        await count_statuses(work, booster_id, -1)
        work.tell(StatusDeleted(boost_id, booster_id))
    work.tell(StatusDeleted(status.id, account_id))


async def _free_media(work: Work, status: Status) -> None:
    freed = update(MediaAttachment).where(MediaAttachment.status_id == status.id).values(status_id=None)
    for media_id in await work.session.scalars(freed.returning(MediaAttachment.id)):
        work.later(
            "media.forget",
            {"media_id": media_id, "key": ""},
            due_at=work.now + timedelta(seconds=MEDIA_UNATTACHED_S),
        )
