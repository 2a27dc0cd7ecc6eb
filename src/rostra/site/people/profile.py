"""What somebody says of themselves: names, note, fields, pictures, and how they want to post and read."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from starlette.datastructures import UploadFile

from rostra.site.answers import invalid
from rostra.site.events import AccountChanged
from rostra.site.media.pictures import AVATAR, HEADER
from rostra.site.media.store import Store
from rostra.site.media.uploads import portrait
from rostra.site.people import lookup, relations
from rostra.site.posts.text import length
from rostra.site.work import Site, Work

DISPLAY_NAME_LENGTH_MAX: Final = 30
NOTE_LENGTH_MAX: Final = 500
FIELDS_MAX: Final = 4
FIELD_LENGTH_MAX: Final = 255
DESCRIPTION_LENGTH_MAX: Final = 1500
_DOMAINS_MAX: Final = 10
_DOMAIN: Final = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[A-Za-z]{2,4})?")
# What may be chosen, by the name under which it is kept in User.settings; the first is meant if nothing is kept.
CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "privacy": ("public", "unlisted", "private", "direct"),
    "quote_policy": ("public", "followers", "nobody"),
    "expand_media": ("default", "show_all", "hide_all"),
}
Picture = Literal["avatar", "header"]


@dataclass(frozen=True, slots=True)
class Changes:
    """What is to be other than it is; None leaves it."""

    display_name: str | None = None
    note: str | None = None
    fields: Sequence[tuple[str, str]] | None = None
    avatar: UploadFile | None = None
    header: UploadFile | None = None
    avatar_description: str | None = None
    header_description: str | None = None
    locked: bool | None = None
    bot: bool | None = None
    discoverable: bool | None = None
    indexable: bool | None = None
    hide_collections: bool | None = None
    # kept in User.settings
    privacy: str | None = None
    sensitive: bool | None = None
    language: str | None = None  # empty: none
    quote_policy: str | None = None
    attribution_domains: Sequence[str] | None = None
    expand_media: str | None = None
    expand_spoilers: bool | None = None
    show_media: bool | None = None
    show_media_replies: bool | None = None
    show_featured: bool | None = None


_SETTINGS: Final = (
    "privacy", "sensitive", "language", "quote_policy", "attribution_domains", "expand_media", "expand_spoilers",
    "show_media", "show_media_replies", "show_featured",
)  # fmt: skip
_COLUMNS: Final = (
    "display_name", "note", "avatar_description", "header_description", "locked", "bot", "discoverable",
    "indexable", "hide_collections",
)  # fmt: skip


async def change(site: Site, account_id: int, changes: Changes) -> None:
    """RefusedError (422) if something is too long, unknown or no picture; then nothing is changed."""
    _check(changes)
    names: dict[str, str] = {}
    if changes.avatar is not None:
        names["avatar"] = await portrait(site, changes.avatar, AVATAR)
    if changes.header is not None:
        names["header"] = await portrait(site, changes.header, HEADER)
    async with site.writing() as work:
        account = await lookup.account(work, account_id)
        old = [getattr(account, picture) for picture in names]
        for picture, name in names.items():
            setattr(account, picture, name)
        was_locked = account.locked
        for column in _COLUMNS:
            if (value := getattr(changes, column)) is not None:
                setattr(account, column, value.strip() if isinstance(value, str) else value)
        if changes.fields is not None:
            account.fields = [{"name": name, "value": value} for name, value in changes.fields]
        await _choose(work, account_id, changes)
        if was_locked and not account.locked:
            await relations.accept_all(work, account_id)
        work.tell(AccountChanged(account_id))
    Store(site.settings.media).remove(*old)


async def remove_picture(site: Site, account_id: int, picture: Picture) -> None:
    async with site.writing() as work:
        account = await lookup.account(work, account_id)
        old: str | None = getattr(account, picture)
        setattr(account, picture, None)
        setattr(account, f"{picture}_description", "")
        work.tell(AccountChanged(account_id))
    Store(site.settings.media).remove(old)


async def _choose(work: Work, account_id: int, changes: Changes) -> None:
    chosen: dict[str, Any] = {}
    for name in _SETTINGS:
        if (value := getattr(changes, name)) is not None:
            chosen[name] = list(value) if name == "attribution_domains" else value
    if chosen:
        user = await lookup.user(work, account_id)
        user.settings = user.settings | chosen


def _check(changes: Changes) -> None:
    _bound("Display name", changes.display_name, DISPLAY_NAME_LENGTH_MAX)
    _bound("Note", changes.note, NOTE_LENGTH_MAX)
    _bound("Avatar description", changes.avatar_description, DESCRIPTION_LENGTH_MAX)
    _bound("Header description", changes.header_description, DESCRIPTION_LENGTH_MAX)
    fields = changes.fields or ()
    if len(fields) > FIELDS_MAX:
        raise invalid(f"Validation failed: Profile fields can have at most {FIELDS_MAX} entries")
    for name, value in fields:
        _bound("Profile field name", name, FIELD_LENGTH_MAX)
        _bound("Profile field value", value, FIELD_LENGTH_MAX)
    for setting, allowed in CHOICES.items():
        chosen = getattr(changes, setting)
        if chosen is not None and chosen not in allowed:
            raise invalid(
                f"Validation failed: {setting.capitalize().replace('_', ' ')} is not included in the list"
            )
    if changes.language and not _LANGUAGE.fullmatch(changes.language):
        raise invalid("Validation failed: Language is invalid")
    domains = changes.attribution_domains or ()
    if len(domains) > _DOMAINS_MAX or not all(_DOMAIN.fullmatch(each) for each in domains):
        raise invalid("Validation failed: Attribution domains is invalid")


def _bound(what: str, text: str | None, maximum: int) -> None:
    if text is not None and length(text) > maximum:
        raise invalid(f"Validation failed: {what} is too long (maximum is {maximum} characters)")
