"""Who among those who listen gets a post: the rules of timelines/feeds.py, asked once for all listeners together.

A timeline asks which posts one reader gets; here it is which readers get one post. A test holds the two against
each other for every relation that there is.
"""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import and_, or_, select, union_all

from rostra.site.database.tables.graph import Block, Filter, Follow, List, ListMember, Mute, TagFollow
from rostra.site.database.tables.media import MediaAttachment
from rostra.site.database.tables.posts import (
    Bookmark,
    Favourite,
    Mention,
    Status,
    StatusPin,
    StatusTag,
    Tag,
    ThreadMute,
)
from rostra.site.moderation.restrictions import account_is
from rostra.site.posts.visibility import seen
from rostra.site.work import Work


@dataclass(frozen=True, slots=True)
class Told:
    """A post or boost that is told, with what decides who gets it."""

    status: Status
    original: Status  # itself, unless it is a boost
    mentioned: frozenset[int]
    tags: dict[int, str]  # ids and keys
    has_media: bool
    is_heard: bool  # its author is not silenced

    @property
    def is_boost(self) -> bool:
        return self.status.reblog_of_id is not None

    @property
    def answered_id(self) -> int | None:
        """Whom it answers, if not its own author."""
        answered = self.status.in_reply_to_account_id
        return None if answered == self.status.account_id else answered

    @property
    def is_public(self) -> bool:
        return self.status.visibility == "public" and not self.is_boost and self.is_heard

    @property
    def authors(self) -> set[int]:
        """Whom one must not avoid to be given it."""
        return {self.status.account_id, self.original.account_id}


async def told(work: Work, status_id: int) -> Told | None:
    """What is to know of a post, or None if it is deleted or hidden by now."""
    row = await work.session.get(Status, status_id)
    if row is None:
        return None
    row = await work.session.scalar(seen(row.account_id, work.now).where(Status.id == status_id))
    if row is None:
        return None
    original = row if row.reblog_of_id is None else await work.session.get_one(Status, row.reblog_of_id)
    mentions = select(Mention.account_id).where(Mention.status_id == original.id)
    tags = select(Tag.id, Tag.name).join(StatusTag, StatusTag.tag_id == Tag.id).where(StatusTag.status_id == row.id)
    media = select(MediaAttachment.id).where(MediaAttachment.status_id == row.id, MediaAttachment.position >= 0)
    silenced = select(Status.id).where(Status.id == row.id, account_is("silence", Status.account_id, work.now))
    return Told(
        row,
        original,
        mentioned=frozenset(await work.session.scalars(mentions)),
        tags={each.id: each.name for each in await work.session.execute(tags)},
        has_media=await work.session.scalar(media.limit(1)) is not None,
        is_heard=await work.session.scalar(silenced) is None,
    )


async def at_home(work: Work, post: Told, listening: Collection[int]) -> set[int]:
    """Who of `listening` has it in the home timeline."""
    author = post.status.account_id
    followers = await _followers(work, post, listening)
    found = set(followers)
    if post.tags and post.status.visibility == "public":
        query = select(TagFollow.account_id).where(
            TagFollow.tag_id.in_(post.tags), TagFollow.account_id.in_(listening)
        )
        found |= set(await work.session.scalars(query))
    found |= {author} & set(listening)
    return await _allowed(work, post, found)


async def in_public(work: Work, post: Told, listening: Collection[int]) -> set[int]:
    """Who of `listening` gets it in a public or a hashtag's stream."""
    if post.status.visibility != "public" or post.is_boost:
        return set()
    heard = set(listening)
    if not post.is_heard:
        query = select(Follow.account_id).where(
            Follow.target_id == post.status.account_id, Follow.account_id.in_(listening)
        )
        heard &= {*await work.session.scalars(query), post.status.account_id}
    return await _allowed(work, post, heard)


async def in_lists(work: Work, post: Told, list_ids: Collection[int]) -> dict[int, int]:
    """Which of these lists have it, each with its owner."""
    query = (
        select(List)
        .join(ListMember, ListMember.list_id == List.id)
        .where(List.id.in_(list_ids), ListMember.account_id == post.status.account_id)
    )
    rows = list(await work.session.scalars(query))
    if post.answered_id is not None:
        rows = [row for row in rows if await _takes_answer(work, row, post.answered_id)]
    owners = await _allowed(work, post, {row.account_id for row in rows})
    return {row.id: row.account_id for row in rows if row.account_id in owners}


async def particular(work: Work, post: Told, readers: Collection[int]) -> set[int]:
    """Those for whom it must be written on its own: with filters, or who did something with it before."""
    ids = {post.status.id, post.original.id}
    query = union_all(
        select(Filter.account_id).where(Filter.account_id.in_(readers)),
        *(
            select(table.account_id).where(table.account_id.in_(readers), table.status_id.in_(ids))
            for table in (Favourite, Bookmark, StatusPin)
        ),
        select(Status.account_id).where(Status.account_id.in_(readers), Status.reblog_of_id == post.original.id),
        select(ThreadMute.account_id).where(
            ThreadMute.account_id.in_(readers), ThreadMute.thread_id == post.original.thread_id
        ),
    )
    return set(await work.session.scalars(query))


async def followers(work: Work, account_id: int, listening: Collection[int]) -> set[int]:
    """Who of `listening` follows somebody, with the account itself."""
    query = select(Follow.account_id).where(Follow.target_id == account_id, Follow.account_id.in_(listening))
    return {*await work.session.scalars(query)} | ({account_id} & set(listening))


async def _followers(work: Work, post: Told, listening: Collection[int]) -> set[int]:
    """Those who follow its author, with boosts and in its language, and whom it answers; no exclusive lists."""
    author, answered = post.status.account_id, post.answered_id
    rows = await work.session.scalars(
        select(Follow).where(Follow.target_id == author, Follow.account_id.in_(listening))
    )
    language = post.status.language
    found = {
        row.account_id
        for row in rows
        if (row.reblogs or not post.is_boost)
        and (not row.languages or language is None or language in row.languages)
    }
    if answered is not None:
        query = select(Follow.account_id).where(Follow.target_id == answered, Follow.account_id.in_(found))
        found &= {*await work.session.scalars(query), answered}
    exclusive = (
        select(List.account_id)
        .join(ListMember, ListMember.list_id == List.id)
        .where(ListMember.account_id == author, List.exclusive, List.account_id.in_(found))
    )
    return found - set(await work.session.scalars(exclusive))


async def _takes_answer(work: Work, row: List, answered_id: int) -> bool:
    match row.replies_policy:
        case "none":
            return False
        case "followed":
            query = select(Follow.id).where(Follow.account_id == row.account_id, Follow.target_id == answered_id)
        case _:
            query = select(ListMember.id).where(ListMember.list_id == row.id, ListMember.account_id == answered_id)
    return answered_id == row.account_id or await work.session.scalar(query) is not None


async def _allowed(work: Work, post: Told, readers: set[int]) -> set[int]:
    """Those of `readers` who may see it, and avoid nobody who wrote, boosted, or is answered in it."""
    if not readers:
        return set()
    author = post.original.account_id
    if post.original.visibility == "private":
        follows = select(Follow.account_id).where(Follow.target_id == author, Follow.account_id.in_(readers))
        readers = readers & {*await work.session.scalars(follows), author, *post.mentioned}
    elif post.original.visibility == "direct":
        readers = readers & {author, *post.mentioned}
    avoided = post.authors | ({post.answered_id} if post.answered_id is not None else set())
    query = union_all(
        select(Block.account_id).where(Block.account_id.in_(readers), Block.target_id.in_(avoided)),
        select(Block.target_id).where(Block.target_id.in_(readers), Block.account_id.in_(avoided)),
        select(Mute.account_id).where(
            and_(Mute.account_id.in_(readers), Mute.target_id.in_(avoided)),
            or_(Mute.expires_at.is_(None), Mute.expires_at > work.now),
        ),
    )
    return readers - set(await work.session.scalars(query))
