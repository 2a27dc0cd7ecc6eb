"""Instance, in both of its versions: what the site says of itself, and the numbers that clients keep to."""

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import func, select
from typing_extensions import TypedDict

from rostra import __version__
from rostra.core.limits import (
    MEDIA_ATTACHMENTS_MAX,
    MEDIA_BYTES_MAX,
    MEDIA_DESCRIPTION_LENGTH_MAX,
    MEDIA_PICTURE_BYTES_MAX,
    MEDIA_PIXELS_MAX,
    MEDIA_VIDEO_RATE_MAX,
)
from rostra.site.database.tables.moderation import Rule
from rostra.site.database.tables.people import Account, User
from rostra.site.mastodon.entities.account import AccountEntity, accounts
from rostra.site.people.profile import FIELD_LENGTH_MAX, FIELDS_MAX
from rostra.site.posts.text import render
from rostra.site.settings import SiteSettings
from rostra.site.work import Work

# The first number is what clients compare: which methods there are (wire rule 20).
VERSION: Final = f"4.3.0 (compatible; Rostra {__version__})"
LANGUAGES: Final = ("en", "nl")
_API_VERSION: Final = 2  # Mastodon 4.3's
_ACTIVE: Final = timedelta(days=28)
_TYPES: Final = (
    "image/jpeg", "image/png", "image/gif", "image/webp", "image/avif", "image/heic",
    "video/webm", "video/mp4", "video/quicktime", "video/ogg",
    "audio/wave", "audio/wav", "audio/x-wav", "audio/vnd.wave", "audio/ogg", "audio/vorbis", "audio/mpeg",
    "audio/mp3", "audio/webm", "audio/flac", "audio/aac", "audio/m4a", "audio/x-m4a", "audio/mp4", "audio/3gpp",
)  # fmt: skip


class RuleEntity(TypedDict):
    id: str
    text: str
    hint: str
    translations: dict[str, Any]


class InstanceV1Entity(TypedDict):
    uri: str
    title: str
    short_description: str
    description: str
    email: str
    version: str
    urls: dict[str, str]
    stats: dict[str, int]
    thumbnail: str
    languages: list[str]
    registrations: bool
    approval_required: bool
    invites_enabled: bool
    configuration: dict[str, Any]
    contact_account: AccountEntity | None
    rules: list[RuleEntity]


class InstanceEntity(TypedDict):
    domain: str
    title: str
    version: str
    source_url: str
    description: str
    usage: dict[str, Any]
    thumbnail: dict[str, Any]
    icon: list[dict[str, str]]
    languages: list[str]
    configuration: dict[str, Any]
    registrations: dict[str, Any]
    api_versions: dict[str, int]
    contact: dict[str, Any]
    rules: list[RuleEntity]


async def instance_v1(work: Work) -> InstanceV1Entity:
    settings = work.settings
    people, statuses, _ = await counts(work)
    return InstanceV1Entity(
        uri=settings.domain,
        title=settings.title,
        short_description=settings.description,
        description=settings.description,
        email=settings.contact,
        version=VERSION,
        urls={"streaming_api": _streaming(settings)},
        stats={"user_count": people, "status_count": statuses, "domain_count": 0},
        thumbnail=_thumbnail(settings),
        languages=list(LANGUAGES),
        registrations=settings.registrations != "closed",
        approval_required=settings.registrations == "approval",
        invites_enabled=False,
        configuration=_limits(),
        contact_account=await _contact(work),
        rules=await rules(work),
    )


async def instance(work: Work, vapid_key: str) -> InstanceEntity:
    settings = work.settings
    _, _, active = await counts(work)
    feeds = {"local": "public", "remote": "public"}
    return InstanceEntity(
        domain=settings.domain,
        title=settings.title,
        version=VERSION,
        source_url=f"{settings.url}/about",
        description=settings.description,
        usage={"users": {"active_month": active}},
        thumbnail={"url": _thumbnail(settings), "description": settings.title},
        icon=[{"src": f"{settings.url}/avatars/original/missing.png", "size": "400x400"}],
        languages=list(LANGUAGES),
        configuration={
            "urls": {
                "streaming": _streaming(settings),
                "about": f"{settings.url}/about",
                "privacy_policy": f"{settings.url}/privacy",
                "terms_of_service": None,
                "status": None,
            },
            "vapid": {"public_key": vapid_key},
            **_limits(),
            "translation": {"enabled": False},
            "timelines_access": {
                "live_feeds": feeds,
                "hashtag_feeds": feeds,
                "trending_link_feeds": {"local": "disabled", "remote": "disabled"},
            },
            "limited_federation": False,
        },
        registrations={
            "enabled": settings.registrations != "closed",
            "approval_required": settings.registrations == "approval",
            "reason_required": settings.registrations == "approval",
            "message": None,
            "min_age": None,
            "url": None,
        },
        api_versions={"mastodon": _API_VERSION},
        contact={"email": settings.contact, "account": await _contact(work)},
        rules=await rules(work),
    )


async def rules(work: Work) -> list[RuleEntity]:
    rows = await work.session.scalars(
        select(Rule).where(Rule.deleted_at.is_(None)).order_by(Rule.position, Rule.id)
    )
    return [RuleEntity(id=str(row.id), text=row.text, hint=row.hint, translations=row.translations) for row in rows]


async def counts(work: Work) -> tuple[int, int, int]:
    """People, their posts, and how many of them have posted in the last four weeks."""
    there = select(func.count(), func.coalesce(func.sum(Account.statuses_count), 0)).where(
        Account.deleted_at.is_(None)
    )
    people, statuses = (await work.session.execute(there)).one()
    lately = select(func.count()).select_from(Account).where(Account.last_status_at > work.now - _ACTIVE)
    return people, int(statuses), await work.session.scalar(lately) or 0


def description_html(settings: SiteSettings) -> str:
    return render(settings.description, site_url=settings.url, usernames={})


async def _contact(work: Work) -> AccountEntity | None:
    """The owner whose account is the oldest."""
    owner = await work.session.scalar(
        select(Account)
        .join(User, User.account_id == Account.id)
        .where(User.role == "owner", Account.deleted_at.is_(None))
        .order_by(Account.id)
        .limit(1)
    )
    return None if owner is None else (await accounts(work, [owner]))[0]


def _streaming(settings: SiteSettings) -> str:
    return f"{'wss' if settings.secure else 'ws'}://{settings.domain}"


def _thumbnail(settings: SiteSettings) -> str:
    return f"{settings.url}/headers/original/missing.png"


def _limits() -> dict[str, Any]:
    return {
        "accounts": {
            "max_featured_tags": 10,
            "max_pinned_statuses": 5,
            "max_profile_fields": FIELDS_MAX,
            "profile_field_name_limit": FIELD_LENGTH_MAX,
            "profile_field_value_limit": FIELD_LENGTH_MAX,
        },
        "statuses": {
            "max_characters": 500,
            "max_media_attachments": MEDIA_ATTACHMENTS_MAX,
            "characters_reserved_per_url": 23,
        },
        "media_attachments": {
            "supported_mime_types": list(_TYPES),
            "description_limit": MEDIA_DESCRIPTION_LENGTH_MAX,
            "image_size_limit": MEDIA_PICTURE_BYTES_MAX,
            "image_matrix_limit": MEDIA_PIXELS_MAX,
            "video_size_limit": MEDIA_BYTES_MAX,
            "video_frame_rate_limit": MEDIA_VIDEO_RATE_MAX,
            "video_matrix_limit": MEDIA_PIXELS_MAX,
        },
        "polls": {
            "max_options": 4,
            "max_characters_per_option": 50,
            "min_expiration": 300,
            "max_expiration": 2_629_746,
        },
    }
