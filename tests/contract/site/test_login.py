"""Logging in and out with a password: as a browser does it, and as somebody who guesses does."""

from pathlib import Path

from sqlalchemy import select

from browsing import Browsing
from bus_server import run
from rostra.site.database.tables.people import LoginEvent, WebSession
from site_kit import site_kit


def test_a_member_logs_in_and_out(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            await kit.account("ann", password="correct horse")
            browser = Browsing(kit)
            page = await browser.log_in("ann@example.com", "correct horse", next="/about")
            assert page.headers["location"] == "/about"
            assert "Log out" in (await browser.get("/")).text
            await browser.post("/logout")
            assert "Log in" in (await browser.get("/")).text
            async with kit.site.reading() as work:
                assert (await work.session.scalars(select(WebSession))).all() == []

    run(test)


def test_a_wrong_password_and_an_unknown_address_are_told_alike(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            await kit.account("ann", password="correct horse")
            browser = Browsing(kit)
            wrong = await browser.log_in("ann@example.com", "battery staple")
            unknown = await browser.log_in("nobody@example.com", "battery staple")
            assert (wrong.status_code, unknown.status_code) == (422, 422)
            told = "That e-mail address and password do not belong together."
            assert told in wrong.text
            assert told in unknown.text
            async with kit.site.reading() as work:
                kept = (await work.session.scalars(select(LoginEvent))).all()
            assert {event.outcome for event in kept} == {"wrong_password"}
            assert all("127.0.0.1" not in event.address_key for event in kept)

    run(test)


def test_who_guesses_is_slowed_down_and_may_go_on_later(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            await kit.account("ann", password="correct horse")
            browser = Browsing(kit)
            for _ in range(10):
                assert (await browser.log_in("ann@example.com", "guess")).status_code == 422
            refused = await browser.log_in("ann@example.com", "correct horse")
            assert (refused.status_code, refused.headers["retry-after"]) == (429, "900")
            kit.clock.pass_(minutes=16)
            assert (await browser.log_in("ann@example.com", "correct horse")).status_code == 303

    run(test)


def test_nobody_is_led_elsewhere_after_logging_in(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            await kit.account("ann", password="correct horse")
            for target in (
                "https://evil.example/",
                "//evil.example",
                "/\\evil.example",
                "javascript:x",
                "/\tx",
            ):
                browser = Browsing(kit)
                page = await browser.log_in("ann@example.com", "correct horse", next=target)
                assert page.headers["location"] == "/", target

    run(test)


def test_a_page_for_members_leads_a_visitor_to_the_entrance_and_back(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            browser = Browsing(kit)
            asked = await browser.get("/settings/sessions?x=1")
            assert (asked.status_code, asked.headers["location"]) == (
                303,
                "/login?next=%2Fsettings%2Fsessions%3Fx%3D1",
            )

    run(test)
