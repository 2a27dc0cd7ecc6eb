"""Applications: how one registers, and what it is told of itself."""

from typing import Annotated

from fastapi import APIRouter

from rostra.site.answers import Json, not_found
from rostra.site.app import TheSite
from rostra.site.attention import vapid
from rostra.site.database.tables.authorization import App
from rostra.site.mastodon.body import Asked, asks
from rostra.site.mastodon.entities.application import (
    ApplicationEntity,
    CredentialApplicationEntity,
    application,
    credential_application,
)
from rostra.site.oauth import apps
from rostra.site.oauth.bearer import AnApp

router = APIRouter(prefix="/api/v1/apps", tags=["apps"])


@router.post("", response_model=CredentialApplicationEntity)
async def register(
    site: TheSite, asked: Annotated[Asked, asks(client_name=str, redirect_uris=[str], scopes=str, website=str)]
) -> Json:
    async with site.writing() as work:
        app, secret = await apps.register(
            work,
            name=asked.text("client_name"),
            redirect_uris=asked.texts("redirect_uris"),
            scopes=asked.text("scopes"),
            website=asked.optional_text("website"),
        )
    return Json(credential_application(app, secret, vapid.public_key(site.settings)))


@router.get("/verify_credentials", response_model=ApplicationEntity)
async def verify_credentials(site: TheSite, bearer: AnApp) -> Json:
    async with site.reading() as work:
        app = await work.session.get(App, bearer.app_id)
    if app is None:
        raise not_found()
    return Json(application(app, vapid.public_key(site.settings)))
