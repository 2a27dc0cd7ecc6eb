"""Who has to do with whom: follows and requests for them, blocks, mutes, notes, endorsements.

Each change leaves the counts of both right, and tells that the relations have changed. Doing what is done already
changes nothing.
"""

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import CursorResult, delete, select, update

from rostra.site.answers import forbidden, invalid, not_found
from rostra.site.attention import notify as attention
from rostra.site.database.insert import insert_once
from rostra.site.database.tables.graph import Block, Follow, FollowRequest, List, ListMember, Mute
from rostra.site.database.tables.people import Account, AccountNote, Endorsement
from rostra.site.events import AccountChanged, RelationChanged
from rostra.site.moderation.restrictions import in_force
from rostra.site.people import lookup
from rostra.site.work import Work

NOTE_LENGTH_MAX: Final = 2000
MUTE_MAX: Final = timedelta(days=3650)
_LANGUAGES_MAX: Final = 20
_FOLLOWS_MAX: Final = 7500  # as Mastodon: beyond, somebody follows nobody but collects followers


async def follow(
    work: Work,
    account_id: int,
    target_id: int,
    *,
    reblogs: bool | None = None,
    notify: bool | None = None,
    languages: list[str] | None = None,
) -> None:
    """Follow, or ask to if the other is locked; or change how one follows. None leaves a choice as it is."""
    target = await lookup.account(work, target_id)
    wishes = {"reblogs": reblogs, "notify": notify, "languages": languages[:_LANGUAGES_MAX] if languages else None}
    chosen: dict[str, Any] = {name: value for name, value in wishes.items() if value is not None}
    for table in (Follow, FollowRequest):
        known = await _row(work, table, account_id, target_id)
        if known is not None:
            for name, value in chosen.items():
                setattr(known, name, value)
            return
    if account_id == target_id or await _blocked(work, account_id, target_id):
        raise forbidden()
    restricted = await in_force(work, "account", [account_id, target_id])
    if "suspend" in restricted[target_id]:
        raise not_found()
    follower = await lookup.account(work, account_id)
    if follower.following_count >= _FOLLOWS_MAX:
        raise invalid("Validation failed: You can't follow more than 7500 people")
    if target.locked or "silence" in restricted[account_id]:
        values = {"id": work.make_id(), "account_id": account_id, "target_id": target_id, **chosen}
        if await insert_once(work.session, FollowRequest, **values):
            await attention.notify(work, "follow_request", [target_id], from_id=account_id)
    else:
        await _begin(work, account_id, target_id, chosen)
    work.tell(RelationChanged(account_id))


async def unfollow(work: Work, account_id: int, target_id: int) -> None:
    """Also takes back a request."""
    await lookup.account(work, target_id)
    await _end(work, account_id, target_id)
    await _withdraw(work, account_id, target_id)
    work.tell(RelationChanged(account_id))


async def remove_follower(work: Work, account_id: int, follower_id: int) -> None:
    await lookup.account(work, follower_id)
    await _end(work, follower_id, account_id)
    work.tell(RelationChanged(follower_id))


async def accept(work: Work, account_id: int, follower_id: int) -> None:
    """RefusedError (404) if nobody like that has asked."""
    request = await _row(work, FollowRequest, follower_id, account_id)
    if request is None:
        raise not_found()
    chosen = {"reblogs": request.reblogs, "notify": request.notify, "languages": request.languages}
    await _withdraw(work, follower_id, account_id)
    await _begin(work, follower_id, account_id, chosen)
    work.tell(RelationChanged(follower_id))


async def accept_all(work: Work, account_id: int) -> None:
    """What it means to be locked no longer."""
    for follower_id in await work.session.scalars(
        select(FollowRequest.account_id).where(FollowRequest.target_id == account_id)
    ):
        await accept(work, account_id, follower_id)


async def reject(work: Work, account_id: int, follower_id: int) -> None:
    """RefusedError (404) if nobody like that has asked."""
    if not await _withdraw(work, follower_id, account_id):
        raise not_found()
    work.tell(RelationChanged(follower_id))


async def block(work: Work, account_id: int, target_id: int) -> None:
    """Neither follows the other any more, or asks to."""
    await lookup.account(work, target_id)
    if account_id == target_id:
        raise forbidden()
    for one, other in ((account_id, target_id), (target_id, account_id)):
        await _end(work, one, other)
        await _withdraw(work, one, other)
        work.tell(RelationChanged(one))
    await insert_once(work.session, Block, id=work.make_id(), account_id=account_id, target_id=target_id)


async def unblock(work: Work, account_id: int, target_id: int) -> None:
    await lookup.account(work, target_id)
    await _drop(work, Block, account_id, target_id)
    work.tell(RelationChanged(account_id))


async def mute(
    work: Work, account_id: int, target_id: int, *, notifications: bool = True, lasts: timedelta | None = None
) -> None:
    """For `lasts`, or until it is taken back."""
    await lookup.account(work, target_id)
    if account_id == target_id:
        raise forbidden()
    if lasts is not None and not timedelta() <= lasts <= MUTE_MAX:
        raise invalid("Validation failed: Duration is invalid")
    await _drop(work, Mute, account_id, target_id)
    await insert_once(
        work.session,
        Mute,
        id=work.make_id(),
        account_id=account_id,
        target_id=target_id,
        notifications=notifications,
        expires_at=work.now + lasts if lasts else None,
    )
    work.tell(RelationChanged(account_id))


async def unmute(work: Work, account_id: int, target_id: int) -> None:
    await lookup.account(work, target_id)
    await _drop(work, Mute, account_id, target_id)
    work.tell(RelationChanged(account_id))


async def set_note(work: Work, account_id: int, about_id: int, text: str) -> None:
    """An empty note is none."""
    await lookup.account(work, about_id)
    if len(text) > NOTE_LENGTH_MAX:
        raise invalid(f"Validation failed: Comment is too long (maximum is {NOTE_LENGTH_MAX} characters)")
    await work.session.execute(
        delete(AccountNote).where(AccountNote.account_id == account_id, AccountNote.about_id == about_id)
    )
    if text:
        work.session.add(AccountNote(account_id=account_id, about_id=about_id, text=text))


async def endorse(work: Work, account_id: int, target_id: int) -> None:
    """Show somebody on one's profile whom one follows."""
    await lookup.account(work, target_id)
    if await _row(work, Follow, account_id, target_id) is None:
        raise invalid("Validation failed: You must be already following the person you want to endorse")
    await insert_once(work.session, Endorsement, id=work.make_id(), account_id=account_id, endorsed_id=target_id)


async def unendorse(work: Work, account_id: int, target_id: int) -> None:
    await lookup.account(work, target_id)
    await work.session.execute(
        delete(Endorsement).where(Endorsement.account_id == account_id, Endorsement.endorsed_id == target_id)
    )


async def _begin(work: Work, account_id: int, target_id: int, chosen: dict[str, Any]) -> None:
    values = {"id": work.make_id(), "account_id": account_id, "target_id": target_id, **chosen}
    if await insert_once(work.session, Follow, **values):
        await _count(work, account_id, target_id, 1)
        await attention.notify(work, "follow", [target_id], from_id=account_id)


async def _end(work: Work, account_id: int, target_id: int) -> None:
    """No longer follow, have in one's lists, or show on one's profile."""
    if not await _drop(work, Follow, account_id, target_id):
        return
    await attention.withdraw(work, "follow", from_id=account_id, account_id=target_id)
    await _count(work, account_id, target_id, -1)
    lists = select(List.id).where(List.account_id == account_id)
    await work.session.execute(
        delete(ListMember).where(ListMember.list_id.in_(lists), ListMember.account_id == target_id)
    )
    await unendorse(work, account_id, target_id)


async def _withdraw(work: Work, account_id: int, target_id: int) -> bool:
    """No longer ask to follow; whether somebody did."""
    if not await _drop(work, FollowRequest, account_id, target_id):
        return False
    await attention.withdraw(work, "follow_request", from_id=account_id, account_id=target_id)
    return True


async def _count(work: Work, account_id: int, target_id: int, change: int) -> None:
    following, followers = Account.following_count + change, Account.followers_count + change
    await work.session.execute(update(Account).where(Account.id == account_id).values(following_count=following))
    await work.session.execute(update(Account).where(Account.id == target_id).values(followers_count=followers))
    work.tell(AccountChanged(account_id))
    work.tell(AccountChanged(target_id))


_Edge = Follow | FollowRequest | Block | Mute


async def _row(
    work: Work, table: type[Follow | FollowRequest], account_id: int, target_id: int
) -> Follow | FollowRequest | None:
    found: Follow | FollowRequest | None = await work.session.scalar(
        select(table).where(table.account_id == account_id, table.target_id == target_id)
    )
    return found


async def _drop(work: Work, table: type[_Edge], account_id: int, target_id: int) -> bool:
    """Whether there was such a row."""
    gone = await work.session.execute(
        delete(table).where(table.account_id == account_id, table.target_id == target_id)
    )
    assert isinstance(gone, CursorResult)
    return gone.rowcount > 0


async def _blocked(work: Work, one: int, other: int) -> bool:
    pairs = select(Block.id).where(Block.account_id.in_([one, other]), Block.target_id.in_([one, other]))
    return await work.session.scalar(pairs) is not None
