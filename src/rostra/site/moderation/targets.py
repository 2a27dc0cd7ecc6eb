"""What a report or a decision is about: an account, a post or a conversation, and what was to be seen there."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from sqlalchemy import select

from rostra.site.database.tables.conversations import Conversation
from rostra.site.database.tables.media import MediaAttachment
from rostra.site.database.tables.people import Account
from rostra.site.database.tables.posts import Poll, Status
from rostra.site.mastodon.entities.instants import optional, written
from rostra.site.snowflake import parse_snowflake
from rostra.site.work import Work

_CONTENT_TYPES: Final = {"image": "IMAGE", "gifv": "VIDEO", "video": "VIDEO", "audio": "AUDIO"}


@dataclass(frozen=True, slots=True)
class Target:
    """`account_id` is whose it is; `content_types` what the Transparency Database calls what it is made of."""

    kind: str  # account, status, conversation
    id: int
    account_id: int
    url: str
    seen: dict[str, Any]
    content_types: tuple[str, ...]


async def resolve(work: Work, address: str) -> Target | None:
    """What stands at an address of this site, as people copy it from their browser; None if nothing of ours."""
    parts = urlsplit(address.strip())
    ours = {urlsplit(url).netloc for url in (work.settings.url, work.settings.edge_url) if url}
    if parts.scheme not in {"http", "https"} or parts.netloc.lower() not in ours:
        return None
    match [part for part in parts.path.split("/") if part]:
        case [name] if name.startswith("@"):
            found = await _accounts(work, Account.username_key == name[1:].lower())
        case [name, number, *_] if name.startswith("@"):
            found = await of_statuses(work, [parse_snowflake(number) or -1])
        case ["c", name, *_] | ["conversations", name, *_]:
            found = await _conversations(work, Conversation.name == name)
        case _:
            return None
    return found[0] if found else None


async def of_account(work: Work, account_id: int) -> Target | None:
    found = await _accounts(work, Account.id == account_id)
    return found[0] if found else None


async def of_conversations(work: Work, ids: Iterable[int]) -> list[Target]:
    return await _conversations(work, Conversation.id.in_(list(ids)))


async def of_statuses(work: Work, ids: Iterable[int]) -> list[Target]:
    """The posts that there are among `ids`, also hidden ones, the oldest first."""
    rows = (
        await work.session.execute(
            select(Status, Account.username)
            .join(Account, Account.id == Status.account_id)
            .where(Status.id.in_(list(ids)), Status.reblog_of_id.is_(None))
            .order_by(Status.id)
        )
    ).all()
    wanted = [status.id for status, _ in rows]
    media: dict[int, list[MediaAttachment]] = {each: [] for each in wanted}
    for each in await work.session.scalars(
        select(MediaAttachment).where(MediaAttachment.status_id.in_(wanted)).order_by(MediaAttachment.position)
    ):
        assert each.status_id is not None
        media[each.status_id].append(each)
    polls = {
        poll.status_id: poll.options
        for poll in await work.session.scalars(select(Poll).where(Poll.status_id.in_(wanted)))
    }
    return [_status(work, row, name, media[row.id], polls.get(row.id)) for row, name in rows]


def _status(
    work: Work, row: Status, username: str, media: Sequence[MediaAttachment], poll: list[Any] | None
) -> Target:
    seen = {
        "author": username,
        "text": row.text,
        "content": row.content,
        "spoiler_text": row.spoiler_text,
        "visibility": row.visibility,
        "sensitive": row.sensitive,
        "language": row.language,
        "created_at": written(row.created_at),
        "edited_at": optional(row.edited_at),
        "media": [{"kind": each.kind, "file": each.file, "description": each.description} for each in media],
        "poll": poll,
    }
    types = {_CONTENT_TYPES.get(each.kind, "OTHER") for each in media}
    if row.text or poll or not types:
        types.add("TEXT")
    url = f"{work.settings.url}/@{username}/{row.id}"
    return Target("status", row.id, row.account_id, url, seen, tuple(sorted(types)))


async def _accounts(work: Work, condition: Any) -> list[Target]:
    rows = await work.session.scalars(select(Account).where(condition))
    return [
        Target(
            "account",
            row.id,
            row.id,
            f"{work.settings.url}/@{row.username}",
            {
                "username": row.username,
                "display_name": row.display_name,
                "note": row.note,
                "fields": row.fields,
                "avatar": row.avatar,
                "header": row.header,
            },
            ("TEXT",),
        )
        for row in rows
    ]


async def _conversations(work: Work, condition: Any) -> list[Target]:
    rows = await work.session.scalars(select(Conversation).where(condition).order_by(Conversation.id))
    return [
        Target(
            "conversation",
            row.id,
            row.host_id,
            f"{work.settings.url}/conversations/{row.name}",
            {
                "title": row.title,
                "description": row.description,
                "picture": row.picture,
                "language": row.language,
                "starts_at": written(row.starts_at),
                "ends_at": written(row.ends_at),
            },
            ("AUDIO",),
        )
        for row in rows
    ]
