"""Admin::Account and Admin::Report: what moderators see of somebody, and of what was reported."""

from collections.abc import Iterable, Sequence

from sqlalchemy import select
from typing_extensions import TypedDict

from rostra.site.database.tables.moderation import Report, Rule
from rostra.site.database.tables.people import Account, User
from rostra.site.database.tables.posts import Status
from rostra.site.mastodon.entities.account import AccountEntity, RoleEntity, accounts, role_entity
from rostra.site.mastodon.entities.instance import RuleEntity
from rostra.site.mastodon.entities.instants import optional, written
from rostra.site.mastodon.entities.status import StatusEntity, statuses
from rostra.site.moderation import reports as reporting
from rostra.site.moderation.restrictions import in_force
from rostra.site.people.roles import ROLES
from rostra.site.work import Work


class IpEntity(TypedDict):
    ip: str
    used_at: str


class AdminAccountEntity(TypedDict):
    """`ip` and `ips` are empty: addresses are kept in their keyed form only (docs/threat-model.md)."""

    id: str
    username: str
    domain: str | None
    created_at: str
    email: str
    ip: str | None
    ips: list[IpEntity]
    locale: str
    invite_request: str | None
    role: RoleEntity
    confirmed: bool
    approved: bool
    disabled: bool
    sensitized: bool
    silenced: bool
    suspended: bool
    account: AccountEntity
    created_by_application_id: str | None


class AdminReportEntity(TypedDict):
    id: str
    action_taken: bool
    action_taken_at: str | None
    category: str
    comment: str
    forwarded: bool
    created_at: str
    updated_at: str
    account: AdminAccountEntity | None
    target_account: AdminAccountEntity
    assigned_account: AdminAccountEntity | None
    action_taken_by_account: AdminAccountEntity | None
    statuses: list[StatusEntity]
    rules: list[RuleEntity]


async def admin_accounts(work: Work, rows: Sequence[Account]) -> list[AdminAccountEntity]:
    ids = [row.id for row in rows]
    users = {
        user.account_id: user for user in await work.session.scalars(select(User).where(User.account_id.in_(ids)))
    }
    restricted = await in_force(work, "account", ids)
    entities = await accounts(work, rows)
    return [
        _admin_account(row, users.get(row.id), restricted[row.id], entity)
        for row, entity in zip(rows, entities, strict=True)
    ]


def _admin_account(
    row: Account, user: User | None, kinds: frozenset[str], entity: AccountEntity
) -> AdminAccountEntity:
    app_id = None if user is None else user.created_by_app_id
    return AdminAccountEntity(
        id=str(row.id),
        username=row.username,
        domain=None,
        created_at=written(row.created_at),
        email="" if user is None else user.email,
        ip=None,
        ips=[],
        locale="en" if user is None else user.locale,
        invite_request=None if user is None else user.invite_request,
        role=role_entity(ROLES["member" if user is None else user.role]),
        confirmed=user is not None and user.confirmed_at is not None,
        approved=user is not None and user.approved_at is not None,
        disabled="disable" in kinds,
        sensitized="sensitive" in kinds,
        silenced="silence" in kinds,
        suspended="suspend" in kinds,
        account=entity,
        created_by_application_id=None if app_id is None else str(app_id),
    )


async def admin_reports(work: Work, rows: Sequence[Report], viewer_id: int) -> list[AdminReportEntity]:
    """`account` is empty where somebody without one has reported."""
    people = await _people(
        work,
        {
            each
            for row in rows
            for each in (row.account_id, row.target_account_id, row.assigned_id, row.action_taken_by_id)
            if each is not None
        },
    )
    targets = await reporting.targets_of(work, [row.id for row in rows])
    posts = await _posts(
        work, {each.target_id for some in targets.values() for each in some if each.kind == "status"}, viewer_id
    )
    rules = await _rules(work, {int(each) for row in rows for each in row.rule_ids})
    return [
        AdminReportEntity(
            id=str(row.id),
            action_taken=row.action_taken_at is not None,
            action_taken_at=optional(row.action_taken_at),
            category=row.category,
            comment=row.comment,
            forwarded=row.forwarded,
            created_at=written(row.created_at),
            updated_at=written(row.updated_at),
            account=people.get(row.account_id or 0),
            target_account=people[row.target_account_id],
            assigned_account=people.get(row.assigned_id or 0),
            action_taken_by_account=people.get(row.action_taken_by_id or 0),
            statuses=[posts[each.target_id] for each in targets[row.id] if each.target_id in posts],
            rules=[rules[int(each)] for each in row.rule_ids if int(each) in rules],
        )
        for row in rows
    ]


async def _people(work: Work, ids: Iterable[int]) -> dict[int, AdminAccountEntity]:
    rows = (await work.session.scalars(select(Account).where(Account.id.in_(list(ids))))).all()
    return dict(zip((row.id for row in rows), await admin_accounts(work, rows), strict=True))


async def _posts(work: Work, ids: Iterable[int], viewer_id: int) -> dict[int, StatusEntity]:
    """Hidden ones too: moderators look at what was taken away."""
    rows = (await work.session.scalars(select(Status).where(Status.id.in_(list(ids))))).all()
    return dict(zip((row.id for row in rows), await statuses(work, rows, viewer_id), strict=True))


async def _rules(work: Work, ids: Iterable[int]) -> dict[int, RuleEntity]:
    rows = await work.session.scalars(select(Rule).where(Rule.id.in_(list(ids))))
    return {
        row.id: RuleEntity(id=str(row.id), text=row.text, hint=row.hint, translations=row.translations)
        for row in rows
    }
