"""Filter and FilterResult: what somebody does not want to read, and why a post is such."""

from collections.abc import Sequence
from typing import NotRequired

from typing_extensions import TypedDict

from rostra.site.database.tables.graph import Filter, FilterKeyword, FilterStatus
from rostra.site.mastodon.entities.instants import optional
from rostra.site.timelines.filters import Matched, WholeFilter


class FilterKeywordEntity(TypedDict):
    id: str
    keyword: str
    whole_word: bool


class FilterStatusEntity(TypedDict):
    id: str
    status_id: str


class FilterEntity(TypedDict):
    id: str
    title: str
    context: list[str]
    expires_at: str | None
    filter_action: str
    keywords: NotRequired[list[FilterKeywordEntity]]
    statuses: NotRequired[list[FilterStatusEntity]]


class FilterResultEntity(TypedDict):
    filter: FilterEntity
    keyword_matches: list[str] | None
    status_matches: list[str] | None


class FilterV1Entity(TypedDict):
    """A keyword of a filter, as the first version of the API has it."""

    id: str
    phrase: str
    context: list[str]
    whole_word: bool
    expires_at: str | None
    irreversible: bool


def filter_entity(whole: WholeFilter) -> FilterEntity:
    return FilterEntity(
        **_plain(whole.row),
        keywords=[keyword_entity(each) for each in whole.keywords],
        statuses=[filter_status_entity(each) for each in whole.statuses],
    )


def keyword_entity(row: FilterKeyword) -> FilterKeywordEntity:
    return FilterKeywordEntity(id=str(row.id), keyword=row.keyword, whole_word=row.whole_word)


def filter_status_entity(row: FilterStatus) -> FilterStatusEntity:
    return FilterStatusEntity(id=str(row.id), status_id=str(row.status_id))


def filter_v1_entity(row: Filter, keyword: FilterKeyword) -> FilterV1Entity:
    return FilterV1Entity(
        id=str(keyword.id),
        phrase=keyword.keyword,
        context=row.contexts,
        whole_word=keyword.whole_word,
        expires_at=optional(row.expires_at),
        irreversible=row.action == "hide",
    )


def filter_results(matched: Sequence[Matched]) -> list[FilterResultEntity]:
    return [
        FilterResultEntity(
            filter=_plain(each.filter.row),
            keyword_matches=each.keywords or None,
            status_matches=[str(each.status_id)] if each.status_id else None,
        )
        for each in matched
    ]


def _plain(row: Filter) -> FilterEntity:
    return FilterEntity(
        id=str(row.id),
        title=row.title,
        context=row.contexts,
        expires_at=optional(row.expires_at),
        filter_action=row.action,
    )
