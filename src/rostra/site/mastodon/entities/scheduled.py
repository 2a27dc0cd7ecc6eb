"""ScheduledStatus: a post that waits for its instant."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from typing_extensions import TypedDict

from rostra.site.database.tables.media import MediaAttachment
from rostra.site.database.tables.posts import ScheduledStatus
from rostra.site.mastodon.entities.instants import written
from rostra.site.mastodon.entities.media import MediaAttachmentEntity, media_attachment
from rostra.site.posts.schedule import draft_of
from rostra.site.work import Work


class ScheduledStatusEntity(TypedDict):
    id: str
    scheduled_at: str
    params: dict[str, Any]
    media_attachments: list[MediaAttachmentEntity]


async def scheduled_statuses(work: Work, rows: Sequence[ScheduledStatus]) -> list[ScheduledStatusEntity]:
    drafts = [draft_of(row) for row in rows]
    wanted = {each for draft in drafts for each in draft.media_ids}
    media: dict[int, MediaAttachmentEntity] = {}
    if wanted:
        found = await work.session.scalars(select(MediaAttachment).where(MediaAttachment.id.in_(wanted)))
        media = {row.id: media_attachment(work.settings, row) for row in found}
    entities = []
    for row, draft in zip(rows, drafts, strict=True):
        poll = draft.poll and {
            "options": list(draft.poll.options),
            "expires_in": draft.poll.lasts_s,
            "multiple": draft.poll.multiple,
            "hide_totals": draft.poll.hide_totals,
        }
        params = {
            "text": draft.text,
            "poll": poll,
            "media_ids": [str(each) for each in draft.media_ids] or None,
            "sensitive": draft.sensitive,
            "spoiler_text": draft.spoiler_text or None,
            "visibility": draft.visibility,
            "in_reply_to_id": draft.in_reply_to_id,
            "language": draft.language,
            "application_id": row.app_id,
            "scheduled_at": None,
            "idempotency": None,
            "with_rate_limit": False,
        }
        entities.append(
            ScheduledStatusEntity(
                id=str(row.id),
                scheduled_at=written(row.scheduled_at),
                params=params,
                media_attachments=[media[each] for each in draft.media_ids if each in media],
            )
        )
    return entities
