"""Markers over the API: how far somebody has read, so that another client goes on there."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends
from typing_extensions import TypedDict

from rostra.site.answers import Json, invalid
from rostra.site.app import TheSite
from rostra.site.attention.markers import TIMELINES, mark, markers
from rostra.site.database.tables.attention import Marker
from rostra.site.mastodon.body import Asked, Id, asks
from rostra.site.mastodon.entities.instants import written
from rostra.site.oauth.bearer import Viewer, signed_in

router = APIRouter(prefix="/api/v1/markers", tags=["markers"])


class MarkerEntity(TypedDict):
    last_read_id: str
    version: int
    updated_at: str


@router.get("", response_model=dict[str, MarkerEntity])
async def show(
    site: TheSite,
    viewer: Annotated[Viewer, Depends(signed_in("read:statuses"))],
    asked: Annotated[Asked, asks(timeline=[str])],
) -> Json:
    async with site.reading() as work:
        return Json(_entities(await markers(work, viewer.account_id, asked.texts("timeline"))))


@router.post("", response_model=dict[str, MarkerEntity])
async def save(
    site: TheSite,
    viewer: Annotated[Viewer, Depends(signed_in("write:statuses"))],
    asked: Annotated[Asked, asks({timeline: {"last_read_id": Id} for timeline in TIMELINES})],
) -> Json:
    last_read = {}
    for timeline in TIMELINES:
        if timeline in asked:
            last_read_id = asked.nested(timeline).optional_id("last_read_id")
            if last_read_id is None:
                raise invalid("Validation failed: Last read is not a number")
            last_read[timeline] = max(last_read_id, 0)
    async with site.writing() as work:
        return Json(_entities(await mark(work, viewer.account_id, last_read)))


def _entities(rows: Sequence[Marker]) -> dict[str, MarkerEntity]:
    return {
        row.timeline: MarkerEntity(
            last_read_id=str(row.last_read_id), version=row.version, updated_at=written(row.updated_at)
        )
        for row in rows
    }
