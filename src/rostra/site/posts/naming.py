"""Whom and what a post names: its mentions resolved to accounts, its hashtags to rows."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import delete, select

from rostra.site.database.insert import insert_once
from rostra.site.database.tables.people import Account
from rostra.site.database.tables.posts import Status, StatusTag, Tag
from rostra.site.posts.text import hashtags, mentioned
from rostra.site.work import Work

_TAG_LENGTH_MAX = 100  # the column's; no word is so long


@dataclass(frozen=True, slots=True)
class Named:
    """`usernames` are those who exist, by their name in lower case; `ids` are theirs, in the text's order."""

    usernames: Mapping[str, str]
    ids: list[int]


async def name_accounts(work: Work, text: str) -> Named:
    names = mentioned(text, work.settings.domain)
    if not names:
        return Named({}, [])
    query = select(Account).where(Account.username_key.in_(names), Account.deleted_at.is_(None))
    found = {row.username_key: row for row in await work.session.scalars(query)}
    return Named(
        {key: row.username for key, row in found.items()}, [found[name].id for name in names if name in found]
    )


async def name_tags(work: Work, status: Status) -> None:
    """Make the post's hashtags those of its text."""
    await work.session.execute(delete(StatusTag).where(StatusTag.status_id == status.id))
    await add_tags(work, status)


async def add_tags(work: Work, status: Status) -> None:
    """Those of a post that has none yet."""
    for tag_id in (await tag_ids(work, hashtags(status.text))).values():
        work.session.add(StatusTag(tag_id=tag_id, status_id=status.id))


async def tag_ids(work: Work, names: Mapping[str, str]) -> dict[str, int]:
    """The ids of hashtags by their keys, made if they are new. `names`: key to how it was written."""
    fitting = {
        key: name for key, name in names.items() if len(key) <= _TAG_LENGTH_MAX and len(name) <= _TAG_LENGTH_MAX
    }
    if not fitting:
        return {}
    query = select(Tag.name, Tag.id).where(Tag.name.in_(fitting))
    known = dict((await work.session.execute(query)).all())
    # In one order, so that two posts with the same new hashtags never wait for each other.
    new = sorted(fitting.keys() - known.keys())
    for key in new:
        await insert_once(work.session, Tag, id=work.make_id(), name=key, display_name=fitting[key])
    if not new:
        return known
    return dict((await work.session.execute(query)).all())
