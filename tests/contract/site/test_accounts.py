"""Accounts over Mastodon's API: what others see, what they see of themselves, and what they may change."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bus_server import run
from rostra.site.database.tables.people import User
from rostra.site.people import links, registration
from site_kit import Kit, site_kit


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


async def _app_token(kit: Kit) -> str:
    asked = {"client_name": "A client", "redirect_uris": "urn:ietf:wg:oauth:2.0:oob", "scopes": "read write"}
    app = (await kit.anonymous.post("/api/v1/apps", json=asked)).json()
    proof = {name: app[name] for name in ("client_id", "client_secret")}
    grant = proof | {"grant_type": "client_credentials", "scope": "read write"}
    token: str = (await kit.anonymous.post("/oauth/token", json=grant)).json()["access_token"]
    return token


_NEWCOMER = {"username": "Dido", "email": "dido@example.com", "password": "correct horse", "agreement": True}


def test_a_newcomer_may_do_nothing_before_the_address_is_confirmed(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            client = kit.client(await _app_token(kit))
            joined = await client.post("/api/v1/accounts", json=_NEWCOMER | {"locale": "nl"})
            assert joined.status_code == 200, joined.text
            dido = kit.client(joined.json()["access_token"])
            refused = await dido.get("/api/v1/accounts/verify_credentials")
            assert refused.status_code == 403
            assert refused.json() == {"error": "Your login is missing a confirmed e-mail address"}
            assert (await dido.get("/api/v1/emails/check_confirmation")).json() is False
            again = await dido.post("/api/v1/emails/confirmations", json={"email": "queen@example.com"})
            assert (again.status_code, again.json()) == (200, {})
            async with kit.site.writing() as work:
                user = (await work.session.scalars(select(User))).one()
                assert (user.email, user.locale) == ("queen@example.com", "nl")
                token = await links.make(work, "confirm", account_id=user.account_id, email=user.email)
            assert token is not None
            async with kit.site.writing() as work:
                assert await links.confirm(work, token) is not None
                assert await links.confirm(work, token) is None, "a link is good once"
            assert (await dido.get("/api/v1/accounts/verify_credentials")).json()["username"] == "Dido"
            late = await dido.post("/api/v1/emails/confirmations")
            assert late.status_code == 403

    run(test)


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"username": ""}, "username", "ERR_BLANK"),
        ({"username": "x" * 31}, "username", "ERR_TOO_LONG"),
        ({"username": "dé"}, "username", "ERR_INVALID"),
        ({"username": "Admin"}, "username", "ERR_RESERVED"),
        ({"username": "ANN"}, "username", "ERR_TAKEN"),
        ({"email": ""}, "email", "ERR_BLANK"),
        ({"email": "nobody"}, "email", "ERR_INVALID"),
        ({"email": "a@b.example\nBcc: all@example.com"}, "email", "ERR_INVALID"),
        ({"email": f"{'a' * 65}@example.com"}, "email", "ERR_INVALID"),
        ({"email": "ANN@example.com"}, "email", "ERR_TAKEN"),
        ({"password": ""}, "password", "ERR_BLANK"),
        ({"password": "short"}, "password", "ERR_TOO_SHORT"),
        ({"password": "x" * 201}, "password", "ERR_TOO_LONG"),
        ({"agreement": False}, "agreement", "ERR_ACCEPTED"),
        ({"reason": "x" * 501}, "reason", "ERR_TOO_LONG"),
    ],
)
def test_what_is_wrong_with_a_wish_to_join_is_told_by_field(
    database_url: str, tmp_path: Path, change: dict[str, Any], field: str, code: str
) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            await kit.account("ann")
            client = kit.client(await _app_token(kit))
            refused = await client.post("/api/v1/accounts", json=_NEWCOMER | change)
            assert refused.status_code == 422
            assert [each["error"] for each in refused.json()["details"][field]] == [code]
            assert refused.json()["error"].startswith("Validation failed: ")
            assert list(refused.json()["details"]) == [field]

    run(test)


def test_nobody_joins_from_a_provider_that_is_barred(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            owner = await kit.person("octavia", role="owner", scopes="admin:read admin:write")
            path = "/api/v1/admin/email_domain_blocks"
            member = await kit.person("ann", scopes="admin:read admin:write")
            assert (await member.post(path, json={"domain": "spam.example"})).status_code == 403
            made = (await owner.post(path, json={"domain": "@Spam.example"})).json()
            assert made["domain"] == "spam.example"
            for bad in ("spam.example", "nonsense", "", "a b.example"):
                assert (await owner.post(path, json={"domain": bad})).status_code == 422, bad
            client = kit.client(await _app_token(kit))
            for email in ("x@spam.example", "x@mail.SPAM.example"):
                refused = await client.post("/api/v1/accounts", json=_NEWCOMER | {"email": email})
                assert refused.json()["details"]["email"][0]["error"] == "ERR_BLOCKED", email
            other = await client.post("/api/v1/accounts", json=_NEWCOMER | {"email": "x@notspam.example"})
            assert other.status_code == 200
            assert (await owner.delete(f"{path}/{made['id']}")).json() == {}
            assert (await owner.get(path)).json() == []
            assert (await owner.get(f"{path}/{made['id']}")).status_code == 404

    run(test)


def test_problems_are_told_in_the_language_of_the_asker(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            client = kit.client(await _app_token(kit))
            english = await client.post("/api/v1/accounts", json=_NEWCOMER | {"password": "short"})
            dutch = await client.post("/api/v1/accounts?lang=nl", json=_NEWCOMER | {"password": "short"})
            assert "is too short (minimum is 8 characters)" in english.json()["error"]
            assert "is te kort (minimaal 8 tekens)" in dutch.json()["error"]

    run(test)


def test_nobody_joins_while_it_is_closed(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path, registrations="closed") as kit:
            client = kit.client(await _app_token(kit))
            assert (await client.post("/api/v1/accounts", json=_NEWCOMER)).status_code == 403
            by_person = await (await kit.person("ann")).post("/api/v1/accounts", json=_NEWCOMER)
            assert by_person.status_code == 403, "only an application by itself makes accounts"

    run(test)


def test_who_needs_approval_waits_for_it(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path, registrations="approval", confirm_email=False) as kit:
            client = kit.client(await _app_token(kit))
            joined = await client.post("/api/v1/accounts", json=_NEWCOMER | {"reason": "I like to listen"})
            dido = kit.client(joined.json()["access_token"])
            waits = await dido.get("/api/v1/preferences")
            assert (waits.status_code, waits.json()["error"]) == (403, "Your login is currently pending approval")
            async with kit.site.writing() as work:
                user = (await work.session.scalars(select(User).where(User.email == "dido@example.com"))).one()
                assert user.invite_request == "I like to listen"
                await registration.approve(work, user.account_id)
            assert (await dido.get("/api/v1/preferences")).status_code == 200

    run(test)


def test_a_profile_is_changed_in_every_form_that_clients_send(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            await kit.account("Bob")
            ann = await kit.person("ann")
            path = "/api/v1/accounts/update_credentials"
            form = {
                "display_name": "Ann",
                "note": "Hello @bob and https://example.com",
                "fields_attributes[0][name]": "Site",
                "fields_attributes[0][value]": "https://example.com",
                "source[privacy]": "unlisted",
                "source[language]": "nl",
                "bot": "1",
            }
            changed = await ann.patch(path, data=form)
            assert changed.status_code == 200, changed.text
            me = changed.json()
            assert (me["display_name"], me["bot"], me["source"]["privacy"]) == ("Ann", True, "unlisted")
            assert me["source"]["note"] == form["note"]
            assert 'href="http://localhost:3000/@Bob"' in me["note"]
            assert me["fields"][0]["value"].startswith('<a href="https://example.com"')
            cleared = await ann.patch(path, json={"fields_attributes": [], "display_name": "", "bot": False})
            assert (cleared.json()["fields"], cleared.json()["display_name"]) == ([], "")
            assert cleared.json()["source"]["privacy"] == "unlisted", "what is not sent is left"
            preferences = (await ann.get("/api/v1/preferences")).json()
            assert preferences["posting:default:visibility"] == "unlisted"
            assert preferences["posting:default:language"] == "nl"

    run(test)


@pytest.mark.parametrize(
    "change",
    [
        {"display_name": "x" * 31},
        {"note": "x" * 501},
        {"fields_attributes": [{"name": str(n), "value": "v"} for n in range(5)]},
        {"fields_attributes": [{"name": "n" * 256, "value": "v"}]},
        {"source": {"privacy": "everybody"}},
        {"source": {"language": "<script>"}},
        {"bot": "perhaps"},
        {"attribution_domains": ["not a domain"]},
    ],
)
def test_a_profile_that_cannot_be_is_refused_and_changes_nothing(
    database_url: str, tmp_path: Path, change: dict[str, Any]
) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann = await kit.person("ann", display_name="Ann")
            refused = await ann.patch("/api/v1/accounts/update_credentials", json={"note": "new"} | change)
            assert refused.status_code == 422, refused.text
            me = (await ann.get("/api/v1/accounts/verify_credentials")).json()
            assert (me["display_name"], me["source"]["note"]) == ("Ann", "")

    run(test)
