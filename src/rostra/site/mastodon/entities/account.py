"""Account, CredentialAccount and Role: what others see of somebody, and what they see of themselves."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NotRequired

from sqlalchemy import func, select
from typing_extensions import TypedDict

from rostra.site.database.tables.graph import FollowRequest, Mute
from rostra.site.database.tables.people import Account, User
from rostra.site.mastodon.entities.instants import midnight, optional
from rostra.site.moderation.restrictions import in_force
from rostra.site.people.roles import ROLES, Role
from rostra.site.posts.text import mentioned, render
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


class MutedAccountEntity(AccountEntity):
    mute_expires_at: str | None


class ProfileEntity(TypedDict):
    id: str
    display_name: str
    note: str
    fields: list[FieldEntity]
    avatar: str | None
    avatar_static: str | None
    avatar_description: str
    header: str | None
    header_static: str | None
    header_description: str
    locked: bool
    bot: bool
    hide_collections: bool
    discoverable: bool
    indexable: bool
    show_media: bool
    show_media_replies: bool
    show_featured: bool
    attribution_domains: list[str]


PreferencesEntity = TypedDict(
    "PreferencesEntity",
    {
        "posting:default:visibility": str,
        "posting:default:sensitive": bool,
        "posting:default:language": str | None,
        "posting:default:quote_policy": str,
        "reading:expand:media": str,
        "reading:expand:spoilers": bool,
        "reading:autoplay:gifs": bool,
    },
)


async def accounts(work: Work, rows: Sequence[Account]) -> list[AccountEntity]:
    """The entities of `rows`, in their order. They are the same for every reader."""
    ids = [row.id for row in rows]
    roles = await _roles(work, ids)
    restricted = await in_force(work, "account", ids)
    usernames = await _mentioned(work, rows)
    return [_account(row, roles.get(row.id), restricted[row.id], usernames, work.settings) for row in rows]


async def accounts_by_id(work: Work, ids: Iterable[int]) -> dict[int, AccountEntity]:
    """The entities of those of `ids` that exist."""
    wanted = set(ids)
    if not wanted:
        return {}
    rows = list(await work.session.scalars(select(Account).where(Account.id.in_(wanted))))
    return dict(zip((row.id for row in rows), await accounts(work, rows), strict=True))


async def muted_accounts(work: Work, account_id: int, rows: Sequence[Account]) -> list[MutedAccountEntity]:
    """Those whom `account_id` mutes, with when each mute ends."""
    ends = await work.session.execute(
        select(Mute.target_id, Mute.expires_at).where(
            Mute.account_id == account_id, Mute.target_id.in_([row.id for row in rows])
        )
    )
    expires_at = dict(ends.all())
    return [
        MutedAccountEntity(**entity, mute_expires_at=optional(expires_at.get(row.id)))
        for row, entity in zip(rows, await accounts(work, rows), strict=True)
    ]


async def credential_account(work: Work, row: Account, user: User) -> CredentialAccountEntity:
    """What somebody sees of themselves, with what they wrote as they wrote it."""
    (entity,) = await accounts(work, [row])
    requests = await work.session.scalar(
        select(func.count()).select_from(FollowRequest).where(FollowRequest.target_id == row.id)
    )
    chosen = user.settings
    source = SourceEntity(
        note=row.note,
        fields=_plain_fields(row),
        privacy=chosen.get("privacy", "public"),
        sensitive=chosen.get("sensitive", False),
        language=chosen.get("language") or "",
        follow_requests_count=requests or 0,
        hide_collections=row.hide_collections,
        discoverable=row.discoverable,
        indexable=row.indexable,
        attribution_domains=chosen.get("attribution_domains", []),
        quote_policy=chosen.get("quote_policy", "public"),
    )
    return CredentialAccountEntity(**entity, source=source, role=role_entity(ROLES[user.role]))


def profile(work: Work, row: Account, user: User) -> ProfileEntity:
    """What somebody edits, as they wrote it."""
    avatar, header = _picture(row.avatar, work.settings), _picture(row.header, work.settings)
    chosen = user.settings
    return ProfileEntity(
        id=str(row.id),
        display_name=row.display_name,
        note=row.note,
        fields=_plain_fields(row),
        avatar=avatar,
        avatar_static=avatar,
        avatar_description=row.avatar_description,
        header=header,
        header_static=header,
        header_description=row.header_description,
        locked=row.locked,
        bot=row.bot,
        hide_collections=row.hide_collections,
        discoverable=row.discoverable,
        indexable=row.indexable,
        show_media=chosen.get("show_media", True),
        show_media_replies=chosen.get("show_media_replies", True),
        show_featured=chosen.get("show_featured", True),
        attribution_domains=chosen.get("attribution_domains", []),
    )


def preferences(user: User) -> PreferencesEntity:
    chosen = user.settings
    return PreferencesEntity(
        {
            "posting:default:visibility": chosen.get("privacy", "public"),
            "posting:default:sensitive": chosen.get("sensitive", False),
            "posting:default:language": chosen.get("language") or None,
            "posting:default:quote_policy": chosen.get("quote_policy", "public"),
            "reading:expand:media": chosen.get("expand_media", "default"),
            "reading:expand:spoilers": chosen.get("expand_spoilers", False),
            "reading:autoplay:gifs": chosen.get("autoplay_gifs", False),
        }
    )


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


async def _mentioned(work: Work, rows: Sequence[Account]) -> Mapping[str, str]:
    """Whom the notes and fields of these accounts name: their usernames by those in lower case."""
    texts = [text for row in rows for text in (row.note, *(each["value"] for each in row.fields)) if "@" in text]
    names = {name for text in texts for name in mentioned(text, work.settings.domain)}
    if not names:
        return {}
    found = await work.session.execute(
        select(Account.username_key, Account.username).where(
            Account.username_key.in_(names), Account.deleted_at.is_(None)
        )
    )
    return dict(found.all())


def _account(
    row: Account,
    role: Role | None,
    restricted: frozenset[str],
    usernames: Mapping[str, str],
    settings: SiteSettings,
) -> AccountEntity:
    """A suspended account keeps its name; what it says of itself is not shown."""
    closed = "suspend" in restricted
    avatar = _picture(None if closed else row.avatar, settings)
    header = _picture(None if closed else row.header, settings)
    avatar = avatar or f"{settings.url}/avatars/original/missing.png"
    header = header or f"{settings.url}/headers/original/missing.png"

    def html(text: str) -> str:
        return render(text, site_url=settings.url, usernames=usernames)

    entity = AccountEntity(
        id=str(row.id),
        username=row.username,
        acct=row.username,
        url=f"{settings.url}/@{row.username}",
        uri=f"{settings.url}/users/{row.username}",
        display_name="" if closed else row.display_name,
        note="" if closed else html(row.note),
        avatar=avatar,
        avatar_static=avatar,
        avatar_description="" if closed else row.avatar_description,
        header=header,
        header_static=header,
        header_description="" if closed else row.header_description,
        locked=row.locked,
        fields=[]
        if closed
        else [
            FieldEntity(name=each["name"], value=_unwrapped(html(each["value"])), verified_at=None)
            for each in row.fields
        ],
        emojis=[],
        bot=row.bot,
        group=False,
        discoverable=row.discoverable and not closed,
        indexable=row.indexable and not closed,
        noindex=not row.indexable or closed,
        created_at=midnight(row.created_at),
        last_status_at=row.last_status_at.date().isoformat() if row.last_status_at else None,
        statuses_count=row.statuses_count,
        followers_count=row.followers_count,
        following_count=row.following_count,
        hide_collections=row.hide_collections,
        roles=[] if role is None else [AccountRoleEntity(id=str(role.id), name=role.title, color=role.color)],
    )
    if closed:
        entity["suspended"] = True
    if "silence" in restricted:
        entity["limited"] = True
    return entity


def _picture(name: str | None, settings: SiteSettings) -> str | None:
    return f"{settings.url}/media/{name}" if name else None


def _plain_fields(row: Account) -> list[FieldEntity]:
    return [FieldEntity(name=each["name"], value=each["value"], verified_at=None) for each in row.fields]


def _unwrapped(html: str) -> str:
    """A field is one line: without the paragraph around it."""
    return html.removeprefix("<p>").removesuffix("</p>")
