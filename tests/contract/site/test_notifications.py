"""Notifications over the API: what is read, in which order and groups, counted, dismissed, kept apart."""

from pathlib import Path
from typing import Any

import httpx2
import pytest

from bus_server import run
from rostra.site.database.tables.people import Account
from rostra.site.timelines import filters
from site_kit import Kit, site_kit

_PATH = "/api/v1/notifications"


async def _post(client: httpx2.AsyncClient, status: str, **values: Any) -> dict[str, Any]:
    answer = await client.post("/api/v1/statuses", json={"status": status, **values})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def _get(client: httpx2.AsyncClient, path: str, **query: Any) -> Any:
    answer = await client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def _people(kit: Kit, *names: str) -> list[httpx2.AsyncClient]:
    return [await kit.person(name) for name in names]


def test_mentions_favourites_and_boosts_are_read_newest_first_by_kind_and_by_sender(
    database_url: str, tmp_path: Path
) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob, cid = await _people(kit, "ann", "bob", "cid")
            mine = await _post(ann, "hello")
            mention = await _post(bob, "@ann hello")
            await bob.post(f"/api/v1/statuses/{mine['id']}/favourite")
            await cid.post(f"/api/v1/statuses/{mine['id']}/reblog")
            found = await _get(ann, _PATH)
            assert [each["type"] for each in found] == ["reblog", "favourite", "mention"]
            assert [each["status"]["id"] for each in found] == [mine["id"], mine["id"], mention["id"]]
            assert found[0]["account"]["username"] == "cid"
            assert [each["type"] for each in await _get(ann, _PATH, **{"types[]": "mention"})] == ["mention"]
            rest = await _get(ann, _PATH, **{"exclude_types[]": ["mention", "reblog"]})
            assert [each["type"] for each in rest] == ["favourite"]
            of_cid = await _get(ann, _PATH, account_id=found[0]["account"]["id"])
            assert [each["type"] for each in of_cid] == ["reblog"]
            page = await ann.get(_PATH, params={"limit": 2})
            assert page.headers["link"].startswith(f"<http://localhost:3000{_PATH}?limit=2&max_id=")
            assert await _get(ann, f"{_PATH}/{found[1]['id']}") == found[1]
            assert (await bob.get(f"{_PATH}/{found[1]['id']}")).status_code == 404

    run(test)


def test_what_is_unread_is_counted_from_the_marker_and_what_is_dismissed_is_gone(
    database_url: str, tmp_path: Path
) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob = await _people(kit, "ann", "bob")
            for each in ("one", "two", "three"):
                await _post(bob, f"@ann {each}")
            ids = [each["id"] for each in await _get(ann, _PATH)]
            assert await _get(ann, f"{_PATH}/unread_count") == {"count": 3}
            assert await _get(ann, f"{_PATH}/unread_count", limit=2) == {"count": 2}
            marked = await ann.post("/api/v1/markers", json={"notifications": {"last_read_id": ids[1]}})
            assert marked.json()["notifications"]["last_read_id"] == ids[1]
            assert await _get(ann, f"{_PATH}/unread_count") == {"count": 1}
            assert (await bob.post(f"{_PATH}/{ids[0]}/dismiss")).status_code == 404
            assert (await ann.post(f"{_PATH}/{ids[0]}/dismiss")).json() == {}
            assert [each["id"] for each in await _get(ann, _PATH)] == ids[1:]
            assert (await ann.post(f"{_PATH}/clear")).json() == {}
            assert await _get(ann, _PATH) == []

    run(test)


def test_what_is_about_a_deleted_post_or_from_somebody_blocked_since_is_not_shown(
    database_url: str, tmp_path: Path
) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob, cid = await _people(kit, "ann", "bob", "cid")
            gone = await _post(bob, "@ann gone")
            await _post(cid, "@ann blocked")
            kept = await _post(bob, "@ann kept")
            await bob.delete(f"/api/v1/statuses/{gone['id']}")
            (found, blocked) = await _get(ann, _PATH)
            assert (found["status"]["id"], blocked["account"]["username"]) == (kept["id"], "cid")
            await ann.post(f"/api/v1/accounts/{blocked['account']['id']}/block")
            assert [each["id"] for each in await _get(ann, _PATH)] == [found["id"]]

    run(test)


def test_favourites_of_one_post_are_one_group_whose_accounts_are_listed(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob, cid = await _people(kit, "ann", "bob", "cid")
            mine = await _post(ann, "hello")
            for each in (bob, cid):
                await each.post(f"/api/v1/statuses/{mine['id']}/favourite")
            await _post(bob, "@ann hello")
            page = await _get(ann, "/api/v2/notifications", expand_accounts="partial_avatars")
            mention, favourites = page["notification_groups"]
            assert (mention["type"], mention["group_key"].startswith("ungrouped-")) == ("mention", True)
            assert (favourites["type"], favourites["notifications_count"]) == ("favourite", 2)
            assert favourites["status_id"] == mine["id"]
            assert len(favourites["sample_account_ids"]) == 2
            whole = {each["username"] for each in page["accounts"]}
            assert whole == {"bob", "cid"}, "the newest of each group"
            assert page["partial_accounts"] == []
            path = f"/api/v2/notifications/{favourites['group_key']}"
            assert [each["username"] for each in await _get(ann, f"{path}/accounts")] == ["cid", "bob"]
            assert (await _get(ann, path))["notification_groups"] == [favourites]
            assert await _get(ann, "/api/v2/notifications/unread_count") == {"count": 2}
            alone = await _get(ann, "/api/v2/notifications", **{"grouped_types[]": "follow"})
            assert len(alone["notification_groups"]) == 3
            older = await _get(ann, "/api/v2/notifications", limit=1, max_id=mention["page_max_id"])
            assert older["notification_groups"] == [favourites]
            assert (await ann.post(f"{path}/dismiss")).json() == {}
            assert (await ann.get(path)).status_code == 404
            assert (await ann.get("/api/v2/notifications", params={"expand_accounts": "some"})).status_code == 400
            for wrong in ("%00", "none", "%E2%80%AE"):
                assert (await ann.get(f"/api/v2/notifications/{wrong}")).status_code == 404
            assert (await ann.get(f"{_PATH}?types[]=%00")).status_code == 422

    run(test)


def test_the_policy_keeps_strangers_apart_until_they_are_accepted(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob, cid = await _people(kit, "ann", "bob", "cid")
            policy = "/api/v2/notifications/policy"
            assert (await _get(ann, policy))["for_private_mentions"] == "filter"
            assert (await ann.patch(policy, json={"for_not_following": "perhaps"})).status_code == 422
            changed = await ann.patch(policy, json={"for_not_following": "filter"})
            assert (changed.json()["for_not_following"], changed.json()["for_not_followers"]) == (
                "filter",
                "accept",
            )
            await _post(bob, "@ann one")
            last = await _post(bob, "@ann two")
            await _post(cid, "@ann three")
            assert await _get(ann, _PATH) == []
            summary = {"pending_requests_count": 2, "pending_notifications_count": 3}
            assert (await _get(ann, policy))["summary"] == summary
            of_cid, of_bob = await _get(ann, f"{_PATH}/requests")
            assert (of_bob["notifications_count"], of_bob["last_status"]["id"]) == ("2", last["id"])
            assert await _get(ann, f"{_PATH}/requests/{of_bob['id']}") == of_bob
            assert (await ann.post(f"{_PATH}/requests/{of_bob['id']}/accept")).json() == {}
            assert len(await _get(ann, _PATH)) == 2
            await _post(bob, "@ann four")
            assert len(await _get(ann, _PATH)) == 3
            assert (await ann.post(f"{_PATH}/requests/dismiss", json={"id": [of_cid["id"]]})).json() == {}
            assert await _get(ann, f"{_PATH}/requests") == []
            assert (await ann.post(f"{_PATH}/requests/{of_cid['id']}/accept")).status_code == 404
            assert await _get(ann, f"{_PATH}/requests/merged") == {"merged": True}

    run(test)


def test_a_filter_that_hides_a_word_hides_its_notification(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann_id, bob = await kit.account("ann"), await kit.person("bob")
            ann = kit.client(await kit.token(ann_id))
            async with kit.site.writing() as work:
                spoiler = filters.Keyword(None, "spoiler", whole_word=True)
                await filters.create(
                    work, ann_id, title="x", contexts=["notifications"], action="hide", keywords=[spoiler]
                )
            await _post(bob, "@ann a spoiler")
            await _post(bob, "@ann nothing")
            assert len(await _get(ann, _PATH)) == 1

    run(test)


@pytest.mark.parametrize("path", [_PATH, f"{_PATH}/unread_count", "/api/v2/notifications", f"{_PATH}/requests"])
def test_notifications_are_for_their_reader_with_a_token_that_may(
    database_url: str, tmp_path: Path, path: str
) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            assert (await kit.anonymous.get(path)).status_code == 401
            narrow = await kit.person("ann", scopes="read:statuses")
            assert (await narrow.get(path)).status_code == 403

    run(test)


def test_a_marker_that_two_clients_write_counts_its_versions(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann = await kit.person("ann")
            assert await _get(ann, "/api/v1/markers", **{"timeline[]": ["home", "notifications"]}) == {}
            for version in (1, 2):
                answer = await ann.post("/api/v1/markers", data={"home[last_read_id]": "7"})
                assert answer.json()["home"]["version"] == version
            found = await _get(ann, "/api/v1/markers", **{"timeline[]": ["home", "no such"]})
            assert found["home"]["last_read_id"] == "7"

    run(test)


def test_an_account_that_is_deleted_takes_its_notifications_along(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob = await _people(kit, "ann", "bob")
            await _post(bob, "@ann hello")
            (found,) = await _get(ann, _PATH)
            async with kit.site.writing() as work:
                row = await work.session.get_one(Account, int(found["account"]["id"]))
                row.deleted_at = work.now
            assert await _get(ann, _PATH) == []

    run(test)
