"""OAuth as Mastodon's clients use it: codes with and without PKCE, client credentials, passwords, revocation."""

import re
from base64 import urlsafe_b64encode
from hashlib import sha256
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from browsing import Browsing
from bus_server import run
from site_kit import Kit, site_kit

OUT_OF_BAND = "urn:ietf:wg:oauth:2.0:oob"


async def _app(kit: Kit, redirect: str = OUT_OF_BAND, scopes: str = "read write follow") -> dict[str, Any]:
    asked = {"client_name": "A client", "redirect_uris": redirect, "scopes": scopes}
    answer = await kit.anonymous.post("/api/v1/apps", json=asked)
    assert answer.status_code == 200, answer.text
    app: dict[str, Any] = answer.json()
    return app


def _proof(app: dict[str, Any]) -> dict[str, str]:
    return {"client_id": app["client_id"], "client_secret": app["client_secret"]}


async def _allowed(kit: Kit, app: dict[str, Any], **query: str) -> Any:
    """The answer after somebody let the application in, in a browser."""
    await kit.account("ann", password="correct horse")
    browser = Browsing(kit)
    await browser.log_in("ann@example.com", "correct horse")
    asked = {
        "response_type": "code",
        "client_id": app["client_id"],
        "redirect_uri": app["redirect_uris"][0],
        "scope": "read write",
    } | query
    page = await browser.get("/oauth/authorize/", params=asked)
    assert page.status_code == 200, page.text
    assert "A client" in page.text
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', unescape(page.text)))
    return await browser.post("/oauth/authorize", {**hidden, "decision": query.get("decision", "allow")})


def test_an_application_registers_in_every_form_and_is_told_of_itself(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            asked: dict[str, Any] = {"client_name": "A client", "scopes": "read write"}
            redirects = [OUT_OF_BAND, "https://client.example/back"]
            for body in (
                {"json": asked | {"redirect_uris": redirects}},
                {"json": asked | {"redirect_uris": "\n".join(redirects)}},
                {"data": asked | {"redirect_uris": "\n".join(redirects)}},
                {"data": asked | {"redirect_uris[]": redirects}},
            ):
                app = (await kit.anonymous.post("/api/v1/apps", **body)).json()
                assert app["redirect_uris"] == redirects
                assert app["redirect_uri"] == "\n".join(redirects)
                assert (app["scopes"], app["client_secret_expires_at"]) == (["read", "write"], 0)
            got = await kit.anonymous.post(
                "/oauth/token", json=_proof(app) | {"grant_type": "client_credentials", "scope": "read"}
            )
            own = await kit.client(got.json()["access_token"]).get("/api/v1/apps/verify_credentials")
            assert own.json()["name"] == "A client"
            assert "client_secret" not in own.json()

    run(test)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"client_name": " "}, "Application name can't be blank"),
        ({"client_name": "x" * 61}, "Application name is too long"),
        ({"redirect_uris": ""}, "Redirect URI can't be blank"),
        ({"redirect_uris": "javascript:alert(1)"}, "Redirect URI must be an absolute URI"),
        ({"redirect_uris": "/relative"}, "Redirect URI must be an absolute URI"),
        ({"redirect_uris": "https://"}, "Redirect URI must be an absolute URI"),
        ({"redirect_uris": "https://client.example/#fragment"}, "Redirect URI must be an absolute URI"),
        ({"redirect_uris": "http://[broken"}, "Redirect URI must be an absolute URI"),
        ({"scopes": "read everything"}, "Scopes doesn't match configured on the server"),
        ({"website": "javascript:alert(1)"}, "Application website must be a valid URL"),
    ],
)
def test_what_is_no_application_is_refused(
    database_url: str, tmp_path: Path, change: dict[str, str], message: str
) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            asked = {"client_name": "A client", "redirect_uris": OUT_OF_BAND, "scopes": "read"} | change
            refused = await kit.anonymous.post("/api/v1/apps", json=asked)
            assert refused.status_code == 422
            assert message in refused.json()["error"]

    run(test)


def test_a_code_is_shown_out_of_band_and_is_good_for_one_token(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            app = await _app(kit)
            page = await _allowed(kit, app, force_login="False", state="None", lang="None")
            code = re.findall(r"<code>([^<]+)</code>", page.text)[0]
            asked = _proof(app) | {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": OUT_OF_BAND,
            }
            wrong = await kit.anonymous.post("/oauth/token", data=asked | {"client_secret": "wrong"})
            assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client")
            got = await kit.anonymous.post("/oauth/token", data=asked)
            token = got.json()
            assert (got.status_code, token["token_type"], token["scope"]) == (200, "Bearer", "read write")
            assert isinstance(token["created_at"], int)
            assert "expires_in" not in token
            assert got.headers["cache-control"] == "no-store"
            again = await kit.anonymous.post("/oauth/token", data=asked)
            assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
            me = await kit.client(token["access_token"]).get("/api/v1/accounts/verify_credentials")
            assert me.json()["username"] == "ann"

    run(test)


def test_a_code_with_a_challenge_needs_its_verifier(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            app = await _app(kit, "https://client.example/back")
            verifier = "v" * 43
            challenge = urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
            answer = await _allowed(kit, app, code_challenge=challenge, code_challenge_method="S256", state="a b&c")
            location = urlsplit(answer.headers["location"])
            assert location.netloc == "client.example"
            query = parse_qs(location.query)
            assert query["state"] == ["a b&c"]
            asked = _proof(app) | {
                "grant_type": "authorization_code",
                "code": query["code"][0],
                "redirect_uri": "https://client.example/back",
            }
            for bad in ({}, {"code_verifier": "w" * 43}, {"code_verifier": challenge}):
                refused = await kit.anonymous.post("/oauth/token", data=asked | bad)
                assert refused.status_code == 400, "a wrong verifier gets nothing"

    run(test)


def test_the_right_verifier_gets_the_token(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            app = await _app(kit, "https://client.example/back")
            verifier = "v" * 43
            challenge = urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
            answer = await _allowed(kit, app, code_challenge=challenge, code_challenge_method="S256")
            code = parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]
            asked = _proof(app) | {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": "https://client.example/back",
                "code_verifier": verifier,
            }
            assert (await kit.anonymous.post("/oauth/token", data=asked)).status_code == 200

    run(test)


def test_who_refuses_sends_no_code_and_a_code_grows_old(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            app = await _app(kit, "https://client.example/back")
            answer = await _allowed(kit, app, decision="deny")
            assert parse_qs(urlsplit(answer.headers["location"]).query)["error"] == ["access_denied"]
            other = await _app(kit)
            browser = Browsing(kit)
            await browser.log_in("ann@example.com", "correct horse")
            values = {"response_type": "code", "client_id": other["client_id"], "scope": "read"}
            page = await browser.post("/oauth/authorize", values | {"decision": "allow"})
            code = re.findall(r"<code>([^<]+)</code>", page.text)[0]
            kit.clock.pass_(minutes=11)
            asked = _proof(other) | {"grant_type": "authorization_code", "code": code}
            late = await kit.anonymous.post("/oauth/token", data=asked | {"redirect_uri": OUT_OF_BAND})
            assert (late.status_code, late.json()["error"]) == (400, "invalid_grant")

    run(test)


@pytest.mark.parametrize(
    "change",
    [
        {"client_id": "unknown"},
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": 'https://evil.example/"é\\'},
        {"response_type": "token"},
        {"scope": "read admin:write"},
        {"scope": "no such"},
        {"code_challenge": "x" * 43, "code_challenge_method": "plain"},
    ],
)
def test_what_cannot_be_granted_is_refused_on_a_page_and_leads_nowhere(
    database_url: str, tmp_path: Path, change: dict[str, str]
) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            app = await _app(kit)
            await kit.account("ann", password="correct horse")
            browser = Browsing(kit)
            await browser.log_in("ann@example.com", "correct horse")
            asked = {"response_type": "code", "client_id": app["client_id"], "redirect_uri": OUT_OF_BAND}
            refused = await browser.get("/oauth/authorize", params=asked | change)
            assert refused.status_code == 400
            assert "location" not in refused.headers

    run(test)


def test_an_application_may_be_framed_by_nobody_and_a_foreign_form_lets_nothing_in(
    database_url: str, tmp_path: Path
) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            app = await _app(kit, "myapp://back")
            await kit.account("ann", password="correct horse")
            browser = Browsing(kit)
            await browser.log_in("ann@example.com", "correct horse")
            asked = {"response_type": "code", "client_id": app["client_id"], "redirect_uri": "myapp://back"}
            page = await browser.get("/oauth/authorize", params=asked)
            policy = page.headers["content-security-policy"]
            assert "frame-ancestors 'none'" in policy
            assert "form-action 'self' myapp:" in policy
            forged = await browser.client.post("/oauth/authorize", data=asked | {"decision": "allow", "csrf": "x"})
            assert forged.status_code == 403

    run(test)


def test_the_password_grant_is_a_setting(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        asked = {"grant_type": "password", "username": "ann@example.com", "password": "correct horse"}
        async with site_kit(database_url, tmp_path) as kit:
            await kit.account("ann", password="correct horse")
            app = await _app(kit)
            refused = await kit.anonymous.post("/oauth/token", data=_proof(app) | asked)
            assert (refused.status_code, refused.json()["error"]) == (400, "unsupported_grant_type")
            known = (await kit.anonymous.get("/.well-known/oauth-authorization-server")).json()
            assert "password" not in known["grant_types_supported"]
        async with site_kit(database_url, tmp_path, password_grant=True) as kit:
            app = await _app(kit)
            got = await kit.anonymous.post("/oauth/token", json=_proof(app) | asked | {"scope": "read"})
            assert got.status_code == 200, got.text
            wrong = await kit.anonymous.post("/oauth/token", json=_proof(app) | asked | {"password": "wrong"})
            assert (wrong.status_code, wrong.json()["error"]) == (400, "invalid_grant")
            known = (await kit.anonymous.get("/.well-known/oauth-authorization-server")).json()
            assert "password" in known["grant_types_supported"]

    run(test)


def test_a_revoked_token_is_refused_and_only_its_application_revokes_it(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            app, other = await _app(kit), await _app(kit)
            asked = {"grant_type": "client_credentials", "scope": "read"}
            token = (await kit.anonymous.post("/oauth/token", data=_proof(app) | asked)).json()["access_token"]
            client = kit.client(token)
            refused = await kit.anonymous.post("/oauth/revoke", data=_proof(other) | {"token": token})
            assert refused.status_code == 400
            assert (await client.get("/api/v1/apps/verify_credentials")).status_code == 200
            done = await kit.anonymous.post("/oauth/revoke", data=_proof(app) | {"token": token})
            assert (done.status_code, done.json()) == (200, {})
            gone = await client.get("/api/v1/apps/verify_credentials")
            assert (gone.status_code, gone.json()) == (401, {"error": "The access token is invalid"})

    run(test)


def test_a_token_goes_as_far_as_its_scopes(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            writer = await kit.person("ann", scopes="write:statuses")
            refused = await writer.get("/api/v1/accounts/verify_credentials")
            assert refused.status_code == 403
            assert refused.json() == {"error": "This action is outside the authorized scopes"}
            app = await _app(kit, scopes="read")
            beyond = {"grant_type": "client_credentials", "scope": "read write"}
            wide = await kit.anonymous.post("/oauth/token", data=_proof(app) | beyond)
            assert (wide.status_code, wide.json()["error"]) == (400, "invalid_scope")

    run(test)
