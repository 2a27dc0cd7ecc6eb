"""Status: a post as clients show it. What is the same for all readers is written once and kept as bytes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NotRequired

import orjson
from sqlalchemy import BigInteger, bindparam, select
from typing_extensions import TypedDict

from rostra.site.database.tables.authorization import App
from rostra.site.database.tables.media import MediaAttachment
from rostra.site.database.tables.people import Account
from rostra.site.database.tables.posts import Mention, Poll, Status, StatusTag, Tag
from rostra.site.mastodon.entities.account import AccountEntity, accounts_by_id
from rostra.site.mastodon.entities.card import PreviewCardEntity, preview_cards
from rostra.site.mastodon.entities.filter import FilterResultEntity, filter_results
from rostra.site.mastodon.entities.instants import optional, written
from rostra.site.mastodon.entities.media import MediaAttachmentEntity, media_attachment
from rostra.site.mastodon.entities.poll import PollEntity, polls
from rostra.site.moderation.restrictions import in_force, labels
from rostra.site.posts.edit import DETACHED
from rostra.site.posts.text import tag_url
from rostra.site.timelines import filters
from rostra.site.timelines.marks import Marks, marks
from rostra.site.work import Work


class MentionEntity(TypedDict):
    id: str
    username: str
    url: str
    acct: str


class StatusTagEntity(TypedDict):
    name: str
    url: str


class ApplicationEntity(TypedDict):
    name: str
    website: str | None


class StatusEntity(TypedDict):
    id: str
    uri: str
    url: str
    created_at: str
    edited_at: str | None
    account: AccountEntity
    content: str
    visibility: str
    sensitive: bool
    spoiler_text: str
    label: str | None  # ours: what a moderator's decision says of the post
    media_attachments: list[MediaAttachmentEntity]
    application: ApplicationEntity | None
    mentions: list[MentionEntity]
    tags: list[StatusTagEntity]
    emojis: list[dict[str, str]]
    reblogs_count: int
    favourites_count: int
    replies_count: int
    quotes_count: int
    in_reply_to_id: str | None
    in_reply_to_account_id: str | None
    reblog: "StatusEntity | None"
    poll: PollEntity | None
    card: PreviewCardEntity | None
    language: str | None
    quote: None
    text: NotRequired[str]
    favourited: NotRequired[bool]
    reblogged: NotRequired[bool]
    muted: NotRequired[bool]
    bookmarked: NotRequired[bool]
    pinned: NotRequired[bool]
    filtered: NotRequired[list[FilterResultEntity]]


@dataclass(frozen=True, slots=True)
class Written:
    """Posts of a page as JSON, in their order; `hidden` are the ids of those that a filter hides here."""

    bodies: list[bytes]
    hidden: frozenset[int] = field(default_factory=frozenset)

    @property
    def fragments(self) -> list[orjson.Fragment]:
        """For an answer in JSON."""
        return [orjson.Fragment(body) for body in self.bodies]


async def statuses(work: Work, rows: Sequence[Status], viewer_id: int | None) -> list[StatusEntity]:
    """The entities of `rows`, in their order, for a page or whoever needs what is in them."""
    return [orjson.loads(body) for body in (await write(work, rows, viewer_id)).bodies]


async def write(work: Work, rows: Sequence[Status], viewer_id: int | None, *, context: str = "") -> Written:
    """The entities of `rows` as JSON; without those that the viewer's filters hide in `context`."""
    ids = [row.reblog_of_id for row in rows if row.reblog_of_id is not None]
    originals = {} if not ids else {row.id: row for row in await _by_ids(work, ids)}
    plain = {row.id: row for row in rows if row.reblog_of_id is None}
    posts = list((plain | originals).values())
    people = await _accounts(work, {row.account_id for row in (*rows, *posts)})
    bodies = await _bodies(work, posts)
    poll_rows = list(await work.session.scalars(_POLLS, {"ids": [row.id for row in posts]}))
    poll_of = {
        row.status_id: entity
        for row, entity in zip(poll_rows, await polls(work, poll_rows, viewer_id), strict=True)
    }
    cards = await preview_cards(work, [row.card_id for row in posts])
    viewed = await marks(work, [*rows, *posts], viewer_id)
    active = await filters.in_force(work, viewer_id)
    found: dict[int, list[filters.Matched]] = {}
    for row in posts if active else ():
        found[row.id] = filters.match(active, row.id, _words(row, bodies[row.id], poll_of.get(row.id)))

    def whole(row: Status, original: Status, reblog: orjson.Fragment | None) -> bytes:
        rest: dict[str, Any] = {"poll": poll_of.get(original.id), "reblog": reblog}
        rest["card"] = cards.get(original.card_id or 0)
        if viewer_id is not None:
            rest |= _marked(viewed, row, original) | {"filtered": filter_results(found.get(original.id, []))}
        own = _head(work, row, people[row.account_id][0])
        parts = (own[:-1], b",", bodies[original.id][1:-1], b',"account":', people[row.account_id][1], b",")
        return b"".join((*parts, orjson.dumps(rest)[1:]))

    written_bodies, hidden = [], set()
    for row in rows:
        original = row if row.reblog_of_id is None else originals[row.reblog_of_id]
        if original.account_id != viewer_id and filters.hides(found.get(original.id, []), context):
            hidden.add(row.id)
            continue
        reblog = None if original is row else orjson.Fragment(whole(original, original, None))
        written_bodies.append(whole(row, original, reblog))
    return Written(written_bodies, frozenset(hidden))


def _marked(viewed: Marks, row: Status, original: Status) -> dict[str, bool]:
    return {
        "favourited": original.id in viewed.favourited,
        "reblogged": original.id in viewed.reblogged,
        "muted": original.thread_id in viewed.muted,
        "bookmarked": original.id in viewed.bookmarked,
        "pinned": row.id in viewed.pinned,
    }


def _head(work: Work, row: Status, username: str) -> bytes:
    """What a boost has of its own."""
    url = work.settings.url
    uri = f"{url}/users/{username}/statuses/{row.id}"
    is_boost = row.reblog_of_id is not None
    return orjson.dumps(
        {
            "id": str(row.id),
            "uri": f"{uri}/activity" if is_boost else uri,
            "url": f"{uri}/activity" if is_boost else f"{url}/@{username}/{row.id}",
            "created_at": written(row.created_at),
            "visibility": row.visibility,
        }
    )


def _words(row: Status, body: bytes, poll: PollEntity | None) -> str:
    """All of a post in which a filter looks for its words."""
    media = orjson.loads(body)["media_attachments"]
    options = [] if poll is None else [each["title"] for each in poll["options"]]
    return "\n".join([row.spoiler_text, row.text, *options, *(each["description"] or "" for each in media)])


async def _by_ids(work: Work, ids: Iterable[int]) -> Sequence[Status]:
    return list(await work.session.scalars(_POSTS, {"ids": list(set(ids))}))


# Written once: writing them takes longer than asking them.
_IDS: Final = bindparam("ids", expanding=True, type_=BigInteger)
_POSTS: Final = select(Status).where(Status.id.in_(_IDS))
_POLLS: Final = select(Poll).where(Poll.status_id.in_(_IDS))
_MEDIA: Final = (
    select(MediaAttachment)
    .where(MediaAttachment.status_id.in_(_IDS), MediaAttachment.position != DETACHED)
    .order_by(MediaAttachment.position)
)
_MENTIONED: Final = (
    select(Mention.status_id, Account.id, Account.username)
    .join(Account, Account.id == Mention.account_id)
    .where(Mention.status_id.in_(_IDS), ~Mention.silent, Account.deleted_at.is_(None))
    .order_by(Account.id)
)
_TAGS: Final = (
    select(StatusTag.status_id, Tag.name)
    .join(Tag, Tag.id == StatusTag.tag_id)
    .where(StatusTag.status_id.in_(_IDS))
    .order_by(Tag.name)
)


# --- what is the same for all readers ----------------------------------------------------------------------


async def _accounts(work: Work, ids: set[int]) -> Mapping[int, tuple[str, bytes]]:
    """The accounts' usernames and their entities as JSON."""
    kept: dict[int, bytes] = {}
    for each in ids:
        if (entity := work.cached(("account", each))) is not None:
            kept[each] = entity
    for account_id, account in (await accounts_by_id(work, set(ids) - kept.keys())).items():
        kept[account_id] = orjson.dumps(account)
        work.cache(("account", account_id), kept[account_id])
    return {each: (_username(entity), entity) for each, entity in kept.items()}


def _username(entity: bytes) -> str:
    username: str = orjson.loads(entity)["username"]
    return username


async def _bodies(work: Work, rows: Sequence[Status]) -> Mapping[int, bytes]:
    """The posts' content and counts as JSON, from the cache or read and kept there."""
    kept: dict[int, bytes] = {}
    for row in rows:
        if (body := work.cached(("status", row.id))) is not None:
            kept[row.id] = body
    missing = [row for row in rows if row.id not in kept]
    for row, entity in zip(missing, await _read_bodies(work, missing), strict=True):
        kept[row.id] = orjson.dumps(entity)
        work.cache(("status", row.id), kept[row.id])
    return kept


async def _read_bodies(work: Work, rows: Sequence[Status]) -> list[dict[str, Any]]:
    if not rows:
        return []
    ids = [row.id for row in rows]
    url, session = work.settings.url, work.session
    media: dict[int, list[MediaAttachmentEntity]] = {}
    for row in await session.scalars(_MEDIA, {"ids": ids}):
        media.setdefault(row.status_id or 0, []).append(media_attachment(work.settings, row))
    mentions: dict[int, list[MentionEntity]] = {}
    for status_id, account_id, name in await session.execute(_MENTIONED, {"ids": ids}):
        entity = MentionEntity(id=str(account_id), username=name, url=f"{url}/@{name}", acct=name)
        mentions.setdefault(status_id, []).append(entity)
    tags: dict[int, list[StatusTagEntity]] = {}
    for status_id, name in await session.execute(_TAGS, {"ids": ids}):
        tags.setdefault(status_id, []).append(StatusTagEntity(name=name, url=tag_url(url, name)))
    app_ids = {row.app_id for row in rows if row.app_id is not None}
    apps = (
        {}
        if not app_ids
        else {
            row.id: ApplicationEntity(name=row.name, website=row.website)
            for row in await session.scalars(select(App).where(App.id.in_(app_ids)))
        }
    )
    restrictions = await in_force(work, "status", ids)
    authors = await in_force(work, "account", {row.account_id for row in rows})
    said = await labels(work, ids) if any("label" in kinds for kinds in restrictions.values()) else {}
    return [
        {
            "edited_at": optional(row.edited_at),
            "content": row.content,
            "sensitive": row.sensitive or "sensitive" in restrictions[row.id] | authors[row.account_id],
            "spoiler_text": row.spoiler_text,
            "label": said.get(row.id),
            "media_attachments": media.get(row.id, []),
            "application": apps.get(row.app_id or 0),
            "mentions": mentions.get(row.id, []),
            "tags": tags.get(row.id, []),
            "emojis": [],
            "reblogs_count": row.reblogs_count,
            "favourites_count": row.favourites_count,
            "replies_count": row.replies_count,
            "quotes_count": 0,
            "in_reply_to_id": str(row.in_reply_to_id) if row.in_reply_to_id else None,
            "in_reply_to_account_id": str(row.in_reply_to_account_id) if row.in_reply_to_account_id else None,
            "language": row.language,
            "quote": None,
        }
        for row in rows
    ]
