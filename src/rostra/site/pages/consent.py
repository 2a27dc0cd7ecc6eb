"""The page on which somebody lets an application in (RFC 6749 §4.1.1), and the code that it gets for it."""

from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qs, urlsplit

from fastapi import APIRouter, Response

from rostra.site.answers import RefusedError, forbidden
from rostra.site.mastodon.body import Body
from rostra.site.moderation.restrictions import CLOSED, in_force
from rostra.site.oauth import server
from rostra.site.oauth.apps import OUT_OF_BAND
from rostra.site.oauth.bearer import why_not
from rostra.site.pages.browser import Browser, Member, MembersForm
from rostra.site.pages.languages import N_

router = APIRouter(include_in_schema=False)
_ASKED: Final = (
    "response_type", "client_id", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method",
)  # fmt: skip
# What a scope lets an application do, by its first word: enough to decide on.
_MEANINGS: Final = {
    "read": N_("Read what you can read: your timelines, notifications and settings"),
    "write": N_("Write in your name: posts, follows, your profile"),
    "follow": N_("Follow, mute and block in your name"),
    "push": N_("Send you notifications"),
    "profile": N_("Read your profile"),
    "admin": N_("Moderate in your name"),
}


@router.get("/oauth/authorize")
@router.get("/oauth/authorize/")
async def show(browser: Member, asked: Body) -> Response:
    values = {name: asked.text(name) for name in _ASKED if name in asked}
    async with browser.site.reading() as work:
        consent = await server.consent(work, server.Message(values, {}))
    first_words = dict.fromkeys(scope.partition(":")[0] for scope in consent.scopes)
    return browser.page(
        "consent.html",
        directives={"form-action": f"'self' {_target(consent.redirect_uri)}".strip()},
        headers={"Cache-Control": "no-store"},
        app=consent.app,
        meanings=[browser.gettext(_MEANINGS[word]) for word in first_words],
        scopes=" ".join(consent.scopes),
        values=values,
    )


@router.post("/oauth/authorize")
@router.post("/oauth/authorize/")
async def decide(form: MembersForm) -> Response:
    browser, asked = form.browser, form.asked
    await _check_account(browser)
    values = {name: asked.text(name) for name in _ASKED if name in asked}
    account_id = browser.account_id if asked.text("decision") == "allow" else None
    async with browser.site.writing() as work:
        answer = await server.authorize(work, server.Message(values, {}), account_id=account_id)
    location = answer.headers.get("Location")
    if location is None:
        raise RefusedError(
            HTTPStatus.BAD_REQUEST, str(answer.values.get("error_description", "")), code="invalid_request"
        )
    if location.startswith(OUT_OF_BAND):
        code = parse_qs(urlsplit(location).query).get("code", [""])[0]
        return browser.page("code.html", headers={"Cache-Control": "no-store"}, code=code)
    return browser.go(location)


async def _check_account(browser: Browser) -> None:
    """RefusedError (403) for an account that may not be used (yet, or any more)."""
    async with browser.site.reading() as work:
        kinds = (await in_force(work, "account", [browser.account_id]))[browser.account_id]
    if why := why_not(browser.me.user, closed=bool(kinds & CLOSED)):
        raise forbidden(why)


def _target(redirect_uri: str) -> str:
    """What a browser may be sent to when the form is sent (CSP form-action): where the application waits."""
    split = urlsplit(redirect_uri)
    if redirect_uri == OUT_OF_BAND:
        return ""
    return f"{split.scheme}://{split.netloc}" if split.scheme in {"http", "https"} else f"{split.scheme}:"
