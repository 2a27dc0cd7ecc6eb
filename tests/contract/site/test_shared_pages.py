"""Pages that visitors share: made once, kept by caches, and never behind what was posted."""

from pathlib import Path

from bus_server import run
from site_kit import site_kit
from site_posts import POSTS, act, get, ids, post

PUBLIC = "/api/v1/timelines/public"


def test_a_visitor_sees_each_change_at_once_and_caches_may_keep_it(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob = await kit.person("ann"), await kit.person("bob")
            status = await post(ann, "1")
            first = await kit.anonymous.get(PUBLIC)
            assert first.headers["cache-control"] == "public, max-age=10, stale-while-revalidate=30"
            assert "authorization" in first.headers["vary"].lower()
            etag = first.headers["etag"]
            again = await kit.anonymous.get(PUBLIC, headers={"If-None-Match": etag})
            assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
            newer = await post(ann, "2")
            changed = await kit.anonymous.get(PUBLIC, headers={"If-None-Match": etag})
            assert (changed.status_code, ids(changed.json())) == (200, ids([newer, status]))
            (await ann.put(f"{POSTS}/{status['id']}", json={"status": "edited"})).raise_for_status()
            assert (await get(kit.anonymous, PUBLIC))[1]["content"] == "<p>edited</p>"
            (await ann.delete(f"{POSTS}/{newer['id']}")).raise_for_status()
            assert ids(await get(kit.anonymous, PUBLIC)) == [status["id"]]
            await act(bob, status, "favourite")
            kit.clock.pass_(seconds=1)
            assert (await get(kit.anonymous, PUBLIC))[0]["favourites_count"] == 1

    run(test)


def test_what_somebody_sees_is_kept_by_nobody(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann = await kit.person("ann")
            status = await post(ann, "1", visibility="private")
            for path in (PUBLIC, f"/api/v1/accounts/{status['account']['id']}/statuses"):
                await kit.anonymous.get(path)
                mine = await ann.get(path)
                assert mine.headers["cache-control"] == "private, no-store"
                assert await get(kit.anonymous, path) == []
            assert ids(mine.json()) == [status["id"]]

    run(test)


def test_counts_that_change_are_seen_by_who_changed_them(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob = await kit.person("ann"), await kit.person("bob")
            status = await post(ann, "1")
            for count in (1, 2):
                who = (ann, bob)[count - 1]
                assert (await act(who, status, "favourite"))["favourites_count"] == count
                assert (await get(kit.anonymous, f"{POSTS}/{status['id']}"))["favourites_count"] == count

    run(test)
