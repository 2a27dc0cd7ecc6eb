"""Accounts over Mastodon's API: what others see, what they see of themselves, and what they may change."""

from pathlib import Path

from bus_server import run
from site_kit import site_kit


def test_an_account_is_found_by_id_and_by_any_spelling_of_its_name(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann = str(await kit.account("Ann", display_name="Ann <b>Smith</b>", note="One\nline\n\nand <script>"))
            shown = (await kit.anonymous.get(f"/api/v1/accounts/{ann}")).json()
            assert shown["acct"] == "Ann"
            assert shown["url"] == "http://localhost:3000/@Ann"
            assert shown["display_name"] == "Ann <b>Smith</b>", "a name is text; whoever shows it escapes it"
            assert shown["note"] == "<p>One<br>line</p><p>and &lt;script&gt;</p>"
            assert shown["created_at"].endswith("T00:00:00.000Z")
            for acct in ("ann", "@ANN", "Ann@localhost:3000", " @ann@LOCALHOST:3000"):
                found = await kit.anonymous.get("/api/v1/accounts/lookup", params={"acct": acct})
                assert found.json()["id"] == ann
            for path in ("1", "9" * 30, "abc", "lookup?acct=bob", "lookup?acct=ann@elsewhere.example", "lookup"):
                missing = await kit.anonymous.get(f"/api/v1/accounts/{path}")
                assert (missing.status_code, missing.json()) == (404, {"error": "Record not found"}), path

    run(test)


def test_many_are_given_in_the_order_asked_for(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ids = [str(await kit.account(name)) for name in ("ann", "bob", "cat")]
            asked = {"id[]": [ids[2], "7", ids[0], ids[2]]}
            found = (await kit.anonymous.get("/api/v1/accounts", params=asked)).json()
            assert [each["id"] for each in found] == [ids[2], ids[0]]

    run(test)
