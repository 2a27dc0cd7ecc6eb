"""Who decides: moderators and owners, over whom, and how many of them there are."""

from dataclasses import dataclass

from sqlalchemy import select

from rostra.site.answers import forbidden
from rostra.site.database.tables.people import Account, User
from rostra.site.work import Work

_RANK = {"member": 0, "moderator": 1, "owner": 2}


@dataclass(frozen=True, slots=True)
class Moderator:
    account_id: int
    role: str

    def __post_init__(self) -> None:
        if not _RANK.get(self.role):
            raise forbidden()

    @property
    def owns(self) -> bool:
        return self.role == "owner"


def outranks(moderator: Moderator, role: str) -> bool:
    """Whether `moderator` may decide about somebody with `role`: moderators about members, owners about both."""
    return _RANK[moderator.role] > _RANK.get(role, 0)


async def role_of(work: Work, account_id: int) -> str:
    return await work.session.scalar(select(User.role).where(User.account_id == account_id)) or "member"


async def staff(work: Work) -> list[int]:
    """The accounts of everybody who decides."""
    query = (
        select(User.account_id)
        .join(Account, Account.id == User.account_id)
        .where(User.role.in_([role for role, rank in _RANK.items() if rank]), Account.deleted_at.is_(None))
        .order_by(User.account_id)
    )
    return list(await work.session.scalars(query))


async def are_several(work: Work) -> bool:
    """Whether there is anybody else who could judge what one of them decided."""
    return len(await staff(work)) > 1
