"""Editing a post: what it was before is kept, and those who boosted it are told."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import delete, select

from rostra.site.answers import not_found
from rostra.site.attention.notify import notify
from rostra.site.cards.cards import give_card
from rostra.site.database.tables.media import MediaAttachment
from rostra.site.database.tables.posts import Mention, Poll, PollVote, Status, StatusEdit
from rostra.site.events import StatusEdited
from rostra.site.media.uploads import Change
from rostra.site.posts.compose import attach, new_poll
from rostra.site.posts.draft import Draft
from rostra.site.posts.naming import name_accounts, name_tags
from rostra.site.posts.text import render
from rostra.site.posts.visibility import the_own
from rostra.site.work import Work

DETACHED: Final = -1  # the position of what was attached before an edit: shown in the history only
_MEDIA_FIELDS: Final = ("id", "kind", "state", "file", "preview", "meta", "blurhash", "description")


async def edit(
    work: Work, account_id: int, status_id: int, draft: Draft, *, changes: Mapping[int, Change] | None = None
) -> Status:
    """Make one's own post that of `draft` (its visibility and place stay); nothing is kept if nothing changes.

    `changes` are what is said anew of attachments, by their ids.
    """
    status = await the_own(work, status_id, account_id)
    if status.reblog_of_id is not None:
        raise not_found()
    media = await attached(work, status.id)
    poll = await work.session.scalar(select(Poll).where(Poll.status_id == status.id).with_for_update())
    changed = await _changed(work, account_id, draft.media_ids, changes or {})
    is_same_poll = _is_same(poll, draft)
    before = (status.text, status.spoiler_text, status.sensitive, status.language, [row.id for row in media])
    after = (draft.text, draft.spoiler_text, draft.sensitive, draft.language, list(draft.media_ids))
    if before == after and is_same_poll and not changed:
        return status
    work.session.add(_version(work, status, media, poll))
    await _set_media(work, status, media, draft, changed)
    await _set_poll(work, status, poll, draft, keep=is_same_poll)
    await _set_text(work, status, draft)
    status.edited_at = work.now
    work.later("post.notify", {"kind": "update", "status_id": status.id, "after": 0})
    await give_card(work, status)
    work.tell(StatusEdited(status.id, account_id))
    return status


async def attached(work: Work, status_id: int) -> list[MediaAttachment]:
    """What is attached now, in order."""
    query = select(MediaAttachment).where(MediaAttachment.status_id == status_id)
    query = query.where(MediaAttachment.position != DETACHED).order_by(MediaAttachment.position)
    return list(await work.session.scalars(query))


async def poll_options(work: Work, status_id: int) -> list[Any] | None:
    return await work.session.scalar(select(Poll.options).where(Poll.status_id == status_id))


async def history(work: Work, status_id: int) -> list[StatusEdit]:
    """What the post was, the first version first; what it is now is not among them."""
    query = select(StatusEdit).where(StatusEdit.status_id == status_id).order_by(StatusEdit.id)
    return list(await work.session.scalars(query))


def media_of(version: StatusEdit) -> list[MediaAttachment]:
    """The attachments of a version, as they were."""
    return [MediaAttachment(**fields) for fields in version.media]


async def _changed(
    work: Work, account_id: int, media_ids: Sequence[int], changes: Mapping[int, Change]
) -> dict[int, Change]:
    """Those of the changes that change something of what is to be attached."""
    wanted = [each for each in media_ids if each in changes]
    if not wanted:
        return {}
    query = select(MediaAttachment).where(MediaAttachment.id.in_(wanted), MediaAttachment.account_id == account_id)
    rows = await work.session.scalars(query)
    return {row.id: changes[row.id] for row in rows if changes[row.id].changes(row)}


def _is_same(poll: Poll | None, draft: Draft) -> bool:
    if poll is None or draft.poll is None:
        return poll is None and draft.poll is None
    return poll.options == list(draft.poll.options) and poll.multiple == draft.poll.multiple


def _version(work: Work, status: Status, media: Sequence[MediaAttachment], poll: Poll | None) -> StatusEdit:
    return StatusEdit(
        id=work.make_id(),
        status_id=status.id,
        text=status.text,
        content=status.content,
        spoiler_text=status.spoiler_text,
        sensitive=status.sensitive,
        media=[{name: getattr(row, name) for name in _MEDIA_FIELDS} for row in media],
        poll_options=None if poll is None else list[Any](poll.options),
        created_at=status.edited_at or status.created_at,
    )


async def _set_media(
    work: Work,
    status: Status,
    media: Sequence[MediaAttachment],
    draft: Draft,
    changes: Mapping[int, Change],
) -> None:
    for row in media:
        row.position = DETACHED
    await attach(work, status, draft.media_ids)
    for media_id, change in changes.items():
        change.apply(await work.session.get_one(MediaAttachment, media_id))


async def _set_poll(work: Work, status: Status, poll: Poll | None, draft: Draft, *, keep: bool) -> None:
    """The votes are kept with the options they were given for; other options are another poll."""
    if keep:
        if poll is not None and draft.poll is not None:
            poll.hide_totals = draft.poll.hide_totals
            poll.expires_at = work.now + timedelta(seconds=draft.poll.lasts_s)
            work.later("poll.end", {"poll_id": poll.id}, due_at=poll.expires_at)
        return
    if poll is not None:
        await work.session.execute(delete(PollVote).where(PollVote.poll_id == poll.id))
        await work.session.delete(poll)
    if draft.poll is not None:
        work.session.add(new_poll(work, status, draft))


async def _set_text(work: Work, status: Status, draft: Draft) -> None:
    """Whom the text no longer names is kept silently: they have been told, and may still see a private post."""
    named = await name_accounts(work, draft.text)
    status.text = draft.text
    status.content = render(draft.text, site_url=work.settings.url, usernames=named.usernames)
    status.spoiler_text = draft.spoiler_text
    status.sensitive = draft.sensitive
    status.language = draft.language
    mentions = {
        row.account_id: row
        for row in await work.session.scalars(select(Mention).where(Mention.status_id == status.id))
    }
    for row in mentions.values():
        row.silent = row.account_id not in named.ids
    new = [each for each in named.ids if each not in mentions]
    work.session.add_all([Mention(status_id=status.id, account_id=each) for each in new])
    await name_tags(work, status)
    await work.session.flush()
    await notify(work, "mention", new, from_id=status.account_id, status_id=status.id)
