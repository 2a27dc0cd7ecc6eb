"""Codes at log-in: of an authenticator, each taken once, and of the sheet for when it is lost."""

import re
from pathlib import Path

import pyotp
from sqlalchemy import select

from browsing import Browsing
from bus_server import run
from rostra.site.database.tables.people import User
from site_kit import Kit, site_kit


async def _with_codes(kit: Kit) -> tuple[str, list[str]]:
    """The key of ann's authenticator and her recovery codes."""
    await kit.account("ann", password="correct horse")
    browser = Browsing(kit)
    await browser.log_in("ann@example.com", "correct horse")
    page = (await browser.get("/settings/security/code")).text
    secret = re.findall(r'class="code">([A-Z2-7]+)<', page)[0]
    sealed = re.findall(r'name="sealed" value="([^"]+)"', page)[0]
    assert 'src="data:image/svg+xml' in page
    wrong = await browser.post("/settings/security/code", {"sealed": sealed, "code": "000000"})
    assert wrong.status_code == 422
    kept = await browser.post("/settings/security/code", {"sealed": sealed, "code": _code(kit, secret)})
    recovery = re.findall(r'class="code">([a-z2-7-]+)<', kept.text)
    assert len(recovery) == 10
    kit.clock.pass_(minutes=5)
    return secret, recovery


def _code(kit: Kit, secret: str, *, ago_s: int = 0) -> str:
    return pyotp.TOTP(secret).at(int(kit.clock.now.timestamp()) - ago_s)


async def _half_way(kit: Kit) -> tuple[Browsing, str]:
    browser = Browsing(kit)
    asked = await browser.log_in("ann@example.com", "correct horse", next="/about")
    assert asked.status_code == 200
    assert "session" not in browser.client.cookies
    return browser, re.findall(r'name="half" value="([^"]+)"', asked.text)[0]


def test_a_code_lets_in_once(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            secret, _ = await _with_codes(kit)
            code = _code(kit, secret)
            browser, half = await _half_way(kit)
            form = {"half": half, "code": code, "next": "/about"}
            entered = await browser.post("/login/code", form)
            assert (entered.status_code, entered.headers["location"]) == (303, "/about")
            other, half = await _half_way(kit)
            assert (await other.post("/login/code", form | {"half": half})).status_code == 422, "it was taken"

    run(test)


def test_a_recovery_code_lets_in_once_however_it_is_typed(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            _, recovery = await _with_codes(kit)
            typed = recovery[3].upper().replace("-", " ")
            for expected in (303, 422):
                browser, half = await _half_way(kit)
                assert (await browser.post("/login/code", {"half": half, "code": typed})).status_code == expected

    run(test)


def test_codes_cannot_be_guessed(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            secret, _ = await _with_codes(kit)
            browser, half = await _half_way(kit)
            for _ in range(10):
                assert (await browser.post("/login/code", {"half": half, "code": "1"})).status_code == 422
            right = {"half": half, "code": _code(kit, secret)}
            assert (await browser.post("/login/code", right)).status_code == 429

    run(test)


def test_a_stale_or_forged_half_way_leads_back_to_the_password(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            secret, _ = await _with_codes(kit)
            browser, half = await _half_way(kit)
            assert (await browser.post("/login/code", {"half": half[:-4] + "AAA=", "code": "1"})).is_redirect
            assert (await browser.post("/login/code", {"half": _code(kit, secret), "code": "1"})).is_redirect
            assert (await browser.post("/login/code", {"half": "é", "code": "1"})).is_redirect
            kit.clock.pass_(minutes=11)
            late = await browser.post("/login/code", {"half": half, "code": _code(kit, secret)})
            assert late.headers["location"] == "/login"

    run(test)


def test_the_key_is_sealed_in_the_database(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            secret, recovery = await _with_codes(kit)
            async with kit.site.reading() as work:
                user = (await work.session.scalars(select(User))).one()
            assert user.totp_secret is not None
            assert secret not in user.totp_secret
            assert not set(recovery) & set(user.recovery_codes)

    run(test)


def test_only_the_password_takes_the_codes_away(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            secret, _ = await _with_codes(kit)
            browser, half = await _half_way(kit)
            await browser.post("/login/code", {"half": half, "code": _code(kit, secret)})
            off = "/settings/security/code/off"
            assert (await browser.post(off, {"password": "battery staple"})).status_code == 422
            assert (await browser.post(off, {"password": "correct horse"})).is_redirect
            assert (await Browsing(kit).log_in("ann@example.com", "correct horse")).is_redirect

    run(test)
