"""How far somebody has read: the home timeline and the notifications."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Final

from sqlalchemy import select, update

from rostra.site.answers import RefusedError
from rostra.site.database.insert import insert_once
from rostra.site.database.tables.attention import Marker
from rostra.site.work import Work

TIMELINES: Final = ("home", "notifications")


async def markers(work: Work, account_id: int, timelines: Sequence[str]) -> list[Marker]:
    wanted = [each for each in timelines if each in TIMELINES]
    return list(
        await work.session.scalars(
            select(Marker).where(Marker.account_id == account_id, Marker.timeline.in_(wanted))
        )
    )


async def mark(work: Work, account_id: int, last_read: Mapping[str, int]) -> list[Marker]:
    """Set them. RefusedError (409) if another client writes the same one at this moment."""
    for timeline, last_read_id in last_read.items():
        values = {"last_read_id": last_read_id, "updated_at": work.now}
        is_new = await insert_once(
            work.session, Marker, account_id=account_id, timeline=timeline, version=1, **values
        )
        if is_new:
            continue
        condition = (Marker.account_id == account_id, Marker.timeline == timeline)
        version = await work.session.scalar(select(Marker.version).where(*condition))
        changed = await work.session.execute(
            update(Marker)
            .where(*condition, Marker.version == version)
            .values(version=Marker.version + 1, **values)
            .returning(Marker.version)
        )
        if changed.first() is None:
            raise RefusedError(HTTPStatus.CONFLICT, "Conflict during update, please try again")
    return await markers(work, account_id, list(last_read))
