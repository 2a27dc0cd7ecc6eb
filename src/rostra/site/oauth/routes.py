"""OAuth's endpoints for applications: tokens, their end, whose they are, and what the server offers (RFC 8414)."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from rostra.site.answers import Json
from rostra.site.app import TheSite
from rostra.site.login import attempts
from rostra.site.mastodon.body import Asked, asks
from rostra.site.mastodon.entities.account import accounts
from rostra.site.oauth import server
from rostra.site.oauth.bearer import Viewer, signed_in
from rostra.site.oauth.client import AUTH_METHODS
from rostra.site.oauth.scopes import SCOPES
from rostra.site.people import lookup

router = APIRouter(tags=["oauth"])
_CLIENT = {"client_id": str, "client_secret": str}
_GRANT = ("grant_type", "code", "redirect_uri", "code_verifier", "scope", "username", "password")
_UNCACHED = {"Cache-Control": "no-store", "Pragma": "no-cache"}  # RFC 6749 §5.1


@router.post("/oauth/token")
@router.post("/oauth/token/", include_in_schema=False)
async def token(
    request: Request, site: TheSite, asked: Annotated[Asked, asks(_CLIENT, dict.fromkeys(_GRANT, str))]
) -> Response:
    account_id = None
    if site.settings.password_grant and asked.text("grant_type") == "password":
        address = "" if request.client is None else request.client.host
        attempt = attempts.Attempt(address, request.headers.get("user-agent", ""))
        user = await attempts.by_password(site, asked.text("username"), asked.text("password"), attempt)
        # A password alone would go past the second factor; who has one lets applications in on our page.
        account_id = None if user is None or user.totp_secret else user.account_id
    async with site.writing() as work:
        answer = await server.issue(work, _message(request, asked.values), account_id=account_id)
    return _answered(answer)


@router.post("/oauth/revoke")
@router.post("/oauth/revoke/", include_in_schema=False)
async def revoke(
    request: Request, site: TheSite, asked: Annotated[Asked, asks(_CLIENT, token=str, token_type_hint=str)]
) -> Response:
    async with site.writing() as work:
        answer = await server.revoke(work, _message(request, asked.values))
    return _answered(answer)


@router.get("/oauth/userinfo")
@router.post("/oauth/userinfo", include_in_schema=False)
async def userinfo(
    site: TheSite, viewer: Annotated[Viewer, Depends(signed_in("profile", "read:accounts"))]
) -> Json:
    """OpenID Connect Core §5.3, as far as Mastodon has it."""
    async with site.reading() as work:
        (account,) = await accounts(work, [await lookup.account(work, viewer.account_id)])
    return Json(
        {
            "iss": f"{site.settings.url}/",
            "sub": account["uri"],
            "name": account["display_name"] or account["username"],
            "preferred_username": account["username"],
            "profile": account["url"],
            "picture": account["avatar"],
        }
    )


@router.get("/.well-known/oauth-authorization-server")
async def metadata(site: TheSite) -> Json:
    url = site.settings.url
    grant_types = ["authorization_code", "client_credentials"]
    return Json(
        {
            "issuer": f"{url}/",
            "service_documentation": "https://docs.joinmastodon.org/",
            "authorization_endpoint": f"{url}/oauth/authorize",
            "token_endpoint": f"{url}/oauth/token",
            "app_registration_endpoint": f"{url}/api/v1/apps",
            "revocation_endpoint": f"{url}/oauth/revoke",
            "userinfo_endpoint": f"{url}/oauth/userinfo",
            "scopes_supported": list(SCOPES),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": [*grant_types, *(["password"] if site.settings.password_grant else [])],
            "token_endpoint_auth_methods_supported": list(AUTH_METHODS),
            "code_challenge_methods_supported": ["S256"],
        }
    )


def _message(request: Request, values: Mapping[str, Any]) -> server.Message:
    headers = {"Authorization": request.headers.get("authorization", "")}
    return server.Message(values, headers if headers["Authorization"] else {})


def _answered(answer: server.Message) -> Response:
    return Json(dict(answer.values), status_code=answer.status, headers=_UNCACHED)
