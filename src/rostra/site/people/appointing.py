"""Who decides on the site: appointed by its owner, written into the log; there is always an owner left."""

from collections.abc import Sequence

from sqlalchemy import case, select

from rostra.site.answers import forbidden, invalid
from rostra.site.database.tables.people import Account, User
from rostra.site.events import AccountChanged
from rostra.site.moderation import log
from rostra.site.people import lookup
from rostra.site.people.roles import ROLES
from rostra.site.work import Work


async def appointed(work: Work) -> Sequence[tuple[Account, str]]:
    """Owners and moderators with their roles, owners first."""
    query = (
        select(Account, User.role)
        .join(User, User.account_id == Account.id)
        .where(User.role != "member", Account.deleted_at.is_(None))
        .order_by(case((User.role == "owner", 0), else_=1), Account.username_key)
    )
    return [(account, role) for account, role in await work.session.execute(query)]


async def appoint(work: Work, by_id: int, acct: str, role: str) -> None:
    """RefusedError (403) for anybody but an owner; (422) for the last owner's own stepping down."""
    if role not in ROLES:
        raise invalid("Validation failed: Role is not included in the list")
    # All owners' rows are held, so that of two who step down at the same instant one stays.
    owners = list(
        await work.session.scalars(
            select(User.account_id)
            .join(Account, Account.id == User.account_id)
            .where(User.role == "owner", Account.deleted_at.is_(None))
            .order_by(User.account_id)
            .with_for_update()
        )
    )
    if by_id not in owners:
        raise forbidden()
    account = await lookup.by_acct(work, acct)
    user = await lookup.user(work, account.id)
    if owners == [account.id] and role != "owner":
        raise invalid("Validation failed: A site has an owner: appoint another one first")
    if user.role == role:
        return
    before, user.role = user.role, role
    work.tell(AccountChanged(account.id))
    await log.append(work, "appointed", {"account": str(account.id), "from": before, "to": role}, by=by_id)
