"""Follows, requests, blocks, mutes and notes: what each leads to, and what is left when it ends."""

from pathlib import Path
from typing import Any

import httpx2

from bus_server import run
from site_kit import Kit, site_kit


async def _three(kit: Kit, **bob: Any) -> tuple[httpx2.AsyncClient, httpx2.AsyncClient, str, str]:
    ann, bob_id = await kit.account("ann"), await kit.account("bob", **bob)
    return kit.client(await kit.token(ann)), kit.client(await kit.token(bob_id)), str(ann), str(bob_id)


async def _counts(client: httpx2.AsyncClient, account: str) -> tuple[int, int]:
    shown = (await client.get(f"/api/v1/accounts/{account}")).json()
    return shown["following_count"], shown["followers_count"]


def test_a_follow_is_counted_once_listed_and_taken_back(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob, ann_id, bob_id = await _three(kit)
            for _ in range(2):
                relation = (await ann.post(f"/api/v1/accounts/{bob_id}/follow")).json()
                assert relation["following"]
                assert relation["showing_reblogs"]
                assert not relation["requested"]
            changed = await ann.post(f"/api/v1/accounts/{bob_id}/follow", json={"reblogs": False, "notify": True})
            assert (changed.json()["showing_reblogs"], changed.json()["notifying"]) == (False, True)
            assert await _counts(ann, ann_id) == (1, 0)
            assert await _counts(ann, bob_id) == (0, 1)
            followers = await kit.anonymous.get(f"/api/v1/accounts/{bob_id}/followers")
            assert [each["id"] for each in followers.json()] == [ann_id]
            told = (await bob.get("/api/v1/accounts/relationships", params={"id[]": ann_id})).json()
            assert told[0]["followed_by"]
            for _ in range(2):
                assert not (await ann.post(f"/api/v1/accounts/{bob_id}/unfollow")).json()["following"]
            assert await _counts(ann, bob_id) == (0, 0)

    run(test)


def test_who_is_locked_decides_who_follows(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob, ann_id, bob_id = await _three(kit, locked=True)
            relation = (await ann.post(f"/api/v1/accounts/{bob_id}/follow")).json()
            assert (relation["following"], relation["requested"]) == (False, True)
            asking = (await bob.get("/api/v1/follow_requests")).json()
            assert [each["id"] for each in asking] == [ann_id]
            refused = (await bob.post(f"/api/v1/follow_requests/{ann_id}/reject")).json()
            assert not refused["requested_by"]
            gone = await bob.post(f"/api/v1/follow_requests/{ann_id}/authorize")
            assert gone.status_code == 404
            await ann.post(f"/api/v1/accounts/{bob_id}/follow")
            accepted = (await bob.post(f"/api/v1/follow_requests/{ann_id}/authorize")).json()
            assert accepted["followed_by"]
            assert await _counts(ann, bob_id) == (0, 1)

    run(test)


def test_who_is_no_longer_locked_has_accepted_everybody(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob, _, bob_id = await _three(kit, locked=True)
            await ann.post(f"/api/v1/accounts/{bob_id}/follow")
            await bob.patch("/api/v1/accounts/update_credentials", json={"locked": False})
            assert await _counts(ann, bob_id) == (0, 1)

    run(test)


def test_a_block_ends_what_was_between_two_and_hides_the_one_from_the_other(
    database_url: str, tmp_path: Path
) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob, ann_id, bob_id = await _three(kit)
            await ann.post(f"/api/v1/accounts/{bob_id}/follow")
            await bob.post(f"/api/v1/accounts/{ann_id}/follow")
            relation = (await bob.post(f"/api/v1/accounts/{ann_id}/block")).json()
            assert (relation["blocking"], relation["following"], relation["followed_by"]) == (True, False, False)
            assert await _counts(kit.anonymous, ann_id) == (0, 0)
            refused = await ann.post(f"/api/v1/accounts/{bob_id}/follow")
            assert refused.status_code == 403
            assert [each["id"] for each in (await bob.get("/api/v1/blocks")).json()] == [ann_id]
            await bob.post(f"/api/v1/accounts/{ann_id}/unblock")
            assert (await ann.post(f"/api/v1/accounts/{bob_id}/follow")).json()["following"]

    run(test)


def test_a_mute_for_a_time_ends_by_itself(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, _, _, bob_id = await _three(kit)
            relation = (await ann.post(f"/api/v1/accounts/{bob_id}/mute", json={"duration": 60})).json()
            assert (relation["muting"], relation["muting_notifications"]) == (True, True)
            muted = (await ann.get("/api/v1/mutes")).json()
            assert [each["id"] for each in muted] == [bob_id]
            assert muted[0]["mute_expires_at"].endswith("Z")
            kit.clock.pass_(seconds=61)
            told = (await ann.get("/api/v1/accounts/relationships", params={"id": bob_id})).json()
            assert not told[0]["muting"]
            assert (await ann.get("/api/v1/mutes")).json() == []
            for bad in (-1, 10**12):
                refused = await ann.post(f"/api/v1/accounts/{bob_id}/mute", json={"duration": bad})
                assert refused.status_code == 422, bad

    run(test)


def test_nobody_follows_blocks_or_mutes_themselves_or_somebody_who_is_not_there(
    database_url: str, tmp_path: Path
) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, _, ann_id, _ = await _three(kit)
            for act in ("follow", "block", "mute"):
                assert (await ann.post(f"/api/v1/accounts/{ann_id}/{act}")).status_code == 403, act
                assert (await ann.post(f"/api/v1/accounts/7/{act}")).status_code == 404, act
                assert (await ann.post(f"/api/v1/accounts/x/{act}")).status_code == 404, act
                assert (await kit.anonymous.post(f"/api/v1/accounts/{ann_id}/{act}")).status_code == 401, act

    run(test)


def test_pages_of_followers_go_by_the_follow_and_name_the_next_first(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            host = str(await kit.account("host"))
            for n in range(5):
                await (await kit.person(f"fan{n}")).post(f"/api/v1/accounts/{host}/follow")
            path, seen = f"/api/v1/accounts/{host}/followers?limit=2", []
            while path:
                page = await kit.anonymous.get(path)
                seen += [each["username"] for each in page.json()]
                link = page.headers.get("link", "")
                if not link.endswith('rel="prev"') or 'rel="next"' not in link:
                    break
                assert link.index('rel="next"') < link.index('rel="prev"'), "wire rule 1"
                path = link[1 : link.index(">")]
            assert seen == ["fan4", "fan3", "fan2", "fan1", "fan0"]

    run(test)


def test_who_hides_their_circles_shows_them_to_nobody_else(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob, ann_id, bob_id = await _three(kit, hide_collections=True)
            await ann.post(f"/api/v1/accounts/{bob_id}/follow")
            assert (await ann.get(f"/api/v1/accounts/{bob_id}/followers")).json() == []
            assert [each["id"] for each in (await bob.get(f"/api/v1/accounts/{bob_id}/followers")).json()] == [
                ann_id
            ]

    run(test)


def test_notes_and_endorsements_are_kept_for_their_writer(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob, ann_id, bob_id = await _three(kit)
            noted = await ann.post(f"/api/v1/accounts/{bob_id}/note", json={"comment": "met in Utrecht"})
            assert noted.json()["note"] == "met in Utrecht"
            told = (await bob.get("/api/v1/accounts/relationships", params={"id": ann_id})).json()
            assert told[0]["note"] == ""
            early = await ann.post(f"/api/v1/accounts/{bob_id}/pin")
            assert early.status_code == 422, "only whom one follows"
            await ann.post(f"/api/v1/accounts/{bob_id}/follow")
            assert (await ann.post(f"/api/v1/accounts/{bob_id}/pin")).json()["endorsed"]
            assert [each["id"] for each in (await ann.get("/api/v1/endorsements")).json()] == [bob_id]
            ended = await ann.post(f"/api/v1/accounts/{bob_id}/unfollow")
            assert not ended.json()["endorsed"]

    run(test)
