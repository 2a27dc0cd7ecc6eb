"""Filters: words and posts that somebody does not want to read, warned of or hidden."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

from sqlalchemy import delete, func, select

from rostra.core.limits import FILTER_KEYWORDS_MAX, FILTERS_MAX
from rostra.site.answers import invalid, not_found
from rostra.site.database.insert import insert_once
from rostra.site.database.tables.graph import Filter, FilterKeyword, FilterStatus
from rostra.site.events import RelationChanged
from rostra.site.posts.visibility import the_status
from rostra.site.work import Work

CONTEXTS: Final = ("home", "notifications", "public", "thread", "account")
ACTIONS: Final = ("warn", "hide", "blur")
_TITLE_LENGTH_MAX: Final = 200
_KEYWORD_LENGTH_MAX: Final = 512


@dataclass(frozen=True, slots=True)
class WholeFilter:
    row: Filter
    keywords: Sequence[FilterKeyword]
    statuses: Sequence[FilterStatus]


@dataclass(frozen=True, slots=True)
class Matched:
    """Why a post is filtered: the keywords that are in it, or itself."""

    filter: WholeFilter
    keywords: list[str]
    status_id: int | None


@dataclass(frozen=True, slots=True)
class Keyword:
    """One to add (`id` empty), to change, or to remove."""

    id: int | None
    text: str | None
    whole_word: bool | None
    remove: bool = False


# --- what is filtered --------------------------------------------------------------------------------------


def match(filters: Iterable[WholeFilter], status_id: int, text: str) -> list[Matched]:
    """Which of `filters` a post with this text meets. Pure."""
    found = []
    for each in filters:
        keywords = [
            keyword.keyword
            for keyword in each.keywords
            if _pattern(keyword.keyword, keyword.whole_word).search(text)
        ]
        is_listed = any(row.status_id == status_id for row in each.statuses)
        if keywords or is_listed:
            found.append(Matched(each, keywords, status_id if is_listed else None))
    return found


def hides(matched: Iterable[Matched], context: str) -> bool:
    return any(each.filter.row.action == "hide" and context in each.filter.row.contexts for each in matched)


@lru_cache(maxsize=1024)
def _pattern(keyword: str, whole_word: bool) -> re.Pattern[str]:  # noqa: FBT001 # a key of the cache
    """Whole words as Mastodon's: bounded where the keyword begins or ends with a letter."""
    written = re.escape(keyword)
    if whole_word:
        before = r"\b" if keyword[:1].isalnum() else ""
        after = r"\b" if keyword[-1:].isalnum() else ""
        written = f"{before}{written}{after}"
    return re.compile(written, re.IGNORECASE)


async def in_force(work: Work, account_id: int | None) -> list[WholeFilter]:
    """Somebody's filters that have not expired."""
    if account_id is None:
        return []
    return [
        each
        for each in await filters(work, account_id)
        if each.row.expires_at is None or each.row.expires_at > work.now
    ]


# --- keeping them ------------------------------------------------------------------------------------------


async def filters(work: Work, account_id: int) -> list[WholeFilter]:
    rows = await work.session.scalars(select(Filter).where(Filter.account_id == account_id).order_by(Filter.id))
    return await _whole(work, list(rows))


async def the_filter(work: Work, account_id: int, filter_id: int) -> WholeFilter:
    row = await work.session.get(Filter, filter_id)
    if row is None or row.account_id != account_id:
        raise not_found()
    (whole,) = await _whole(work, [row])
    return whole


async def create(
    work: Work,
    account_id: int,
    *,
    title: str,
    contexts: Sequence[str],
    action: str = "warn",
    expires_at: datetime | None = None,
    keywords: Sequence[Keyword] = (),
) -> WholeFilter:
    count = select(func.count()).select_from(Filter).where(Filter.account_id == account_id)
    if (await work.session.scalar(count) or 0) >= FILTERS_MAX:
        raise invalid(f"Validation failed: You may have {FILTERS_MAX} filters")
    row = Filter(id=work.make_id(), account_id=account_id)
    _set(row, title, contexts, action, expires_at)
    work.session.add(row)
    await work.session.flush()
    return await _changed(work, row, keywords)


async def change(
    work: Work,
    account_id: int,
    filter_id: int,
    *,
    title: str | None = None,
    contexts: Sequence[str] | None = None,
    action: str | None = None,
    expires_at: Mapping[str, datetime | None] | None = None,
    keywords: Sequence[Keyword] = (),
) -> WholeFilter:
    """`expires_at` is empty when it stays, and holds `{"at": …}` when it changes."""
    row = (await the_filter(work, account_id, filter_id)).row
    _set(
        row,
        row.title if title is None else title,
        row.contexts if contexts is None else contexts,
        row.action if action is None else action,
        row.expires_at if expires_at is None else expires_at["at"],
    )
    return await _changed(work, row, keywords)


async def remove(work: Work, account_id: int, filter_id: int) -> None:
    await work.session.delete((await the_filter(work, account_id, filter_id)).row)
    work.tell(RelationChanged(account_id))


async def the_keyword(work: Work, account_id: int, keyword_id: int) -> tuple[Filter, FilterKeyword]:
    keyword = await work.session.get(FilterKeyword, keyword_id)
    if keyword is None:
        raise not_found()
    return (await the_filter(work, account_id, keyword.filter_id)).row, keyword


async def set_keywords(work: Work, account_id: int, filter_id: int, keywords: Sequence[Keyword]) -> WholeFilter:
    return await _changed(work, (await the_filter(work, account_id, filter_id)).row, keywords)


async def the_filter_status(work: Work, account_id: int, filter_status_id: int) -> FilterStatus:
    row = await work.session.get(FilterStatus, filter_status_id)
    if row is None:
        raise not_found()
    await the_filter(work, account_id, row.filter_id)
    return row


async def add_status(work: Work, account_id: int, filter_id: int, status_id: int) -> FilterStatus:
    row = (await the_filter(work, account_id, filter_id)).row
    status = await the_status(work, status_id, account_id)
    await insert_once(work.session, FilterStatus, id=work.make_id(), filter_id=row.id, status_id=status.id)
    work.tell(RelationChanged(account_id))
    query = select(FilterStatus).where(FilterStatus.filter_id == row.id, FilterStatus.status_id == status.id)
    return (await work.session.scalars(query)).one()


async def remove_status(work: Work, account_id: int, filter_status_id: int) -> None:
    await work.session.delete(await the_filter_status(work, account_id, filter_status_id))
    work.tell(RelationChanged(account_id))


def _set(row: Filter, title: str, contexts: Sequence[str], action: str, expires_at: datetime | None) -> None:
    if not title.strip() or len(title) > _TITLE_LENGTH_MAX:
        raise invalid("Validation failed: Title can't be blank, nor longer than 200 characters")
    if not contexts or not set(contexts) <= set(CONTEXTS):
        raise invalid("Validation failed: Context None or invalid context supplied")
    if action not in ACTIONS:
        raise invalid("Validation failed: Action is not included in the list")
    row.title, row.contexts, row.action, row.expires_at = title, list(dict.fromkeys(contexts)), action, expires_at


async def _changed(work: Work, row: Filter, keywords: Sequence[Keyword]) -> WholeFilter:
    (whole,) = await _whole(work, [row])
    known = {each.id: each for each in whole.keywords}
    for keyword in keywords:
        kept = None if keyword.id is None else known.get(keyword.id)
        if keyword.id is not None and kept is None:
            raise not_found()
        if kept is not None and keyword.remove:
            await work.session.execute(delete(FilterKeyword).where(FilterKeyword.id == kept.id))
            continue
        text = keyword.text if keyword.text is not None or kept is None else kept.keyword
        if not text or not text.strip() or len(text) > _KEYWORD_LENGTH_MAX:
            raise invalid("Validation failed: Keyword can't be blank, nor longer than 512 characters")
        if kept is None:
            kept = FilterKeyword(id=work.make_id(), filter_id=row.id, whole_word=True)
            work.session.add(kept)
        kept.keyword = text
        kept.whole_word = kept.whole_word if keyword.whole_word is None else keyword.whole_word
    await work.session.flush()
    (whole,) = await _whole(work, [row])
    if len(whole.keywords) > FILTER_KEYWORDS_MAX:
        raise invalid(f"Validation failed: A filter may have {FILTER_KEYWORDS_MAX} keywords")
    work.tell(RelationChanged(row.account_id))
    return whole


async def _whole(work: Work, rows: Sequence[Filter]) -> list[WholeFilter]:
    ids = [row.id for row in rows]
    if not ids:
        return []
    keywords = list(
        await work.session.scalars(
            select(FilterKeyword).where(FilterKeyword.filter_id.in_(ids)).order_by(FilterKeyword.id)
        )
    )
    statuses = list(
        await work.session.scalars(
            select(FilterStatus).where(FilterStatus.filter_id.in_(ids)).order_by(FilterStatus.id)
        )
    )
    return [
        WholeFilter(
            row,
            [each for each in keywords if each.filter_id == row.id],
            [each for each in statuses if each.filter_id == row.id],
        )
        for row in rows
    ]
