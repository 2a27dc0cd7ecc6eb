"""Destroys what was removed when nobody can have it back any more: never before the appeal window has ended."""

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import delete, select, update

from rostra.site.database.tables.media import MediaAttachment
from rostra.site.database.tables.moderation import Appeal, Decision, Restriction
from rostra.site.database.tables.posts import Mention, Poll, Status, StatusEdit, StatusTag
from rostra.site.media.store import Store
from rostra.site.moderation import log
from rostra.site.moderation.effects import PURGE
from rostra.site.moderation.restrictions import is_in_force
from rostra.site.work import Site, Work

_DAY: Final = timedelta(days=1)


async def purge(site: Site, payload: dict[str, Any]) -> None:
    """The posts that a decision removed lose text, media and edits; their place in the thread stays.

    While an appeal is not judged, it comes again a day later. What was lifted is left as it is.
    """
    async with site.writing() as work:
        decision = await work.session.get_one(Decision, int(payload["decision_id"]))
        assert work.now > decision.appeal_until, "Nothing is destroyed before its appeal window has ended."
        waiting = select(Appeal.id).where(Appeal.decision_id == decision.id, Appeal.decided_at.is_(None))
        if await work.session.scalar(waiting) is not None:
            work.later(PURGE, payload, due_at=work.now + _DAY)
            return
        query = select(Restriction.target_id).where(
            Restriction.decision_id == decision.id,
            Restriction.target_kind == "status",
            Restriction.kind == "remove",
            is_in_force(work.now),
        )
        ids = list(await work.session.scalars(query))
        files = await _emptied(work, ids)
        await log.append(
            work, "purged", {"decision": str(decision.id), "statuses": [str(each) for each in ids]}, by=None
        )
    Store(site.settings.media).remove(*files)


async def _emptied(work: Work, ids: list[int]) -> list[str | None]:
    """Take their content from these posts; the names of the files that are nobody's now."""
    files: list[str | None] = []
    for row in await work.session.scalars(select(MediaAttachment).where(MediaAttachment.status_id.in_(ids))):
        files += [row.file, row.preview]
    for table in (MediaAttachment, StatusEdit, Mention, StatusTag, Poll):
        await work.session.execute(delete(table).where(table.status_id.in_(ids)))
    await work.session.execute(
        update(Status).where(Status.id.in_(ids)).values(text="", content="", spoiler_text="", card_id=None)
    )
    return files
