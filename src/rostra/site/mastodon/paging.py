"""Pages of a list by id (max_id, since_id, min_id, limit), and the Link header to the next and the one before."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final, NamedTuple, TypeVar, TypeVarTuple
from urllib.parse import urlencode

from fastapi import Request
from sqlalchemy import BigInteger, BindParameter, ColumnElement, Integer, Select, bindparam
from sqlalchemy.orm import InstrumentedAttribute

from rostra.site.mastodon.body import Asked, Id, asks

LIMIT_DEFAULT: Final = 20
LIMIT_MAX: Final = 40
PAGING: Final = {"max_id": Id, "since_id": Id, "min_id": Id, "limit": int}
Paged = Annotated[Asked, asks(PAGING)]
_Columns = TypeVarTuple("_Columns")
_Item = TypeVar("_Item")
_Bound = int | BindParameter[int]


class Shape(NamedTuple):
    """Which bounds a page has: for statements that are kept, and bounded by parameters."""

    max_id: bool
    since_id: bool
    min_id: bool

    def of(self, query: Select[*_Columns], column: InstrumentedAttribute[int]) -> Select[*_Columns]:
        bounds = [
            bindparam(name, type_=BigInteger) if is_bounded else None
            for name, is_bounded in zip(self._fields, self, strict=True)
        ]
        return _bounded(query, column, bindparam("limit", type_=Integer), *bounds)


@dataclass(frozen=True, slots=True)
class Page:
    """`max_id` and `since_id` give the newest between them, `min_id` the oldest above it; newest first always."""

    limit: int
    max_id: int | None = None
    since_id: int | None = None
    min_id: int | None = None

    def of(
        self, query: Select[*_Columns], column: ColumnElement[int] | InstrumentedAttribute[int]
    ) -> Select[*_Columns]:
        """`query` bounded to this page of `column`. Pass what comes to `ordered`."""
        return _bounded(query, column, self.limit, self.max_id, self.since_id, self.min_id)

    @property
    def shape(self) -> Shape:
        return Shape(self.max_id is not None, self.since_id is not None, self.min_id is not None)

    @property
    def values(self) -> dict[str, int | None]:
        """The parameters of a statement that `shape` has bounded."""
        return {"limit": self.limit, "max_id": self.max_id, "since_id": self.since_id, "min_id": self.min_id}

    def ordered(self, rows: Sequence[_Item]) -> list[_Item]:
        """The rows of `of`, newest first."""
        return list(reversed(rows)) if self.min_id is not None else list(rows)


def _bounded(
    query: Select[*_Columns],
    column: ColumnElement[int] | InstrumentedAttribute[int],
    limit: _Bound,
    max_id: _Bound | None,
    since_id: _Bound | None,
    min_id: _Bound | None,
) -> Select[*_Columns]:
    if max_id is not None:
        query = query.where(column < max_id)
    if since_id is not None:
        query = query.where(column > since_id)
    if min_id is not None:
        return query.where(column > min_id).order_by(column.asc()).limit(limit)
    return query.order_by(column.desc()).limit(limit)


def page_of(asked: Asked, *, limit: int = LIMIT_DEFAULT, limit_max: int = LIMIT_MAX) -> Page:
    return Page(
        limit=max(1, min(asked.integer("limit", limit), limit_max)),
        max_id=asked.optional_id("max_id"),
        since_id=asked.optional_id("since_id"),
        min_id=asked.optional_id("min_id"),
    )


def links(request: Request, url: str, page: Page, ids: Sequence[int]) -> dict[str, str]:
    """The Link header for a page whose rows have `ids`, newest first: `next` comes first (wire rule 1).

    `url` is the site's own address, which a client follows whatever proxy stands between.
    """
    if not ids:
        return {}
    kept = [(name, value) for name, value in request.query_params.multi_items() if name not in PAGING]
    address = f"{url}{request.url.path}"
    older = urlencode([*kept, ("limit", page.limit), ("max_id", ids[-1])])
    newer = urlencode([*kept, ("limit", page.limit), ("min_id", ids[0])])
    parts = [f'<{address}?{older}>; rel="next"'] if len(ids) >= page.limit else []
    return {"Link": ", ".join([*parts, f'<{address}?{newer}>; rel="prev"'])}
