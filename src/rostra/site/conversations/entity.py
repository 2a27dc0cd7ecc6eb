"""Talks as the API and pages have them: what was announced, and what is going on now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from typing_extensions import TypedDict

from rostra.site.conversations.addresses import page_address, picture_address
from rostra.site.conversations.calendar import Entry
from rostra.site.conversations.phase import Phase, phase
from rostra.site.database.tables.conversations import Conversation, ConversationGuest, Reminder
from rostra.site.database.tables.people import Account
from rostra.site.mastodon.entities.account import AccountEntity, accounts
from rostra.site.mastodon.entities.instants import written
from rostra.site.oauth.bearer import Viewer
from rostra.site.settings import SiteSettings
from rostra.site.stage import Stage
from rostra.site.work import Work

_LEADS: Final = ("host", "cohost")


class GuestEntity(TypedDict):
    role: str
    account: AccountEntity


class ConversationEntity(TypedDict):
    """`state` as in docs/protocol.md §2; `listen_url` is null until the doors' edges know the talk."""

    id: str
    name: str
    url: str
    uri: str
    title: str
    description: str
    language: str
    time_zone: str
    visibility: str
    picture: str | None
    picture_description: str
    starts_at: str
    doors_at: str
    ends_at: str
    revision: int
    state: str
    begun: bool
    notice: str
    cancelled_why: str
    status_id: str | None
    hosts: list[GuestEntity]
    listen_url: str | None
    replay_url: str | None
    report_url: str | None
    calendar_url: str
    reminder: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """What is loaded for a page of talks at once."""

    guests: Mapping[int, Sequence[tuple[str, AccountEntity]]]
    reminded: frozenset[int]


async def conversations(
    work: Work, stage: Stage, rows: Sequence[Conversation], viewer: Viewer | None
) -> list[ConversationEntity]:
    seen = await _seen(work, rows, None if viewer is None else viewer.account_id)
    return [_entity(work.settings, row, phase(row, stage, now=work.now), seen) for row in rows]


async def _seen(work: Work, rows: Sequence[Conversation], viewer_id: int | None) -> Seen:
    ids = [row.id for row in rows]
    found = (
        await work.session.execute(
            select(ConversationGuest.conversation_id, ConversationGuest.role, Account)
            .join(Account, Account.id == ConversationGuest.account_id)
            .where(ConversationGuest.conversation_id.in_(ids), ConversationGuest.role.in_(_LEADS))
            .order_by(ConversationGuest.role.desc(), ConversationGuest.id)
        )
    ).all()
    entities = await accounts(work, [account for _, _, account in found])
    guests: dict[int, list[tuple[str, AccountEntity]]] = {}
    for (conversation_id, role, _), entity in zip(found, entities, strict=True):
        guests.setdefault(conversation_id, []).append((role, entity))
    reminded = await work.session.scalars(
        select(Reminder.conversation_id).where(Reminder.conversation_id.in_(ids), Reminder.account_id == viewer_id)
    )
    return Seen(guests, frozenset(reminded))


def _entity(settings: SiteSettings, row: Conversation, now: Phase, seen: Seen) -> ConversationEntity:
    page = page_address(settings, row)
    return {
        "id": str(row.id),
        "name": row.name,
        "url": page,
        "uri": page,
        "title": row.title,
        "description": row.description,
        "language": row.language,
        "time_zone": row.time_zone,
        "visibility": row.visibility,
        "picture": picture_address(settings, row),
        "picture_description": row.picture_description,
        "starts_at": written(row.starts_at),
        "doors_at": written(row.doors_at),
        "ends_at": written(row.ends_at),
        "revision": row.revision,
        "state": now.name,
        "begun": now.begun,
        "notice": now.notice,
        "cancelled_why": row.cancelled_why,
        "status_id": None if row.status_id is None else str(row.status_id),
        "hosts": [{"role": role, "account": account} for role, account in seen.guests.get(row.id, ())],
        "listen_url": f"{settings.edge_url}/c/{row.name}" if settings.edge_url and not now.over else None,
        "replay_url": (
            f"{settings.replay_url}/r/{row.name}" if settings.replay_url and now.name == "ended" else None
        ),
        "report_url": (
            f"{settings.ledgers_url}/ledgers/{row.name}/report"
            if settings.ledgers_url and now.name == "ended"
            else None
        ),
        "calendar_url": f"{page}.ics",
        "reminder": row.id in seen.reminded,
    }


async def calendar_entries(work: Work, rows: Sequence[Conversation]) -> list[Entry]:
    hosts = {
        account.id: account
        for account in await work.session.scalars(
            select(Account).where(Account.id.in_({row.host_id for row in rows}))
        )
    }
    return [_entry(work.settings, row, hosts[row.host_id]) for row in rows]


def _entry(settings: SiteSettings, row: Conversation, host: Account) -> Entry:
    return Entry(
        uid=f"{row.name}@{settings.domain}",
        title=row.title,
        description=row.description,
        url=page_address(settings, row),
        host=host.display_name or host.username,
        host_url=f"{settings.url}/@{host.username}",
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        time_zone=row.time_zone,
        revision=row.revision,
        created_at=row.created_at,
        updated_at=row.updated_at,
        cancelled=row.cancelled_at is not None,
        image_url=picture_address(settings, row) or "",
    )
