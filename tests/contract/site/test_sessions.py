"""The browsers in which somebody is logged in: seen, ended, renewed."""

import re
from pathlib import Path

from browsing import Browsing
from bus_server import run
from site_kit import Kit, site_kit


async def _logged_in(kit: Kit, user_agent: str) -> Browsing:
    browser = Browsing(kit)
    browser.client.headers["User-Agent"] = user_agent
    assert (await browser.log_in("ann@example.com", "correct horse")).status_code == 303
    return browser


def test_a_session_is_seen_and_ended_from_another_browser(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            await kit.account("ann", password="correct horse")
            phone, desk = await _logged_in(kit, "A telephone"), await _logged_in(kit, "A desk")
            page = (await desk.get("/settings/sessions")).text
            assert "A telephone" in page
            ends = re.findall(r"/settings/sessions/(\d+)/end", page)
            assert len(ends) == 1, "one's own session is not offered"
            await desk.post(f"/settings/sessions/{ends[0]}/end")
            assert (await phone.get("/settings/sessions")).is_redirect
            assert (await desk.get("/settings/sessions")).status_code == 200

    run(test)


def test_nobody_ends_a_session_of_somebody_else(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            for name in ("ann", "bob"):
                await kit.account(name, password="correct horse")
            ann, other = await _logged_in(kit, "Ann's"), await _logged_in(kit, "Ann's second")
            bob = Browsing(kit)
            await bob.log_in("bob@example.com", "correct horse")
            ended = re.findall(r"/settings/sessions/(\d+)/end", (await ann.get("/settings/sessions")).text)[0]
            await bob.post(f"/settings/sessions/{ended}/end")
            assert (await other.get("/settings/sessions")).status_code == 200

    run(test)


def test_each_log_in_has_a_token_of_its_own(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            await kit.account("ann", password="correct horse")
            browser = Browsing(kit)
            browser.client.cookies.set("session", "chosen-by-somebody-else", domain="localhost.local")
            await browser.log_in("ann@example.com", "correct horse")
            first = browser.client.cookies["session"]
            assert first != "chosen-by-somebody-else"
            await browser.post("/logout")
            await browser.log_in("ann@example.com", "correct horse")
            assert browser.client.cookies["session"] != first

    run(test)


def test_a_session_that_is_not_used_ends(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            await kit.account("ann", password="correct horse")
            browser = await _logged_in(kit, "A browser")
            kit.clock.pass_(days=60)
            assert (await browser.get("/settings/sessions")).status_code == 200
            kit.clock.pass_(days=60)
            assert (await browser.get("/settings/sessions")).status_code == 200, "it was used in between"
            kit.clock.pass_(days=91)
            assert (await browser.get("/settings/sessions")).is_redirect

    run(test)


def test_over_tls_the_cookie_belongs_to_this_host_alone(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path, url="https://rostra.example") as kit:
            await kit.account("ann", password="correct horse")
            browser = Browsing(kit)
            cookie = (await browser.log_in("ann@example.com", "correct horse")).headers["set-cookie"]
            assert cookie.startswith("__Host-session=")
            for attribute in ("HttpOnly", "Secure", "Path=/", "SameSite=lax"):
                assert attribute in cookie

    run(test)
