"""Forms are taken only from our own pages, in the very browser that got them."""

from pathlib import Path

from browsing import Browsing
from bus_server import run
from site_kit import Kit, site_kit


async def _ann(kit: Kit) -> Browsing:
    browser = Browsing(kit)
    await browser.log_in("ann@example.com", "correct horse")
    return browser


def test_a_form_from_elsewhere_is_refused(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            await kit.account("ann", password="correct horse")
            browser = await _ann(kit)
            token = await browser.token()
            for headers in (
                {"Sec-Fetch-Site": "cross-site"},
                {"Sec-Fetch-Site": "same-site"},
                {"Origin": "https://evil.example"},
                {"Origin": "null"},
                {"Origin": "http://["},
            ):
                answer = await browser.client.post("/logout", data={"csrf": token}, headers=headers)
                assert answer.status_code == 403, headers
            assert "Log out" in (await browser.get("/")).text
            allowed = {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost:3000"}
            assert (await browser.client.post("/logout", data={"csrf": token}, headers=allowed)).is_redirect

    run(test)


def test_a_form_without_its_token_or_with_that_of_somebody_else_is_refused(
    database_url: str, tmp_path: Path
) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            await kit.account("ann", password="correct horse")
            await kit.account("bob", password="correct horse")
            browser, other = await _ann(kit), Browsing(kit)
            await other.log_in("bob@example.com", "correct horse")
            for token in ("", "é", "x" * 43, await other.token(), await Browsing(kit).token()):
                answer = await browser.client.post("/logout", data={"csrf": token})
                assert answer.status_code == 403, token
            assert (await browser.client.post("/logout")).status_code == 403
            assert (await browser.client.post("/logout", json={"csrf": [1]})).status_code == 403

    run(test)


def test_a_form_got_before_the_log_in_is_not_good_after_it(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            await kit.account("ann", password="correct horse")
            browser = Browsing(kit)
            before = await browser.token()
            await browser.log_in("ann@example.com", "correct horse")
            assert (await browser.client.post("/logout", data={"csrf": before})).status_code == 403

    run(test)


def test_a_cookie_alone_is_nobody_to_the_api(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            await kit.account("ann", password="correct horse")
            browser = await _ann(kit)
            assert (await browser.get("/api/v1/accounts/verify_credentials")).status_code in {401, 404}

    run(test)
