"""Account, CredentialAccount and Role: what others see of somebody, and what they see of themselves."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import NotRequired

from sqlalchemy import func, select
from typing_extensions import TypedDict

from rostra.site.database.tables.graph import FollowRequest
from rostra.site.database.tables.people import Account, User
from rostra.site.mastodon.entities.instants import midnight
from rostra.site.people.roles import ROLES, Role
from rostra.site.settings import SiteSettings
from rostra.site.work import Work


class FieldEntity(TypedDict):
    name: str
    value: str
    verified_at: str | None


class AccountRoleEntity(TypedDict):
    id: str
    name: str
    color: str


class RoleEntity(AccountRoleEntity):
    permissions: str
    highlighted: bool


class AccountEntity(TypedDict):
    id: str
    username: str
    acct: str
    url: str
    uri: str
    display_name: str
    note: str
    avatar: str
    avatar_static: str
    avatar_description: str
    header: str
    header_static: str
    header_description: str
    locked: bool
    fields: list[FieldEntity]
    emojis: list[dict[str, str]]
    bot: bool
    group: bool
    discoverable: bool
    indexable: bool
    noindex: bool
    created_at: str
    last_status_at: str | None
    statuses_count: int
    followers_count: int
    following_count: int
    hide_collections: bool
    roles: list[AccountRoleEntity]
    suspended: NotRequired[bool]
    limited: NotRequired[bool]


class SourceEntity(TypedDict):
    note: str
    fields: list[FieldEntity]
    privacy: str
    sensitive: bool
    language: str
    follow_requests_count: int
    hide_collections: bool
    discoverable: bool
    indexable: bool
    attribution_domains: list[str]
    quote_policy: str


class CredentialAccountEntity(AccountEntity):
    source: SourceEntity
    role: RoleEntity


async def accounts(work: Work, rows: Sequence[Account]) -> list[AccountEntity]:
    """The entities of `rows`, in their order. They are the same for every reader."""
    roles = await _roles(work, [row.id for row in rows])
    return [_account(row, roles.get(row.id), work.settings) for row in rows]


async def accounts_by_id(work: Work, ids: Iterable[int]) -> dict[int, AccountEntity]:
    """The entities of those of `ids` that exist."""
    wanted = set(ids)
    if not wanted:
        return {}
    rows = list(await work.session.scalars(select(Account).where(Account.id.in_(wanted))))
    return dict(zip((row.id for row in rows), await accounts(work, rows), strict=True))


async def credential_account(work: Work, row: Account, user: User) -> CredentialAccountEntity:
    """What somebody sees of themselves, with what they wrote as they wrote it."""
    (entity,) = await accounts(work, [row])
    requests = await work.session.scalar(
        select(func.count()).select_from(FollowRequest).where(FollowRequest.target_id == row.id)
    )
    source = SourceEntity(
        note=row.note,
        fields=[FieldEntity(name=each["name"], value=each["value"], verified_at=None) for each in row.fields],
        privacy=user.settings.get("privacy", "public"),
        sensitive=user.settings.get("sensitive", False),
        language=user.settings.get("language") or "",
        follow_requests_count=requests or 0,
        hide_collections=row.hide_collections,
        discoverable=row.discoverable,
        indexable=row.indexable,
        attribution_domains=[],
        quote_policy="nobody",
    )
    return CredentialAccountEntity(**entity, source=source, role=role_entity(ROLES[user.role]))


def role_entity(role: Role) -> RoleEntity:
    return RoleEntity(
        id=str(role.id),
        name=role.title,
        color=role.color,
        permissions=str(role.permissions),
        highlighted=role.highlighted,
    )


async def _roles(work: Work, ids: Sequence[int]) -> Mapping[int, Role]:
    """The roles that are shown with an account: those of whom a reader may need to know that they decide."""
    shown = [role.name for role in ROLES.values() if role.highlighted]
    found = await work.session.execute(
        select(User.account_id, User.role).where(User.account_id.in_(ids), User.role.in_(shown))
    )
    return {account_id: ROLES[name] for account_id, name in found}


def _account(row: Account, role: Role | None, settings: SiteSettings) -> AccountEntity:
    avatar = f"{settings.url}/media/{row.avatar}" if row.avatar else f"{settings.url}/avatars/missing.png"
    header = f"{settings.url}/media/{row.header}" if row.header else f"{settings.url}/headers/missing.png"
    return AccountEntity(
        id=str(row.id),
        username=row.username,
        acct=row.username,
        url=f"{settings.url}/@{row.username}",
        uri=f"{settings.url}/users/{row.username}",
        display_name=row.display_name,
        note=_html(row.note),
        avatar=avatar,
        avatar_static=avatar,
        avatar_description=row.avatar_description,
        header=header,
        header_static=header,
        header_description=row.header_description,
        locked=row.locked,
        fields=[
            FieldEntity(name=each["name"], value=_html(each["value"]), verified_at=None) for each in row.fields
        ],
        emojis=[],
        bot=row.bot,
        group=False,
        discoverable=row.discoverable,
        indexable=row.indexable,
        noindex=not row.indexable,
        created_at=midnight(row.created_at),
        last_status_at=row.last_status_at.date().isoformat() if row.last_status_at else None,
        statuses_count=row.statuses_count,
        followers_count=row.followers_count,
        following_count=row.following_count,
        hide_collections=row.hide_collections,
        roles=[] if role is None else [AccountRoleEntity(id=str(role.id), name=role.title, color=role.color)],
    )


def _html(text: str) -> str:
    paragraphs = [each for each in text.split("\n\n") if each]
    return "".join(f"<p>{escape(each).replace(chr(10), '<br />')}</p>" for each in paragraphs)
