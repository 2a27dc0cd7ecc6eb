"""Makes frames of what is told on the bus, and hands them to the streams of this process that they concern."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

import orjson
import structlog
from sqlalchemy.exc import SQLAlchemyError

from rostra.core.limits import STREAM_EVENTS_MAX
from rostra.site.attention.announcements import reaction_count
from rostra.site.database.tables.attention import Announcement, Notification
from rostra.site.database.tables.posts import DirectThread
from rostra.site.events import (
    AccountClosed,
    AnnouncementChanged,
    AnnouncementReacted,
    AnyEvent,
    DirectThreadChanged,
    Notified,
    RelationChanged,
    StatusDeleted,
    StatusEdited,
    StatusPosted,
    TokenRevoked,
)
from rostra.site.mastodon.entities.announcement import announcements
from rostra.site.mastodon.entities.notification import notifications
from rostra.site.mastodon.entities.status import write
from rostra.site.mastodon.routes.direct_threads import conversations
from rostra.site.oauth.bearer import still_good
from rostra.site.streaming import audience
from rostra.site.streaming.audience import Told
from rostra.site.streaming.streams import Frame, Stream
from rostra.site.work import Site, Work

_log = structlog.get_logger()
_LOOK_AGAIN_S: Final = 60.0  # so long may somebody listen whose end the bus has lost
_NOBODY: Final = 0  # reads like somebody who has done nothing with any post
_PUBLIC: Final = frozenset({"public", "public:local", "public:media", "public:local:media"})  # all are local
_TAGGED: Final = frozenset({"hashtag", "hashtag:local"})
_SHARED: Final = frozenset({*_PUBLIC, *_TAGGED, "list"})


class Feed:
    """One a process. What waits is bounded: in a storm the newest events are lost to streams, and counted."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._waiting: asyncio.Queue[AnyEvent] = asyncio.Queue(STREAM_EVENTS_MAX)
        self._lost = 0

    def hear(self, event: AnyEvent) -> None:
        """Take an event. Streams that must end are ended at once, whatever waits."""
        match event:
            case AccountClosed(account_id):
                self._site.streams.end_account(account_id)
            case TokenRevoked(token_id):
                self._site.streams.end_token(token_id)
            case _ if len(self._site.streams) == 0:
                return
            case _:
                self._queue(event)

    def _queue(self, event: AnyEvent) -> None:
        try:
            self._waiting.put_nowait(event)
        except asyncio.QueueFull:
            self._lost += 1

    async def run(self) -> None:
        """Tell what was heard, in its order, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._look_again(), name="listeners")
            while True:
                event = await self._waiting.get()
                try:
                    async with self._site.reading() as work:
                        await tell(work, self._site, event)
                except (SQLAlchemyError, OSError) as error:
                    _log.warning("stream.event_lost", event_type=type(event).__name__, error=str(error))
                if self._lost:
                    _log.warning("stream.events_lost", count=self._lost)
                    self._lost = 0

    async def end_strangers(self) -> None:
        """End the streams of those who may no longer listen: the event that said so may have been lost."""
        listening = self._site.streams.token_ids()
        if not listening:
            return
        async with self._site.reading() as work:
            good = await still_good(work, listening)
        for token_id in listening - good:
            self._site.streams.end_token(token_id)

    async def _look_again(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_AGAIN_S)
            try:
                await self.end_strangers()
            except (SQLAlchemyError, OSError) as error:
                _log.warning("stream.database_away", error=str(error))


async def tell(work: Work, site: Site, event: AnyEvent) -> None:
    """Hand the frames of `event` to whom it concerns."""
    match event:
        case StatusPosted(status_id, _):
            await _tell_status(work, site, status_id, "update")
        case StatusEdited(status_id, _):
            await _tell_status(work, site, status_id, "status.update")
        case StatusDeleted(status_id, account_id):
            await _tell_deleted(work, site, status_id, account_id)
        case Notified(notification_id, account_id):
            await _tell_notification(work, site, notification_id, account_id)
        case DirectThreadChanged(direct_thread_id, account_id):
            await _tell_direct_thread(work, site, direct_thread_id, account_id)
        case RelationChanged(account_id):
            site.streams.give(Stream("user", str(account_id)), Frame("filters_changed"))
        case AnnouncementChanged(announcement_id):
            await _tell_announcement(work, site, announcement_id)
        case AnnouncementReacted(announcement_id, name):
            count = await reaction_count(work, announcement_id, name)
            reaction = {"name": name, "count": count, "announcement_id": str(announcement_id)}
            _give_everybody(site, Frame("announcement.reaction", orjson.dumps(reaction).decode()))
        case _:
            return


@dataclass(slots=True)
class _Pages:
    """The frames of one post: one for all, and those of readers for whom it reads differently."""

    work: Work
    post: Told
    event: str
    _written: dict[tuple[int, str], Frame | None] = field(default_factory=dict)

    async def give(self, site: Site, streams: Collection[Stream], readers: Collection[int], context: str) -> None:
        if not readers or not streams:
            return
        particular = await audience.particular(self.work, self.post, readers)
        others = set(readers) - particular
        for to, reader in ((others, _NOBODY), *(({each}, each) for each in particular)):
            frame = await self._frame(reader, context)
            if frame is not None:
                for stream in streams:
                    site.streams.give(stream, frame, to=to)

    async def _frame(self, reader: int, context: str) -> Frame | None:
        """None if the reader's filters hide it here."""
        if (reader, context) not in self._written:
            written = await write(self.work, [self.post.status], reader, context=context)
            pages = [Frame(self.event, orjson.dumps(fragment).decode()) for fragment in written.fragments]
            self._written[reader, context] = next(iter(pages), None)
        return self._written[reader, context]


async def _tell_status(work: Work, site: Site, status_id: int, event: str) -> None:
    post = await audience.told(work, status_id)
    if post is None:
        return
    pages = _Pages(work, post, event)
    at_home = await audience.at_home(work, post, site.streams.owners("user"))
    await pages.give(site, [Stream("user", str(each)) for each in at_home], at_home, "home")
    lists = {int(stream.argument): stream for stream in site.streams.of({"list"})}
    for list_id, owner in (await audience.in_lists(work, post, lists)).items() if lists else ():
        await pages.give(site, [lists[list_id]], {owner}, "home")
    public = site.streams.of(_TAGGED if not _is_listed(post) else _PUBLIC | _TAGGED)
    wanted = [stream for stream in public if _matches(post, stream)]
    listening = set().union(*(site.streams.accounts(stream) for stream in wanted))
    if listening:
        await pages.give(site, wanted, await audience.in_public(work, post, listening), "public")


def _is_listed(post: Told) -> bool:
    """Whether the public timelines have it: no answer to somebody else."""
    return post.status.in_reply_to_id is None or post.status.in_reply_to_account_id == post.status.account_id


def _matches(post: Told, stream: Stream) -> bool:
    if stream.name in _TAGGED:
        return stream.argument in post.tags.values()
    return post.has_media or not stream.name.endswith(":media")


async def _tell_deleted(work: Work, site: Site, status_id: int, account_id: int) -> None:
    """To all who may have it on their screen; an id tells nothing to the others."""
    frame = Frame("delete", str(status_id))
    for stream in site.streams.of(_SHARED):
        site.streams.give(stream, frame)
    for each in await audience.followers(work, account_id, site.streams.owners("user")):
        site.streams.give(Stream("user", str(each)), frame)


async def _tell_notification(work: Work, site: Site, notification_id: int, account_id: int) -> None:
    streams = [Stream(name, str(account_id)) for name in ("user", "user:notification")]
    if not any(site.streams.accounts(stream) for stream in streams):
        return
    row = await work.session.get(Notification, notification_id)
    if row is None:
        return
    for entity in await notifications(work, [row], account_id):
        frame = Frame("notification", orjson.dumps(entity).decode())
        for stream in streams:
            site.streams.give(stream, frame)


async def _tell_direct_thread(work: Work, site: Site, direct_thread_id: int, account_id: int) -> None:
    stream = Stream("direct", str(account_id))
    row = await work.session.get(DirectThread, direct_thread_id) if site.streams.accounts(stream) else None
    if row is not None:
        (entity,) = await conversations(work, [row], account_id)
        site.streams.give(stream, Frame("conversation", orjson.dumps(entity).decode()))


async def _tell_announcement(work: Work, site: Site, announcement_id: int) -> None:
    row = await work.session.get(Announcement, announcement_id)
    if row is None:
        _give_everybody(site, Frame("announcement.delete", str(announcement_id)))
        return
    (entity,) = await announcements(work, [row], _NOBODY)
    _give_everybody(site, Frame("announcement", orjson.dumps(entity).decode()))


def _give_everybody(site: Site, frame: Frame) -> None:
    for stream in site.streams.of({"user"}):
        site.streams.give(stream, frame)
