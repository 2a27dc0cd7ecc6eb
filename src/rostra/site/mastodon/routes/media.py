"""Attachments over the API: uploaded, looked at while they are made, described, deleted."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends

from rostra.site.answers import Json, invalid
from rostra.site.app import TheSite
from rostra.site.database.tables.media import MediaAttachment
from rostra.site.mastodon.body import Asked, MediaFile, PictureFile, asks
from rostra.site.mastodon.entities.media import MediaAttachmentEntity, media_attachment
from rostra.site.media import uploads
from rostra.site.oauth.bearer import Viewer, signed_in
from rostra.site.snowflake import parse_snowflake
from rostra.site.work import Site

router = APIRouter(tags=["media"])
Writer = Annotated[Viewer, Depends(signed_in("write:media"))]
_DESCRIBED = {"description": str, "focus": str, "thumbnail": PictureFile}


@router.post("/api/v2/media", response_model=MediaAttachmentEntity)
@router.post("/api/v1/media", response_model=MediaAttachmentEntity)
async def upload(
    site: TheSite,
    viewer: Writer,
    asked: Annotated[Asked, asks(_DESCRIBED, file=MediaFile)],
) -> Json:
    file = asked.upload("file")
    if file is None:
        raise invalid("Validation failed: File can't be blank")
    row = await uploads.take(
        site,
        viewer.account_id,
        file,
        description=asked.optional_text("description"),
        focus=uploads.focus_of(asked.text("focus")),
        thumbnail=asked.upload("thumbnail"),
    )
    return _answer(site, row, HTTPStatus.ACCEPTED)


@router.get("/api/v1/media/{media_id}", response_model=MediaAttachmentEntity)
async def show(site: TheSite, viewer: Writer, media_id: str) -> Json:
    async with site.reading() as work:
        row = await uploads.own(work, viewer.account_id, parse_snowflake(media_id) or -1)
    return _answer(site, row, HTTPStatus.PARTIAL_CONTENT)


@router.put("/api/v1/media/{media_id}", response_model=MediaAttachmentEntity)
async def change(
    site: TheSite,
    viewer: Writer,
    media_id: str,
    asked: Annotated[Asked, asks(_DESCRIBED)],
) -> Json:
    row = await uploads.change(
        site,
        viewer.account_id,
        parse_snowflake(media_id) or -1,
        description=asked.optional_text("description"),
        focus=uploads.focus_of(asked.text("focus")),
        thumbnail=asked.upload("thumbnail"),
    )
    return Json(media_attachment(site.settings, row))


@router.delete("/api/v1/media/{media_id}")
async def drop(site: TheSite, viewer: Writer, media_id: str) -> Json:
    await uploads.drop(site, viewer.account_id, parse_snowflake(media_id) or -1)
    return Json({})


def _answer(site: Site, row: MediaAttachment, unfinished: HTTPStatus) -> Json:
    match row.state:
        case "failed":
            raise invalid("Error processing thumbnail for uploaded media")
        case "processing":
            return Json(media_attachment(site.settings, row), status_code=unfinished)
        case _:
            return Json(media_attachment(site.settings, row))
