"""What somebody reads and changes of themselves: credentials, profile, preferences, pictures."""

from typing import Annotated

from fastapi import APIRouter, Depends

from rostra.site.answers import Json
from rostra.site.app import TheSite
from rostra.site.mastodon.body import Asked, PictureFile, asks
from rostra.site.mastodon.entities.account import (
    CredentialAccountEntity,
    PreferencesEntity,
    ProfileEntity,
    credential_account,
    preferences,
    profile,
)
from rostra.site.oauth.bearer import Viewer, signed_in
from rostra.site.people import lookup
from rostra.site.people.profile import Changes, Picture, change, remove_picture
from rostra.site.work import Site

router = APIRouter(prefix="/api/v1", tags=["profile"])
Reader = Annotated[Viewer, Depends(signed_in("profile", "read:accounts"))]
Writer = Annotated[Viewer, Depends(signed_in("write:accounts"))]
_Profile = Annotated[
    Asked,
    asks(
        source={"privacy": str, "sensitive": bool, "language": str, "quote_policy": str},
        fields_attributes=[{"name": str, "value": str}],
        display_name=str,
        note=str,
        avatar=PictureFile,
        header=PictureFile,
        avatar_description=str,
        header_description=str,
        locked=bool,
        bot=bool,
        discoverable=bool,
        indexable=bool,
        hide_collections=bool,
        show_media=bool,
        show_media_replies=bool,
        show_featured=bool,
        attribution_domains=[str],
    ),
]


@router.get("/accounts/verify_credentials", response_model=CredentialAccountEntity)
async def verify_credentials(site: TheSite, viewer: Reader) -> Json:
    return await _credentials(site, viewer)


@router.patch("/accounts/update_credentials", response_model=CredentialAccountEntity)
async def update_credentials(
    site: TheSite,
    viewer: Writer,
    asked: _Profile,
) -> Json:
    await change(site, viewer.account_id, _changes(asked))
    return await _credentials(site, viewer)


@router.delete("/profile/{picture}", response_model=CredentialAccountEntity)
async def drop_picture(site: TheSite, viewer: Writer, picture: Picture) -> Json:
    await remove_picture(site, viewer.account_id, picture)
    return await _credentials(site, viewer)


@router.get("/profile", response_model=ProfileEntity)
async def show(site: TheSite, viewer: Reader) -> Json:
    async with site.reading() as work:
        account = await lookup.account(work, viewer.account_id)
        return Json(profile(work, account, await lookup.user(work, viewer.account_id)))


@router.patch("/profile", response_model=ProfileEntity)
async def update(
    site: TheSite,
    viewer: Writer,
    asked: _Profile,
) -> Json:
    await change(site, viewer.account_id, _changes(asked))
    return await show(site, viewer)


@router.get("/preferences", response_model=PreferencesEntity)
async def show_preferences(site: TheSite, viewer: Annotated[Viewer, Depends(signed_in("read:accounts"))]) -> Json:
    async with site.reading() as work:
        return Json(preferences(await lookup.user(work, viewer.account_id)))


async def _credentials(site: Site, viewer: Viewer) -> Json:
    async with site.reading() as work:
        account = await lookup.account(work, viewer.account_id)
        return Json(await credential_account(work, account, await lookup.user(work, viewer.account_id)))


def _changes(asked: Asked) -> Changes:
    source = asked.nested("source")
    fields = [(each.text("name"), each.text("value")) for each in asked.items("fields_attributes")]
    return Changes(
        display_name=asked.optional_text("display_name"),
        note=asked.optional_text("note"),
        fields=[pair for pair in fields if any(pair)] if "fields_attributes" in asked else None,
        avatar=asked.upload("avatar"),
        header=asked.upload("header"),
        avatar_description=asked.optional_text("avatar_description"),
        header_description=asked.optional_text("header_description"),
        locked=asked.optional_flag("locked"),
        bot=asked.optional_flag("bot"),
        discoverable=asked.optional_flag("discoverable"),
        indexable=asked.optional_flag("indexable"),
        hide_collections=asked.optional_flag("hide_collections"),
        privacy=source.optional_text("privacy"),
        sensitive=source.optional_flag("sensitive"),
        language=source.optional_text("language"),
        quote_policy=source.optional_text("quote_policy"),
        attribution_domains=asked.texts("attribution_domains") if "attribution_domains" in asked else None,
        show_media=asked.optional_flag("show_media"),
        show_media_replies=asked.optional_flag("show_media_replies"),
        show_featured=asked.optional_flag("show_featured"),
    )
