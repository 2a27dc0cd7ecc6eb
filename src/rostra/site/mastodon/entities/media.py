"""MediaAttachment: a picture, a sound or a video as clients show it (wire rule 14)."""

from typing import Any

from typing_extensions import TypedDict

from rostra.site.database.tables.media import MediaAttachment
from rostra.site.settings import SiteSettings


class MediaAttachmentEntity(TypedDict):
    id: str
    type: str
    url: str | None
    preview_url: str | None
    remote_url: None
    preview_remote_url: None
    text_url: None
    meta: dict[str, Any]
    description: str | None
    blurhash: str | None


def media_attachment(settings: SiteSettings, row: MediaAttachment) -> MediaAttachmentEntity:
    ready = row.state == "ready"
    return MediaAttachmentEntity(
        id=str(row.id),
        type=row.kind,
        url=media_url(settings, row.file) if ready else None,
        preview_url=media_url(settings, row.preview),
        remote_url=None,
        preview_remote_url=None,
        text_url=None,
        meta=row.meta,
        description=row.description,
        blurhash=row.blurhash,
    )


def media_url(settings: SiteSettings, name: str | None) -> str | None:
    """Where the file of that name in the store is served."""
    return None if name is None else f"{settings.url}/media/{name}"
