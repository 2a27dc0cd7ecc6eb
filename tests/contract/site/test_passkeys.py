"""Passkeys: added by who is logged in, good for a log-in by themselves, once for each question."""

from pathlib import Path
from typing import Any

import httpx2

from authenticator import Authenticator
from browsing import Browsing
from bus_server import run
from site_kit import Kit, site_kit


async def _post(browser: Browsing, path: str, **values: Any) -> httpx2.Response:
    return await browser.client.post(path, json={"csrf": await browser.token(), **values})


async def _with_passkey(kit: Kit) -> Authenticator:
    await kit.account("ann", password="correct horse")
    key, browser = Authenticator(kit.site.settings.url), Browsing(kit)
    await browser.log_in("ann@example.com", "correct horse")
    asked = (await _post(browser, "/settings/passkeys/options")).json()
    assert asked["options"]["rp"]["id"] == "localhost"
    answer = {"credential": key.create(asked["options"]), "sealed": asked["sealed"], "name": "A key"}
    assert (await _post(browser, "/settings/passkeys", **answer)).json() == {"next": "/settings/security"}
    assert "A key" in (await browser.get("/settings/security")).text
    return key


async def _asked(browser: Browsing) -> dict[str, Any]:
    return dict((await _post(browser, "/login/passkey/options")).json())


def test_a_passkey_logs_in_without_a_password(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            key = await _with_passkey(kit)
            browser = Browsing(kit)
            asked = await _asked(browser)
            answer = {"credential": key.get(asked["options"]), "sealed": asked["sealed"], "next": "/about"}
            assert (await _post(browser, "/login/passkey", **answer)).json() == {"next": "/about"}
            assert "Log out" in (await browser.get("/")).text

    run(test)


def test_an_answer_is_taken_once(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            key = await _with_passkey(kit)
            browser, thief = Browsing(kit), Browsing(kit)
            asked = await _asked(browser)
            answer = {"credential": key.get(asked["options"]), "sealed": asked["sealed"]}
            assert (await _post(browser, "/login/passkey", **answer)).status_code == 200
            assert (await _post(thief, "/login/passkey", **answer)).status_code == 403

    run(test)


def test_answers_that_are_not_to_our_question_are_refused(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            key = await _with_passkey(kit)
            browser = Browsing(kit)
            asked, other = await _asked(browser), await _asked(browser)
            options, seal = asked["options"], asked["sealed"]
            elsewhere = Authenticator("https://evil.example", key=key.key)
            stranger = Authenticator(key.origin, id=b"nobody's")
            forged = Authenticator(key.origin)
            for credential in (
                key.get(other["options"]),
                key.get(options | {"rpId": "evil.example"}),
                key.get(options, flags=1),  # present, but not verified
                elsewhere.get(options),
                stranger.get(options),
                forged.get(options),
                "{}",
                "no JSON",
            ):
                answer = await _post(browser, "/login/passkey", credential=credential, sealed=seal)
                assert answer.status_code == 403, credential
            for other_seal in ("", "x", other["sealed"][:-4] + "AAA="):
                answer = await _post(browser, "/login/passkey", credential=key.get(options), sealed=other_seal)
                assert answer.status_code == 403
            kit.clock.pass_(minutes=6)
            late = await _post(browser, "/login/passkey", credential=key.get(options), sealed=seal)
            assert late.status_code == 403

    run(test)


def test_a_passkey_that_was_removed_opens_nothing(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            key = await _with_passkey(kit)
            owner, browser = Browsing(kit), Browsing(kit)
            await owner.log_in("ann@example.com", "correct horse")
            page = (await owner.get("/settings/security")).text
            remove = page.split('action="/settings/passkeys/')[1].split('"')[0]
            await owner.post(f"/settings/passkeys/{remove}")
            asked = await _asked(browser)
            answer = {"credential": key.get(asked["options"]), "sealed": asked["sealed"]}
            assert (await _post(browser, "/login/passkey", **answer)).status_code == 403

    run(test)
