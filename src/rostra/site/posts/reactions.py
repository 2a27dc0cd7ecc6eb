"""What people do with a post: boost, favourite, bookmark, pin, and no more notifications of its thread."""

from typing import Final

from sqlalchemy import delete, func, select, update

from rostra.core.limits import PINNED_POSTS_MAX
from rostra.site.answers import forbidden, invalid
from rostra.site.attention.notify import notify, withdraw
from rostra.site.database.insert import insert_once
from rostra.site.database.tables.people import Account
from rostra.site.database.tables.posts import Bookmark, Favourite, Status, StatusPin, ThreadMute
from rostra.site.events import StatusCounted, StatusDeleted, StatusPosted
from rostra.site.posts.visibility import the_original, the_status
from rostra.site.work import Work

_BOOSTS: Final = ("public", "unlisted", "private")


async def boost(work: Work, account_id: int, status_id: int, *, visibility: str = "public") -> Status:
    """The boost, a post of its own that holds the other; the one there is if it was boosted before."""
    if visibility not in _BOOSTS:
        raise invalid("Validation failed: Visibility is not included in the list")
    original = await the_original(work, status_id, account_id)
    if original.visibility == "direct" or (original.visibility == "private" and original.account_id != account_id):
        raise forbidden()
    boost_id = work.make_id()
    is_new = await insert_once(
        work.session,
        Status,
        id=boost_id,
        account_id=account_id,
        thread_id=boost_id,
        reblog_of_id=original.id,
        visibility="private" if original.visibility == "private" else visibility,
        created_at=work.now,
    )
    query = select(Status).where(Status.account_id == account_id, Status.reblog_of_id == original.id)
    wrapper = (await work.session.scalars(query)).one()
    if is_new:
        await count_statuses(work, account_id, 1)
        await _count(work, original.id, reblogs_count=Status.reblogs_count + 1)
        await notify(work, "reblog", [original.account_id], from_id=account_id, status_id=original.id)
        work.tell(StatusPosted(wrapper.id, account_id))
    return wrapper


async def unboost(work: Work, account_id: int, status_id: int) -> Status:
    """The post that is no longer boosted. The boost itself holds nothing that anybody said: it goes."""
    original = await the_original(work, status_id, account_id)
    gone = await work.session.scalar(
        delete(Status)
        .where(Status.account_id == account_id, Status.reblog_of_id == original.id)
        .returning(Status.id)
    )
    if gone is not None:
        await count_statuses(work, account_id, -1)
        await _count(work, original.id, reblogs_count=Status.reblogs_count - 1)
        await withdraw(work, "reblog", from_id=account_id, status_id=original.id)
        work.tell(StatusDeleted(gone, account_id))
    return original


async def favourite(work: Work, account_id: int, status_id: int) -> Status:
    status = await the_original(work, status_id, account_id)
    row = {"id": work.make_id(), "account_id": account_id, "status_id": status.id}
    if await insert_once(work.session, Favourite, **row):
        await _count(work, status.id, favourites_count=Status.favourites_count + 1)
        await notify(work, "favourite", [status.account_id], from_id=account_id, status_id=status.id)
    return status


async def unfavourite(work: Work, account_id: int, status_id: int) -> Status:
    status = await the_original(work, status_id, account_id)
    gone = await work.session.scalar(
        delete(Favourite)
        .where(Favourite.account_id == account_id, Favourite.status_id == status.id)
        .returning(Favourite.id)
    )
    if gone is not None:
        await _count(work, status.id, favourites_count=Status.favourites_count - 1)
        await withdraw(work, "favourite", from_id=account_id, status_id=status.id)
    return status


async def bookmark(work: Work, account_id: int, status_id: int) -> Status:
    status = await the_original(work, status_id, account_id)
    await insert_once(work.session, Bookmark, id=work.make_id(), account_id=account_id, status_id=status.id)
    return status


async def unbookmark(work: Work, account_id: int, status_id: int) -> Status:
    status = await the_original(work, status_id, account_id)
    await work.session.execute(
        delete(Bookmark).where(Bookmark.account_id == account_id, Bookmark.status_id == status.id)
    )
    return status


async def pin(work: Work, account_id: int, status_id: int) -> Status:
    """RefusedError for what is not one's own, a boost, direct, or one too many."""
    status = await the_status(work, status_id, account_id)
    if status.account_id != account_id:
        raise invalid("Validation failed: Someone else's post cannot be pinned")
    if status.reblog_of_id is not None:
        raise invalid("Validation failed: A boost cannot be pinned")
    if status.visibility == "direct":
        raise invalid("Validation failed: Posts that are only visible to mentioned users cannot be pinned")
    # The account's row is held meanwhile: two pins at once are counted one after the other.
    await work.session.execute(select(Account.id).where(Account.id == account_id).with_for_update())
    row = {"id": work.make_id(), "account_id": account_id, "status_id": status.id}
    if await insert_once(work.session, StatusPin, **row):
        pinned = select(func.count()).select_from(StatusPin).where(StatusPin.account_id == account_id)
        if (await work.session.scalar(pinned) or 0) > PINNED_POSTS_MAX:
            raise invalid("Validation failed: You have already pinned the maximum number of posts")
    return status


async def unpin(work: Work, account_id: int, status_id: int) -> Status:
    status = await the_status(work, status_id, account_id)
    await work.session.execute(
        delete(StatusPin).where(StatusPin.account_id == account_id, StatusPin.status_id == status.id)
    )
    return status


async def mute_thread(work: Work, account_id: int, status_id: int) -> Status:
    status = await the_original(work, status_id, account_id)
    await insert_once(work.session, ThreadMute, account_id=account_id, thread_id=status.thread_id)
    return status


async def unmute_thread(work: Work, account_id: int, status_id: int) -> Status:
    status = await the_original(work, status_id, account_id)
    await work.session.execute(
        delete(ThreadMute).where(ThreadMute.account_id == account_id, ThreadMute.thread_id == status.thread_id)
    )
    return status


async def count_statuses(work: Work, account_id: int, change: int) -> None:
    await work.session.execute(
        update(Account)
        .where(Account.id == account_id)
        .values(statuses_count=Account.statuses_count + change)
        .execution_options(synchronize_session=False)
    )


async def _count(work: Work, status_id: int, **counts: object) -> None:
    await work.session.execute(
        update(Status).where(Status.id == status_id).values(**counts).execution_options(synchronize_session=False)
    )
    work.tell(StatusCounted(status_id))
