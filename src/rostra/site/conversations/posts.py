"""The posts about a talk: its announcement, whose replies are its thread, and what its host lets everybody know."""

from textwrap import shorten
from typing import Final

from babel.dates import format_datetime

from rostra.core.conversation import parse_timezone
from rostra.site.conversations.addresses import page_address
from rostra.site.database.tables.conversations import Conversation, HostNotice
from rostra.site.database.tables.posts import Status
from rostra.site.posts.compose import post
from rostra.site.posts.draft import Draft
from rostra.site.posts.edit import edit
from rostra.site.posts.visibility import statuses_by_id
from rostra.site.work import Work

_ABOUT_LENGTH_MAX: Final = 200
_LOCALES: Final = {"en": "en_GB", "nl": "nl_NL"}
_CALLED_OFF: Final = {"en": "Called off", "nl": "Afgelast"}


async def announce(work: Work, row: Conversation) -> None:
    """Post the announcement in its host's name."""
    status = await post(work, row.host_id, _announcement(work, row), conversation_id=row.id)
    row.status_id = status.id


async def update(work: Work, row: Conversation) -> None:
    """Edit the announcement to what is announced now; what it said before stays in its history.

    One that is deleted or hidden stays as it is: the talk goes on without it.
    """
    status = await announcement(work, row, row.host_id)
    if status is not None:
        await edit(work, row.host_id, status.id, _announcement(work, row))


async def tell(work: Work, row: Conversation, notice: HostNotice) -> None:
    """Post a notice in the thread of the announcement."""
    answered = await announcement(work, row, row.host_id)
    thread = None if answered is None else answered.id
    draft = Draft(text=notice.text, visibility=row.visibility, language=row.language, in_reply_to_id=thread)
    status = await post(work, notice.account_id, draft, conversation_id=row.id, notice=True)
    notice.status_id = status.id


async def announcement(work: Work, row: Conversation, viewer_id: int | None) -> Status | None:
    """The post that announces the talk; None if it is not there, or not for this reader."""
    ids = [] if row.status_id is None else [row.status_id]
    return next(iter(await statuses_by_id(work, ids, viewer_id)), None)


def when(row: Conversation, language: str) -> str:
    """The announced instant in words, there and in `language`."""
    there = row.starts_at.astimezone(parse_timezone(row.time_zone))
    return format_datetime(there, "EEEE d MMMM y, HH:mm zzz", locale=_LOCALES.get(language, _LOCALES["en"]))


def _announcement(work: Work, row: Conversation) -> Draft:
    """Title (200 signs at most), when (60), as much of the description as fits, and the address (counts as 23)."""
    line, about = when(row, row.language), shorten(row.description, _ABOUT_LENGTH_MAX, placeholder="…")
    if row.cancelled_at is not None:
        line, about = _CALLED_OFF[row.language], shorten(row.cancelled_why, _ABOUT_LENGTH_MAX, placeholder="…")
    parts = (f"{row.title}\n{line}", about, page_address(work.settings, row))
    return Draft(text="\n\n".join(part for part in parts if part), visibility=row.visibility, language=row.language)
