"""Somebody joins, confirms the address, forgets the password: with the links that letters bring."""

import re
from email import message_from_bytes
from email.policy import default
from pathlib import Path

from sqlalchemy import select

from browsing import Browsing
from bus_server import run
from rostra.site.database.tables.people import User
from site_kit import Kit, site_kit

WISH = {"username": "ann", "email": "ann@example.com", "password": "correct horse", "agreement": "1"}


async def _link(kit: Kit, folder: Path, kind: str) -> tuple[str, str]:
    """The path and the token of the link in the newest letter of a kind."""
    await kit.do_jobs()
    letter = message_from_bytes(max(folder.glob(f"mail/*-{kind}.eml")).read_bytes(), policy=default)
    body = letter.get_body(("plain",))
    assert body is not None
    path, token = re.findall(r"http://localhost:3000(/\w+)\?token=(\S+)", body.get_content())[0]
    return path, token


def test_a_newcomer_joins_and_confirms_by_the_link_in_the_letter(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            browser = Browsing(kit)
            assert (await browser.post("/join", WISH)).is_redirect
            assert "not confirmed yet" in (await browser.get("/settings/account")).text
            path, token = await _link(kit, tmp_path, "confirm")
            assert path == "/confirm"
            assert "This address is mine" in (await browser.get(f"{path}?token={token}")).text
            async with kit.site.reading() as work:
                assert (await work.session.scalars(select(User.confirmed_at))).one() is None, (
                    "only a press confirms"
                )
            assert (await browser.post(path, {"token": token})).is_redirect
            assert "not confirmed yet" not in (await browser.get("/settings/account")).text
            assert (await browser.post(path, {"token": token})).status_code == 410

    run(test)


def test_what_is_wrong_is_said_at_each_field_in_the_language_of_the_page(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            browser = Browsing(kit)
            browser.client.headers["Accept-Language"] = "nl"
            wrong = {"username": "a b", "email": "nobody", "password": "short"}
            page = await browser.post("/join", wrong)
            assert page.status_code == 422
            for text in ("mag alleen letters", "is ongeldig", "is te kort (minimaal 8", "moet worden aanvaard"):
                assert text in page.text
            assert 'value="a b"' in page.text
            assert "short" not in page.text

    run(test)


def test_a_forgotten_password_is_replaced_once_and_ends_what_was_open(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            account_id = await kit.account("ann", password="correct horse")
            app = kit.client(await kit.token(account_id))
            old, browser = Browsing(kit), Browsing(kit)
            await old.log_in("ann@example.com", "correct horse")
            await browser.post("/password", {"email": "ANN@example.com"})
            path, token = await _link(kit, tmp_path, "reset")
            assert (await browser.post(path, {"token": token, "password": "short"})).status_code == 422
            assert (await browser.post(path, {"token": token, "password": "battery staple"})).is_redirect
            assert (await browser.post(path, {"token": token, "password": "mine instead"})).status_code == 410
            assert (await old.get("/settings/account")).is_redirect, "its session has ended"
            assert (await app.get("/api/v1/accounts/verify_credentials")).status_code == 401
            assert (await browser.log_in("ann@example.com", "correct horse")).status_code == 422
            assert (await browser.log_in("ann@example.com", "battery staple")).is_redirect

    run(test)


def test_a_link_for_a_new_password_is_good_for_an_hour(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            await kit.account("ann", password="correct horse")
            browser = Browsing(kit)
            await browser.post("/password", {"email": "ann@example.com"})
            path, token = await _link(kit, tmp_path, "reset")
            kit.clock.pass_(minutes=61)
            assert (await browser.get(f"{path}?token={token}")).status_code == 410
            answer = await browser.post(path, {"token": token, "password": "battery staple"})
            assert answer.status_code == 410

    run(test)


def test_nobody_learns_whether_an_address_is_known(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            await kit.account("ann", password="correct horse")
            browser = Browsing(kit)
            known = await browser.post("/password", {"email": "ann@example.com"})
            unknown = await browser.post("/password", {"email": "nobody@example.com"})
            assert (known.status_code, known.text) == (unknown.status_code, unknown.text)
            await kit.do_jobs()
            assert len(list(tmp_path.glob("mail/*.eml"))) == 1

    run(test)


def test_a_new_address_is_used_once_its_link_is_and_the_old_one_is_told(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            await kit.account("ann", password="correct horse")
            browser = Browsing(kit)
            await browser.log_in("ann@example.com", "correct horse")
            change = {"email": "new@example.com", "email_password": "battery staple"}
            assert (await browser.post("/settings/account/email", change)).status_code == 422
            change |= {"email_password": "correct horse"}
            assert (await browser.post("/settings/account/email", change)).is_redirect
            path, token = await _link(kit, tmp_path, "change")
            assert "ann@example.com" in (await browser.get("/settings/account")).text
            await browser.post(path, {"token": token})
            assert "new@example.com" in (await browser.get("/settings/account")).text
            await kit.do_jobs()
            told = message_from_bytes(next(tmp_path.glob("mail/*-email_changed.eml")).read_bytes(), policy=default)
            assert told["To"] == "ann@example.com"

    run(test)
