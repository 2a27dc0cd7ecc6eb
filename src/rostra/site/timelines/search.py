"""Search: posts by their words, hashtags by how they begin. Accounts are found in site/people/lookup.py."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, column, func, literal_column, or_, select, table, text

from rostra.site.database.tables.graph import Follow
from rostra.site.database.tables.people import Account
from rostra.site.database.tables.posts import Mention, Status, Tag
from rostra.site.mastodon.paging import Page
from rostra.site.posts.text import tag_key
from rostra.site.posts.visibility import seen, wanted
from rostra.site.work import Work


async def statuses(
    work: Work,
    viewer_id: int | None,
    words: str,
    page: Page,
    *,
    offset: int = 0,
    account_id: int | None = None,
    following: bool = False,
) -> list[Status]:
    """Posts that hold all of `words`, the newest first: one's own, those that mention one, and public ones.

    Who does not want to be found by search engines (`indexable`) is not found here either.
    """
    if not words.split():
        return []
    indexable = select(Account.id).where(Account.id == Status.account_id, Account.indexable)
    found: ColumnElement[bool] = indexable.correlate(Status).exists() & (Status.visibility == "public")
    if viewer_id is not None:
        mentions = select(Mention.status_id).where(Mention.status_id == Status.id, Mention.account_id == viewer_id)
        found = or_(found, Status.account_id == viewer_id, mentions.exists())
    query = seen(viewer_id, work.now).where(
        wanted(viewer_id, work.now), Status.reblog_of_id.is_(None), _holds(work, words), found
    )
    if account_id is not None:
        query = query.where(Status.account_id == account_id)
    if following and viewer_id is not None:
        query = query.where(Status.account_id.in_(select(Follow.target_id).where(Follow.account_id == viewer_id)))
    rows = await work.session.scalars(page.of(query, Status.id).offset(offset))
    return page.ordered(list(rows))


def _holds(work: Work, words: str) -> ColumnElement[bool]:
    """By the index of 0002_full_text.py. Nothing that is written into `words` is taken for more than words."""
    if work.session.get_bind().dialect.name == "postgresql":
        document = func.to_tsvector(
            literal_column("'simple'"), Status.spoiler_text + literal_column("' '") + Status.text
        )
        return document.op("@@")(func.plainto_tsquery(literal_column("'simple'"), words))
    index = table("statuses_text", column("rowid"))
    query = " ".join('"' + word.replace('"', '""') + '"' for word in words.split())
    matching = text("statuses_text MATCH :words").bindparams(words=query)
    return Status.id.in_(select(index.c.rowid).select_from(index).where(matching))


async def tags(work: Work, name: str, *, limit: int, offset: int = 0) -> Sequence[Tag]:
    """Hashtags that begin so, sorted by name (wire rule 11)."""
    key = tag_key(name.strip().removeprefix("#"))
    if not key:
        return []
    query = select(Tag).where(Tag.name.startswith(key, autoescape=True)).order_by(Tag.name)
    return list(await work.session.scalars(query.limit(limit).offset(offset)))
