"""What the site says of itself, and who is to be found on it."""

from pathlib import Path

import pytest

from bus_server import run
from site_kit import site_kit


def test_both_versions_tell_what_clients_keep_to(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            await kit.account("octavia", role="owner")
            for slash in ("", "/"):
                old = (await kit.anonymous.get(f"/api/v1/instance{slash}")).json()
                new = (await kit.anonymous.get(f"/api/v2/instance{slash}")).json()
            assert old["uri"] == new["domain"] == "localhost:3000"
            assert (
                old["urls"]["streaming_api"] == new["configuration"]["urls"]["streaming"] == "ws://localhost:3000"
            )
            assert old["version"].startswith("4.3.0 (compatible; Rostra ")
            assert new["api_versions"]["mastodon"] >= 2, "wire rule 20"
            assert new["configuration"]["statuses"]["max_characters"] == 500
            assert new["configuration"]["vapid"]["public_key"]
            assert (old["stats"]["user_count"], new["registrations"]["enabled"]) == (1, True)
            assert new["contact"]["account"]["username"] == old["contact_account"]["username"] == "octavia"
            assert new["contact"]["account"]["roles"] == [{"id": "3", "name": "Owner", "color": ""}]

    run(test)


def test_a_site_behind_tls_streams_over_tls(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path, url="https://rostra.example") as kit:
            told = (await kit.anonymous.get("/api/v2/instance")).json()
            assert told["configuration"]["urls"]["streaming"] == "wss://rostra.example"

    run(test)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/instance/rules", 200),
        ("/api/v1/instance/extended_description", 200),
        ("/api/v1/instance/privacy_policy", 200),
        ("/api/v1/instance/activity", 200),
        ("/api/v1/instance/peers", 200),
        ("/api/v1/instance/languages", 200),
        ("/api/v1/instance/translation_languages", 200),
        ("/api/v1/instance/domain_blocks", 404),
        ("/api/v1/instance/terms_of_service", 404),
        ("/api/v1/custom_emojis", 200),
        ("/.well-known/oauth-authorization-server", 200),
        ("/.well-known/nodeinfo", 200),
        ("/nodeinfo/2.0", 200),
        ("/.well-known/webfinger?resource=acct:nobody@localhost:3000", 404),
        ("/.well-known/webfinger?resource=acct:ann@elsewhere.example", 404),
        ("/.well-known/webfinger", 404),
    ],
)
def test_what_is_asked_about_the_site_is_answered(
    database_url: str, tmp_path: Path, path: str, status: int
) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            answer = await kit.anonymous.get(path)
            assert answer.status_code == status, answer.text
            assert answer.json() is not None

    run(test)


def test_somebody_is_found_by_their_address(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            await kit.account("Ann")
            meta = await kit.anonymous.get("/.well-known/host-meta")
            assert "http://localhost:3000/.well-known/webfinger?resource={uri}" in meta.text
            for resource in ("acct:ann@localhost:3000", "http://localhost:3000/@ann"):
                found = await kit.anonymous.get("/.well-known/webfinger", params={"resource": resource})
                assert found.headers["content-type"] == "application/jrd+json"
                assert found.json()["subject"] == "acct:Ann@localhost:3000"
                assert found.json()["links"][0]["href"] == "http://localhost:3000/@Ann"

    run(test)


def test_a_load_balancer_is_told_that_all_is_well(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            told = await kit.anonymous.get("/health")
            assert (told.status_code, told.text, told.headers["cache-control"]) == (200, "OK", "no-store")

    run(test)


def test_who_has_no_pictures_is_shown_with_one_that_is_there(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann = await kit.person("ann")
            me = (await ann.get("/api/v1/accounts/verify_credentials")).json()
            for picture in (me["avatar"], me["header"]):
                shown = await kit.anonymous.get(picture)
                assert shown.content.startswith(b"\x89PNG"), picture

    run(test)


def test_the_directory_has_those_who_want_to_be_found(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            for name in ("ann", "bob"):
                await kit.account(name)
            await kit.account("shy", discoverable=False)
            found = (await kit.anonymous.get("/api/v1/directory", params={"order": "new"})).json()
            assert [each["username"] for each in found] == ["bob", "ann"]
            second = await kit.anonymous.get("/api/v1/directory", params={"order": "new", "offset": 1, "limit": 1})
            assert [each["username"] for each in second.json()] == ["ann"]

    run(test)


def test_friends_of_friends_are_suggested_until_they_are_dismissed(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ids = {name: await kit.account(name) for name in ("ann", "bob", "cat")}
            ann, bob = kit.client(await kit.token(ids["ann"])), kit.client(await kit.token(ids["bob"]))
            await bob.post(f"/api/v1/accounts/{ids['cat']}/follow")
            await ann.post(f"/api/v1/accounts/{ids['bob']}/follow")
            told = (await ann.get("/api/v2/suggestions")).json()
            assert [(each["account"]["username"], each["sources"]) for each in told] == [
                ("cat", ["friends_of_friends"])
            ]
            known = await ann.get("/api/v1/accounts/familiar_followers", params={"id[]": [ids["cat"]]})
            assert [each["username"] for each in known.json()[0]["accounts"]] == ["bob"]
            await ann.delete(f"/api/v1/suggestions/{ids['cat']}")
            assert (await ann.get("/api/v2/suggestions")).json() == []

    run(test)


def test_servers_are_blocked_and_unblocked(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann = await kit.person("ann")
            for domain in ("Bad.example", "worse.example"):
                assert (await ann.post("/api/v1/domain_blocks", json={"domain": domain})).json() == {}
            assert (await ann.get("/api/v1/domain_blocks")).json() == ["worse.example", "bad.example"]
            await ann.request("DELETE", "/api/v1/domain_blocks", json={"domain": "bad.example"})
            assert (await ann.get("/api/v1/domain_blocks")).json() == ["worse.example"]
            for bad in ("", "no domain", "<script>", "x" * 300):
                assert (await ann.post("/api/v1/domain_blocks", json={"domain": bad})).status_code == 422

    run(test)
