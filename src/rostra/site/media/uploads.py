"""Attachments until they are posted: taken in, made anew, described; forgotten if nobody posts them."""

import asyncio
import shutil
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import structlog
from starlette.datastructures import UploadFile

from rostra.core.errors import BadInputError
from rostra.core.limits import (
    MEDIA_BYTES_MAX,
    MEDIA_DESCRIPTION_LENGTH_MAX,
    MEDIA_UNATTACHED_S,
)
from rostra.site.answers import RefusedError, invalid, not_found
from rostra.site.database.tables.media import MediaAttachment
from rostra.site.events import StatusEdited
from rostra.site.media.film import look, make
from rostra.site.media.pictures import PREVIEW, WHOLE, Copy, NoPictureError, Picture, Shape, remake
from rostra.site.media.store import Store
from rostra.site.posts import schedule
from rostra.site.work import Site, Work

_log = structlog.get_logger()
Focus = tuple[float, float]  # where the eye should rest: each from -1 to 1, right and up


def focus_of(text: str) -> Focus | None:
    """`-0.5,0.3` as clients write it; what lies outside is brought to the edge. RefusedError if it is none."""
    if not text:
        return None
    try:
        x, y = (float(part) for part in text.split(","))
    except ValueError as error:
        raise invalid("Validation failed: Focus is invalid") from error
    if x != x or y != y:  # noqa: PLR0124 # not a number
        raise invalid("Validation failed: Focus is invalid")
    return max(-1.0, min(x, 1.0)), max(-1.0, min(y, 1.0))


async def take(
    site: Site,
    account_id: int,
    upload: UploadFile,
    *,
    description: str | None = None,
    focus: Focus | None = None,
    thumbnail: UploadFile | None = None,
) -> MediaAttachment:
    """Keep an upload: a picture is ready when this returns, sound and video when their job is done."""
    store = Store(site.settings.media)
    _check_description(description)
    with store.provisional() as names:
        custom = None if thumbnail is None else await _thumbnail(site, thumbnail)
        names.extend([] if custom is None else [custom.copies[0].name])
        row, key = await _made(site, upload)
        names.extend((row.file, row.preview))
        if custom is not None:
            store.remove(_set_thumbnail(row, custom))
        _describe(row, description, focus)
        async with site.writing() as work:
            row.id, row.account_id, row.created_at = work.make_id(), account_id, work.now
            work.session.add(row)
            if key is not None:
                work.later("media.make", {"media_id": row.id, "key": key})
            forget_at = work.now + timedelta(seconds=MEDIA_UNATTACHED_S)
            work.later("media.forget", {"media_id": row.id, "key": key}, due_at=forget_at)
    return row


async def change(
    site: Site,
    account_id: int,
    media_id: int,
    *,
    description: str | None = None,
    focus: Focus | None = None,
    thumbnail: UploadFile | None = None,
) -> MediaAttachment:
    """Change what is said of an attachment that is in no post yet."""
    _check_description(description)
    store, old = Store(site.settings.media), None
    with store.provisional() as names:
        custom = None if thumbnail is None else await _thumbnail(site, thumbnail)
        names.extend([] if custom is None else [custom.copies[0].name])
        async with site.writing() as work:
            row = await own(work, account_id, media_id)
            if row.status_id is not None:
                raise not_found()
            if custom is not None:
                old = _set_thumbnail(row, custom)
            _describe(row, description, focus)
    store.remove(old)
    return row


async def drop(site: Site, account_id: int, media_id: int) -> None:
    """Delete an attachment that is in no post."""
    async with site.writing() as work:
        row = await own(work, account_id, media_id)
        if row.status_id is not None:
            raise invalid("Media attachment is currently used by a status")
        await work.session.delete(row)
    Store(site.settings.media).remove(row.file, row.preview)


async def own(work: Work, account_id: int, media_id: int) -> MediaAttachment:
    row = await work.session.get(MediaAttachment, media_id)
    if row is None or row.account_id != account_id:
        raise not_found()
    return row


@dataclass(frozen=True, slots=True)
class Change:
    """What an edit of a post says anew of what is attached to it; nothing where it says nothing."""

    description: str | None = None
    focus: Focus | None = None
    thumbnail: Picture | None = None

    def __post_init__(self) -> None:
        _check_description(self.description)

    def changes(self, row: MediaAttachment) -> bool:
        focus = None if self.focus is None else {"x": self.focus[0], "y": self.focus[1]}
        return (
            self.thumbnail is not None
            or (self.description is not None and self.description != (row.description or ""))
            or (focus is not None and focus != row.meta.get("focus"))
        )

    def apply(self, row: MediaAttachment) -> None:
        """The preview that was stays in the store: the post's history shows it."""
        if self.thumbnail is not None:
            _set_thumbnail(row, self.thumbnail)
        _describe(row, self.description, self.focus)


async def written_thumbnail(site: Site, text: str) -> Picture | None:
    """A thumbnail that was sent as a data URL (RFC 2397), as clients do in edits; None for an empty text."""
    if not text:
        return None
    head, _, data = text.partition(";base64,")
    store = Store(site.settings.media)
    try:
        content = b64decode(data, validate=True) if head.startswith("data:image/") else b""
    except ValueError as error:
        raise invalid("Validation failed: Thumbnail is invalid") from error
    with store.draft() as draft:
        await asyncio.to_thread(draft.write_bytes, content)
        return await remake(site, draft, (PREVIEW,))


async def portrait(site: Site, upload: UploadFile, shape: Shape) -> str:
    """An avatar or a header (`pictures.AVATAR`, `pictures.HEADER`): its name in the store."""
    async with _received(Store(site.settings.media), upload) as source:
        return (await remake(site, source, (shape,))).copies[0].name


# --- jobs ----------------------------------------------------------------------------------------


async def make_film(site: Site, payload: dict[str, Any]) -> None:
    """`media.make`: what was uploaded becomes what is served, or is marked as failed."""
    store = Store(site.settings.media)
    source = store.incoming(payload["key"])
    async with site.reading() as work:
        row = await work.session.get(MediaAttachment, payload["media_id"])
    if row is None or row.state != "processing":
        return  # deleted meanwhile, or done before the process died
    file, small, blurhash = None, None, None
    with store.provisional() as names:
        try:
            film = await look(source)
            file, still = await make(store, source, film)
            names.extend((file, still))
            if still is not None:
                small, blurhash = await _preview(site, store, still)
                names.append(small.name)
        except BadInputError as error:
            _log.warning("media.failed", media=row.id, error=str(error))
        async with site.writing() as work:
            row = await work.session.get(MediaAttachment, payload["media_id"])
            if row is None:
                store.remove(*names)
            else:
                row.state, row.file = ("failed", None) if file is None else ("ready", file)
                if small is not None and not row.custom_preview:
                    row.preview, row.blurhash = small.name, blurhash
                    row.meta = {**row.meta, "small": small.meta}
                if row.status_id is not None:
                    work.tell(StatusEdited(row.status_id, row.account_id))
    source.unlink(missing_ok=True)


async def forget(site: Site, payload: dict[str, Any]) -> None:
    """`media.forget`: what was uploaded a day ago and is in no post, nor in one for later, is removed."""
    async with site.writing() as work:
        row = await work.session.get(MediaAttachment, payload["media_id"])
        if row is None or row.status_id is not None:
            return
        awaited_at = await schedule.awaited_at(work, row.account_id, row.id)
        if awaited_at is not None:
            work.later("media.forget", payload, due_at=awaited_at + timedelta(seconds=MEDIA_UNATTACHED_S))
            return
        await work.session.delete(row)
    store = Store(site.settings.media)
    store.remove(row.file, row.preview)
    if payload["key"]:
        store.incoming(payload["key"]).unlink(missing_ok=True)


# --- parts ---------------------------------------------------------------------------------------


@asynccontextmanager
async def _received(store: Store, upload: UploadFile) -> AsyncIterator[Path]:
    """The upload as a file of its own. RefusedError if it is empty or too large for anything."""
    if not upload.size:
        raise invalid("Validation failed: File can't be blank")
    if upload.size > MEDIA_BYTES_MAX:
        size = MEDIA_BYTES_MAX >> 20
        raise RefusedError(
            HTTPStatus.UNPROCESSABLE_ENTITY, f"Validation failed: File file size must be less than {size} MB"
        )
    with store.draft() as path:
        await asyncio.to_thread(_copy, upload, path)
        yield path


def _copy(upload: UploadFile, path: Path) -> None:
    upload.file.seek(0)
    with path.open("wb") as target:
        shutil.copyfileobj(upload.file, target)


async def _made(site: Site, upload: UploadFile) -> tuple[MediaAttachment, str | None]:
    """A row without an owner: of a picture that is ready, or of a film with the key of what its job makes it of."""
    store = Store(site.settings.media)
    async with _received(store, upload) as source:
        try:
            picture = await remake(site, source, (WHOLE, PREVIEW), still=False)
        except NoPictureError:
            film = await look(source)
            key = await asyncio.to_thread(store.await_job, source)
            return MediaAttachment(kind=film.kind, state="processing", meta=film.meta), key
    whole, preview = picture.copies
    row = MediaAttachment(kind="image", state="ready", file=whole.name, preview=preview.name)
    row.meta, row.blurhash = {"original": whole.meta, "small": preview.meta}, picture.blurhash
    return row, None


async def _preview(site: Site, store: Store, still: str) -> tuple[Copy, str]:
    """A preview of a still, which it replaces."""
    path = store.path(still)
    assert path is not None
    picture = await remake(site, path, (PREVIEW,))
    store.remove(still)
    return picture.copies[0], picture.blurhash


async def _thumbnail(site: Site, upload: UploadFile) -> Picture:
    async with _received(Store(site.settings.media), upload) as source:
        return await remake(site, source, (PREVIEW,))


def _set_thumbnail(row: MediaAttachment, custom: Picture) -> str | None:
    """Have the row shown by somebody's own picture; the name of the preview that it replaces."""
    old, small = row.preview, custom.copies[0]
    row.preview, row.custom_preview, row.blurhash = small.name, True, custom.blurhash
    row.meta = {**row.meta, "small": small.meta}
    return old


def _check_description(description: str | None) -> None:
    if description is not None and len(description) > MEDIA_DESCRIPTION_LENGTH_MAX:
        raise invalid(
            f"Validation failed: Description is too long (maximum is {MEDIA_DESCRIPTION_LENGTH_MAX} characters)"
        )


def _describe(row: MediaAttachment, description: str | None, focus: Focus | None) -> None:
    if description is not None:
        row.description = description or None
    if focus is not None:
        row.meta = {**row.meta, "focus": {"x": focus[0], "y": focus[1]}}
