"""Timelines: which posts stand in a list, newest first. Each is asked of the tables when it is read, never kept.

Nothing is copied to followers when somebody posts, so that a post by somebody whom a million follow costs one row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select

from rostra.site.database.tables.graph import Follow, List, ListMember, TagFollow
from rostra.site.database.tables.media import MediaAttachment
from rostra.site.database.tables.posts import Bookmark, Favourite, Status, StatusPin, StatusTag, Tag
from rostra.site.mastodon.paging import Page, Shape
from rostra.site.moderation.restrictions import Moment, account_is
from rostra.site.posts.visibility import NOW, ORIGINAL, VIEWER, ViewerId, avoided, seen, wanted
from rostra.site.work import Work


async def home(work: Work, viewer_id: int, page: Page) -> list[Status]:
    """One's own posts and those of whom one follows, and of followed hashtags."""
    values = {"viewer_id": viewer_id, "now": work.now}
    chosen = (await work.session.execute(_CHOICES, values)).one()
    query = _home(page.shape, has_tags=chosen[0])
    if chosen[1]:
        query = query.where(*await _languages(work, viewer_id))
    return page.ordered(list(await work.session.scalars(query, values | page.values)))


_CHOICES: Final = select(
    exists().where(TagFollow.account_id == VIEWER),
    exists().where(Follow.account_id == VIEWER, Follow.languages.is_not(None)),
)


@cache
def _home(shape: Shape, *, has_tags: bool) -> Select[Status]:
    of_mine = [Status.account_id == VIEWER, _followed()]
    if has_tags:
        tagged = select(StatusTag.status_id).join(TagFollow, TagFollow.tag_id == StatusTag.tag_id)
        tagged = tagged.where(TagFollow.account_id == VIEWER)
        of_mine.append(and_(Status.id.in_(tagged), Status.visibility == "public"))
    return shape.of(seen(VIEWER, NOW).where(wanted(VIEWER, NOW), or_(*of_mine)), Status.id)


def _followed() -> ColumnElement[bool]:
    """By whom the viewer follows: with the boosts they asked for, answers only among them."""
    followed = select(Follow.target_id).where(Follow.account_id == VIEWER)
    exclusive = (
        select(ListMember.account_id)
        .join(List, List.id == ListMember.list_id)
        .where(List.account_id == VIEWER, List.exclusive)
    )
    return and_(
        Status.account_id.in_(followed),
        Status.account_id.not_in(exclusive),
        or_(Status.reblog_of_id.is_(None), Status.account_id.in_(followed.where(Follow.reblogs))),
        or_(
            Status.in_reply_to_account_id.is_(None),
            Status.in_reply_to_account_id == VIEWER,
            Status.in_reply_to_account_id == Status.account_id,
            Status.in_reply_to_account_id.in_(followed),
        ),
    )


async def _languages(work: Work, viewer_id: int) -> list[ColumnElement[bool]]:
    """Of whom somebody follows in some languages only, nothing in others."""
    spoken = await work.session.execute(
        select(Follow.target_id, Follow.languages).where(
            Follow.account_id == viewer_id, Follow.languages.is_not(None)
        )
    )
    return [
        or_(Status.account_id != account_id, Status.language.is_(None), Status.language.in_(languages))
        for account_id, languages in spoken
        if languages
    ]


async def public(
    work: Work, viewer_id: int | None, page: Page, *, only_media: bool = False, remote: bool = False
) -> list[Status]:
    """What anybody may read, without answers to others. Everybody is here: `remote` is empty."""
    if remote:
        return []
    query = _live(page.shape, is_known=viewer_id is not None, only_media=only_media)
    values = {"viewer_id": viewer_id, "now": work.now, **page.values}
    return page.ordered(list(await work.session.scalars(query, values)))


@cache
def _live(shape: Shape, *, is_known: bool, only_media: bool) -> Select[Status]:
    query = _public(VIEWER if is_known else None, NOW, only_media=only_media).where(
        or_(Status.in_reply_to_id.is_(None), Status.in_reply_to_account_id == Status.account_id)
    )
    return shape.of(query, Status.id)


async def tagged(
    work: Work,
    viewer_id: int | None,
    page: Page,
    *,
    any_of: Sequence[str],
    all_of: Sequence[str] = (),
    none_of: Sequence[str] = (),
    only_media: bool = False,
) -> list[Status]:
    """Public posts with one of `any_of`, all of `all_of` and none of `none_of` (keys of hashtags)."""

    def having(names: Sequence[str]) -> Select[int]:
        return select(StatusTag.status_id).join(Tag, Tag.id == StatusTag.tag_id).where(Tag.name.in_(names))

    query = _public(viewer_id, work.now, only_media=only_media).where(Status.id.in_(having(any_of)))
    for name in all_of:
        query = query.where(Status.id.in_(having([name])))
    if none_of:
        query = query.where(Status.id.not_in(having(none_of)))
    return await _page(work, query, page)


async def of_list(work: Work, row: List, page: Page) -> list[Status]:
    """By the members of a list; answers as its `replies_policy` says."""
    members = select(ListMember.account_id).where(ListMember.list_id == row.id)
    answered = Status.in_reply_to_account_id
    is_no_answer = or_(answered.is_(None), answered == Status.account_id)
    match row.replies_policy:
        case "none":
            answers: ColumnElement[bool] = is_no_answer
        case "followed":
            followed = select(Follow.target_id).where(Follow.account_id == row.account_id)
            answers = or_(is_no_answer, answered.in_(followed), answered == row.account_id)
        case _:
            answers = or_(is_no_answer, answered.in_(members), answered == row.account_id)
    query = seen(row.account_id, work.now).where(
        wanted(row.account_id, work.now), Status.account_id.in_(members), answers
    )
    return await _page(work, query, page)


@dataclass(frozen=True, slots=True)
class Wish:
    """Which posts of an account are wanted."""

    exclude_replies: bool = False
    exclude_reblogs: bool = False
    exclude_direct: bool = False
    only_media: bool = False
    pinned: bool = False
    tagged: str = ""


async def of_account(
    work: Work, account_id: int, viewer_id: int | None, page: Page, wish: Wish | None = None
) -> list[Status]:
    """An account's posts and boosts, as far as the viewer may see them; `pinned` ones in the order of pinning."""
    wish = wish or Wish()
    query = seen(viewer_id, work.now).where(Status.account_id == account_id)
    if viewer_id is not None and viewer_id != account_id:
        unwanted = avoided(viewer_id, work.now)
        query = query.where(or_(ORIGINAL.account_id.is_(None), ORIGINAL.account_id.not_in(unwanted)))
    if wish.pinned:
        query = query.join(StatusPin, StatusPin.status_id == Status.id).order_by(StatusPin.id.desc())
        return list(await work.session.scalars(query.limit(page.limit)))
    if wish.exclude_replies:
        query = query.where(
            or_(Status.in_reply_to_id.is_(None), Status.in_reply_to_account_id == Status.account_id)
        )
    if wish.exclude_reblogs:
        query = query.where(Status.reblog_of_id.is_(None))
    if wish.exclude_direct:
        query = query.where(Status.visibility != "direct")
    if wish.only_media:
        query = query.where(_has_media())
    if wish.tagged:
        names = select(StatusTag.status_id).join(Tag, Tag.id == StatusTag.tag_id).where(Tag.name == wish.tagged)
        query = query.where(Status.id.in_(names))
    return await _page(work, query, page)


async def kept(
    work: Work, table: type[Bookmark | Favourite], account_id: int, page: Page
) -> list[tuple[int, Status]]:
    """What somebody has bookmarked or favourited: the newest such act first, by which it is paged (wire rule 2)."""
    query = (
        seen(account_id, work.now)
        .join(table, table.status_id == Status.id)
        .where(table.account_id == account_id)
        .with_only_columns(table.id, Status)
    )
    rows = (await work.session.execute(page.of(query, table.id))).all()
    return page.ordered(rows)


# --- parts -------------------------------------------------------------------------------------------------


def _public(viewer_id: ViewerId, now: Moment, *, only_media: bool) -> Select[Status]:
    """Public posts, none of those of silenced accounts but for their followers."""
    is_heard = ~account_is("silence", Status.account_id, now)
    if viewer_id is not None:
        followed = select(Follow.target_id).where(Follow.account_id == viewer_id)
        is_heard = or_(is_heard, Status.account_id == viewer_id, Status.account_id.in_(followed))
    query = seen(viewer_id, now).where(
        wanted(viewer_id, now),
        Status.visibility == "public",
        Status.deleted_at.is_(None),
        Status.reblog_of_id.is_(None),
        is_heard,
    )
    return query.where(_has_media()) if only_media else query


def _has_media() -> ColumnElement[bool]:
    return (
        select(MediaAttachment.id)
        .where(MediaAttachment.status_id == Status.id, MediaAttachment.position >= 0)
        .exists()
    )


async def _page(work: Work, query: Select[Status], page: Page) -> list[Status]:
    return page.ordered(list(await work.session.scalars(page.of(query, Status.id))))
