"""Posts over Mastodon's API: written, edited, deleted, looked at, with their threads and histories."""

from datetime import datetime
from typing import Annotated, Any, NotRequired

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response
from typing_extensions import TypedDict

from rostra.core.limits import MEDIA_ATTACHMENTS_MAX
from rostra.site.answers import Json
from rostra.site.app import TheSite
from rostra.site.mastodon.body import Asked, Id, asks
from rostra.site.mastodon.drafts import DRAFT, read_draft, read_instant
from rostra.site.mastodon.entities.account import AccountEntity, accounts, accounts_by_id
from rostra.site.mastodon.entities.instants import written
from rostra.site.mastodon.entities.media import MediaAttachmentEntity, media_attachment
from rostra.site.mastodon.entities.scheduled import ScheduledStatusEntity, scheduled_statuses
from rostra.site.mastodon.entities.status import StatusEntity, statuses, write
from rostra.site.mastodon.paging import Paged, links, page_of
from rostra.site.mastodon.shared import shared
from rostra.site.media.store import Store
from rostra.site.media.uploads import Change, focus_of, written_thumbnail
from rostra.site.oauth.bearer import Anybody, Viewer, signed_in
from rostra.site.posts import compose, edit, removal, schedule
from rostra.site.posts.visibility import statuses_by_id, the_original, the_own, the_status
from rostra.site.snowflake import parse_snowflake
from rostra.site.timelines.reactors import Reactors, boosters, favouriters
from rostra.site.timelines.thread import thread_of
from rostra.site.work import Site

router = APIRouter(prefix="/api/v1/statuses", tags=["statuses"])
Writer = Annotated[Viewer, Depends(signed_in("write:statuses"))]
Reader = Annotated[Viewer, Depends(signed_in("read:statuses"))]
_IDS_MAX = 40


class ContextEntity(TypedDict):
    ancestors: list[StatusEntity]
    descendants: list[StatusEntity]


class StatusSourceEntity(TypedDict):
    id: str
    text: str
    spoiler_text: str


class StatusEditEntity(TypedDict):
    content: str
    spoiler_text: str
    sensitive: bool
    created_at: str
    account: AccountEntity
    media_attachments: list[MediaAttachmentEntity]
    emojis: list[dict[str, str]]
    poll: NotRequired[dict[str, list[dict[str, str]]]]


def id_of(text: str) -> int:
    """An id in an address; one that cannot be an id is as one that does not exist."""
    return parse_snowflake(text) or -1


async def answer(site: Site, status_id: int, viewer_id: int | None) -> Json:
    """The post as it is now."""
    async with site.reading() as work:
        row = await the_status(work, status_id, viewer_id)
        return Json((await write(work, [row], viewer_id)).fragments[0])


# --- writing -----------------------------------------------------------------------------------------------


@router.post("", response_model=StatusEntity | ScheduledStatusEntity)
async def create(
    site: TheSite,
    request: Request,
    asked: Annotated[
        Asked,
        asks(DRAFT, scheduled_at=datetime),
    ],
    viewer: Writer,
) -> Json:
    key = request.headers.get("idempotency-key", "")
    at = read_instant(asked, "scheduled_at")
    async with site.writing() as work:
        draft = await read_draft(work, asked, viewer.account_id)
        if at is None:
            row = await compose.post(work, viewer.account_id, draft, app_id=viewer.app_id, key=key)
        else:
            later = await schedule.schedule(work, viewer.account_id, draft, at, app_id=viewer.app_id, key=key)
    if at is None:
        return await answer(site, row.id, viewer.account_id)
    async with site.reading() as work:
        return Json((await scheduled_statuses(work, [later]))[0])


@router.put("/{status_id}", response_model=StatusEntity)
async def change(
    site: TheSite,
    status_id: str,
    asked: Annotated[
        Asked,
        asks(DRAFT, media_attributes=[{"id": Id, "description": str, "focus": str, "thumbnail": str}]),
    ],
    viewer: Writer,
) -> Json:
    with Store(site.settings.media).provisional() as names:
        changes = await _media_changes(site, asked)
        names.extend(each.thumbnail.copies[0].name for each in changes.values() if each.thumbnail)
        async with site.writing() as work:
            row = await the_own(work, id_of(status_id), viewer.account_id)
            draft = await read_draft(work, asked, viewer.account_id, visibility=row.visibility)
            await edit.edit(work, viewer.account_id, row.id, draft, changes=changes)
    return await answer(site, row.id, viewer.account_id)


async def _media_changes(site: Site, asked: Asked) -> dict[int, Change]:
    return {
        item.optional_id("id") or -1: Change(
            item.optional_text("description"),
            focus_of(item.text("focus")),
            await written_thumbnail(site, item.text("thumbnail")),
        )
        for item in asked.items("media_attributes")[:MEDIA_ATTACHMENTS_MAX]
    }


@router.delete("/{status_id}", response_model=StatusEntity)
async def delete(
    site: TheSite, status_id: str, asked: Annotated[Asked, asks(delete_media=bool)], viewer: Writer
) -> Json:
    """The post as it was, with its text as it was written: to delete and write anew (wire rule 12)."""
    async with site.reading() as work:
        row = await the_own(work, id_of(status_id), viewer.account_id)
        (entity,) = await statuses(work, [row], viewer.account_id)
        entity["text"] = row.text
    async with site.writing() as work:
        delete_media = asked.flag("delete_media")
        await removal.delete_post(work, viewer.account_id, row.id, delete_media=delete_media)
    return Json(entity)


# --- reading -----------------------------------------------------------------------------------------------


@router.get("", response_model=list[StatusEntity])
async def show_many(site: TheSite, asked: Annotated[Asked, asks(id=[Id])], viewer: Anybody) -> Json:
    viewer_id = viewer.account_id if viewer else None
    async with site.reading() as work:
        rows = await statuses_by_id(work, asked.ids("id")[:_IDS_MAX], viewer_id)
        return Json((await write(work, rows, viewer_id)).fragments)


@router.get("/{status_id}", response_model=StatusEntity)
async def show(site: TheSite, status_id: str, viewer: Anybody) -> Json:
    return await answer(site, id_of(status_id), viewer.account_id if viewer else None)


@router.get("/{status_id}/context", response_model=ContextEntity)
async def show_context(site: TheSite, request: Request, status_id: str, viewer: Anybody) -> Response:
    viewer_id = viewer.account_id if viewer else None

    async def made() -> Json:
        async with site.reading() as work:
            row = await the_original(work, id_of(status_id), viewer_id)
            thread = await thread_of(work, row, viewer_id)
            rows = [*thread.ancestors, *thread.descendants]
            shown = await write(work, rows, viewer_id, context="thread")
            above = sum(each.id not in shown.hidden for each in thread.ancestors)
            return Json({"ancestors": shown.fragments[:above], "descendants": shown.fragments[above:]})

    return await shared(site, request, viewer, made)


@router.get("/{status_id}/source", response_model=StatusSourceEntity)
async def show_source(site: TheSite, status_id: str, viewer: Reader) -> Json:
    async with site.reading() as work:
        row = await the_status(work, id_of(status_id), viewer.account_id)
        return Json(StatusSourceEntity(id=str(row.id), text=row.text, spoiler_text=row.spoiler_text))


@router.get("/{status_id}/card")
async def show_card(site: TheSite, status_id: str, viewer: Anybody) -> Json:
    viewer_id = viewer.account_id if viewer else None
    async with site.reading() as work:
        row = await the_original(work, id_of(status_id), viewer_id)
        (entity,) = await statuses(work, [row], viewer_id)
        return Json(entity["card"] or {})


@router.get("/{status_id}/history", response_model=list[StatusEditEntity])
async def show_history(site: TheSite, status_id: str, viewer: Anybody) -> Json:
    """Every version, the first one first, the present one last."""
    async with site.reading() as work:
        row = await the_original(work, id_of(status_id), viewer.account_id if viewer else None)
        author = (await accounts_by_id(work, [row.account_id]))[row.account_id]
        versions = [
            _version(
                author,
                version,
                written(version.created_at),
                [media_attachment(site.settings, each) for each in edit.media_of(version)],
                version.poll_options,
            )
            for version in await edit.history(work, row.id)
        ]
        media = [media_attachment(site.settings, each) for each in await edit.attached(work, row.id)]
        options = await edit.poll_options(work, row.id)
        versions.append(_version(author, row, written(row.edited_at or row.created_at), media, options))
        return Json(versions)


def _version(
    author: AccountEntity,
    row: Any,
    created_at: str,
    media: list[MediaAttachmentEntity],
    options: list[Any] | None,
) -> StatusEditEntity:
    entity = StatusEditEntity(
        content=row.content,
        spoiler_text=row.spoiler_text,
        sensitive=row.sensitive,
        created_at=created_at,
        account=author,
        media_attachments=media,
        emojis=[],
    )
    if options is not None:
        entity["poll"] = {"options": [{"title": option} for option in options]}
    return entity


@router.get("/{status_id}/reblogged_by", response_model=list[AccountEntity])
async def show_boosters(site: TheSite, request: Request, status_id: str, asked: Paged, viewer: Anybody) -> Json:
    return await _reactors(site, request, status_id, asked, viewer, boosters)


@router.get("/{status_id}/favourited_by", response_model=list[AccountEntity])
async def show_favouriters(site: TheSite, request: Request, status_id: str, asked: Paged, viewer: Anybody) -> Json:
    return await _reactors(site, request, status_id, asked, viewer, favouriters)


async def _reactors(
    site: Site, request: Request, status_id: str, asked: Asked, viewer: Viewer | None, who: Reactors
) -> Json:
    viewer_id = viewer.account_id if viewer else None
    page = page_of(asked, limit_max=80)
    async with site.reading() as work:
        row = await the_original(work, id_of(status_id), viewer_id)
        found = await who(work, row.id, viewer_id, page)
        body = await accounts(work, [account for _, account in found])
        return Json(body, headers=links(request, site.settings.url, page, [edge for edge, _ in found]))
