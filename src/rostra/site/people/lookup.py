"""Finds accounts: by id, by name as people write it, by what is typed into a search box."""

from collections.abc import Iterable, Sequence

from sqlalchemy import case, or_, select

from rostra.site.answers import not_found
from rostra.site.database.tables.graph import Follow
from rostra.site.database.tables.people import Account, User
from rostra.site.oauth.bearer import Viewer
from rostra.site.work import Work


async def account(work: Work, account_id: int) -> Account:
    """The account, also a suspended one. RefusedError (404) if there is none, or it was deleted."""
    found = await work.session.get(Account, account_id)
    if found is None or found.deleted_at is not None:
        raise not_found()
    return found


async def accounts(work: Work, ids: Iterable[int]) -> list[Account]:
    """Those of `ids` that exist, in their order."""
    wanted = list(dict.fromkeys(ids))
    rows = await work.session.scalars(select(Account).where(Account.id.in_(wanted), Account.deleted_at.is_(None)))
    by_id = {row.id: row for row in rows}
    return [by_id[each] for each in wanted if each in by_id]


async def user(work: Work, account_id: int) -> User:
    """Who logs in to an account. RefusedError (404) if nobody does."""
    found = await work.session.get(User, account_id)
    if found is None:
        raise not_found()
    return found


def name_of(acct: str, domain: str) -> str | None:
    """The username in lower case of `name`, `@name` or `name@domain`; None for other servers' people. Pure."""
    name, _, host = acct.strip().removeprefix("@").partition("@")
    if not name or (host and host.lower() != domain.lower()):
        return None
    return name.lower()


async def by_acct(work: Work, acct: str) -> Account:
    """RefusedError (404) if nobody has this name."""
    name = name_of(acct, work.settings.domain)
    query = select(Account).where(Account.username_key == name, Account.deleted_at.is_(None))
    found = None if name is None else await work.session.scalar(query)
    if found is None:
        raise not_found()
    return found


async def search(
    work: Work, text: str, viewer: Viewer | None, *, limit: int, offset: int = 0, following: bool = False
) -> Sequence[Account]:
    """Accounts whose name begins with `text`, or whose shown name holds it: the exact one first (wire rule 11)."""
    name = name_of(text, work.settings.domain)
    if name is None:
        return []
    pattern = _like(name)
    query = select(Account).where(
        Account.deleted_at.is_(None),
        or_(
            Account.username_key.like(f"{pattern}%", escape="\\"),
            Account.display_name.icontains(text.strip(), autoescape=True),
        ),
    )
    if following and viewer is not None:
        query = query.join(Follow, (Follow.target_id == Account.id) & (Follow.account_id == viewer.account_id))
    exact_first = case((Account.username_key == name, 0), else_=1)
    query = query.order_by(exact_first, Account.followers_count.desc(), Account.id).limit(limit).offset(offset)
    return list(await work.session.scalars(query))


def _like(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
