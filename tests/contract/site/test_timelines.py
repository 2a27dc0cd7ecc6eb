"""Timelines: what stands in them, how they are paged, what a filter takes out."""

import re
from pathlib import Path

import pytest
from sqlalchemy import select

from bus_server import run
from rostra.site.database.tables.graph import Follow
from site_kit import site_kit
from site_posts import POSTS, account_id, act, follow, get, ids, picture, post

HOME = "/api/v1/timelines/home"
PUBLIC = "/api/v1/timelines/public"


def test_home_has_what_one_follows_and_answers_only_among_them(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob, eve = [await kit.person(name) for name in ("ann", "bob", "eve")]
            await follow(kit, ann, "bob")
            hidden = await post(eve, "by a stranger")
            own = await post(ann, "own")
            one = await post(bob, "by whom one follows")
            boost = await act(bob, hidden, "reblog")
            await post(bob, "to a stranger", in_reply_to_id=hidden["id"])
            to_me = await post(bob, "to me", in_reply_to_id=own["id"])
            thread = await post(bob, "on", in_reply_to_id=one["id"])
            assert ids(await get(ann, HOME)) == ids([thread, to_me, boost, one, own])
            async with kit.site.writing() as work:
                (row,) = await work.session.scalars(select(Follow))
                row.reblogs, row.languages = False, ["nl"]
            await post(bob, "english", language="en")
            dutch = await post(bob, "nederlands", language="nl")
            assert ids(await get(ann, HOME)) == ids([dutch, thread, to_me, one, own])

    run(test)


def test_a_followed_hashtag_is_at_home(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob = await kit.person("ann"), await kit.person("bob")
            status = await post(bob, "#Talk")
            await post(bob, "#talk", visibility="unlisted")
            assert await get(ann, HOME) == []
            tag = (await ann.post("/api/v1/tags/Talk/follow")).json()
            assert (tag["name"], tag["following"]) == ("talk", True)
            assert ids(await get(ann, HOME)) == [status["id"]]
            assert [each["name"] for each in await get(ann, "/api/v1/followed_tags")] == ["talk"]
            await ann.post("/api/v1/tags/talk/unfollow")
            assert await get(ann, HOME) == []
            assert (await ann.post("/api/v1/tags/12/follow")).status_code == 422

    run(test)


def test_public_has_no_boosts_and_no_answers_to_others(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob = await kit.person("ann"), await kit.person("bob")
            status = await post(ann, "1")
            await act(bob, status, "reblog")
            await post(bob, "2", in_reply_to_id=status["id"])
            thread = await post(ann, "3", in_reply_to_id=status["id"])
            seen = await post(ann, "", media_ids=[str(await picture(kit, "ann"))])
            assert ids(await get(kit.anonymous, PUBLIC)) == ids([seen, thread, status])
            assert ids(await get(kit.anonymous, f"{PUBLIC}?only_media=1")) == [seen["id"]]
            assert await get(kit.anonymous, f"{PUBLIC}?remote=true") == []
            assert len(await get(kit.anonymous, f"{PUBLIC}?local=True")) == 3

    run(test)


def test_hashtags_any_all_and_none(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann = await kit.person("ann")
            a, b, ab = [await post(ann, text) for text in ("#a", "#b", "#a #b")]
            base = "/api/v1/timelines/tag"
            assert ids(await get(kit.anonymous, f"{base}/A")) == ids([ab, a])
            assert ids(await get(kit.anonymous, f"{base}/a?any[]=b")) == ids([ab, b, a])
            assert ids(await get(kit.anonymous, f"{base}/a?all[]=b")) == ids([ab])
            assert ids(await get(kit.anonymous, f"{base}/a?none[]=b")) == ids([a])
            assert await get(kit.anonymous, f"{base}/{'x' * 300}") == []

    run(test)


@pytest.mark.parametrize("path", [HOME, PUBLIC, "/api/v1/timelines/tag/t", "/api/v1/accounts/ANN/statuses"])
def test_pages_follow_each_other_both_ways(database_url: str, tmp_path: Path, path: str) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann = await kit.person("ann")
            posts = ids([await post(ann, f"{number} #t") for number in range(7)])[::-1]
            address = path.replace("ANN", str(await account_id(kit, "ann")))
            url: str | None = f"{address}?limit=3"
            pages = []
            while url:
                answer = await ann.get(url)
                pages.append(ids(answer.json()))
                header = answer.headers.get("link", "")
                found = re.match('<([^>]+)>; rel="next"', header)
                url = found[1].removeprefix("http://localhost:3000") if found else None
                back = re.search('<([^>]+)>; rel="prev"', header)
            assert [each for page in pages for each in page] == posts
            assert back is not None
            above = ids((await ann.get(back[1].removeprefix("http://localhost:3000"))).json())
            assert above == posts[3:6], "the page right above, newest first"
            assert ids(await get(ann, f"{address}?since_id={posts[3]}&limit=2")) == posts[:2]
            assert len(await get(ann, f"{address}?limit=1000000&max_id=nonsense")) in {0, 7}
            assert (await ann.get(f"{address}?limit=x")).status_code == 422

    run(test)


def test_an_account_shows_what_is_asked_for(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob = await kit.person("ann"), await kit.person("bob")
            other = await post(bob, "bob's")
            plain = await post(ann, "plain #t")
            answer = await post(ann, "answer", in_reply_to_id=other["id"])
            boost = await act(ann, other, "reblog")
            direct = await post(ann, "@bob", visibility="direct")
            seen = await post(ann, "", media_ids=[str(await picture(kit, "ann"))])
            await act(ann, plain, "pin")
            await act(ann, answer, "pin")
            base = f"/api/v1/accounts/{plain['account']['id']}/statuses"
            assert ids(await get(ann, base)) == ids([seen, direct, boost, answer, plain])
            assert ids(await get(kit.anonymous, base)) == ids([seen, boost, answer, plain])
            assert ids(await get(ann, f"{base}?exclude_direct=true")) == ids([seen, boost, answer, plain])
            assert ids(await get(kit.anonymous, f"{base}?exclude_replies=True")) == ids([seen, boost, plain])
            assert ids(await get(kit.anonymous, f"{base}?exclude_reblogs=1")) == ids([seen, answer, plain])
            assert ids(await get(kit.anonymous, f"{base}?only_media=true")) == ids([seen])
            assert ids(await get(kit.anonymous, f"{base}?pinned=true")) == ids([answer, plain])
            assert ids(await get(kit.anonymous, f"{base}?tagged=T")) == ids([plain])
            assert (await kit.anonymous.get("/api/v1/accounts/1/statuses")).status_code == 404

    run(test)


def test_bookmarks_and_favourites_are_in_the_order_of_the_act(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob = await kit.person("ann"), await kit.person("bob")
            one, two, three = [await post(bob, text) for text in "abc"]
            for verb, path in (("bookmark", "bookmarks"), ("favourite", "favourites")):
                for status in (two, three, one):
                    await act(ann, status, verb)
                assert ids(await get(ann, f"/api/v1/{path}")) == ids([one, three, two])
                answer = await ann.get(f"/api/v1/{path}?limit=2")
                assert ids(answer.json()) == ids([one, three])
                following = re.match('<http://localhost:3000([^>]+)>; rel="next"', answer.headers["link"])
                assert following is not None
                assert ids(await get(ann, following[1])) == ids([two])

    run(test)


def test_direct_threads_know_who_is_in_and_what_is_unread(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob = await kit.person("ann"), await kit.person("bob")
            path = "/api/v1/conversations"
            first = await post(ann, "hi @bob", visibility="direct")
            (mine,), (theirs,) = await get(ann, path), await get(bob, f"{path}/")
            assert (mine["unread"], theirs["unread"]) == (False, True)
            assert [each["username"] for each in theirs["accounts"]] == ["ann"]
            assert theirs["last_status"]["id"] == first["id"]
            second = await post(bob, "@ann yes", visibility="direct", in_reply_to_id=first["id"])
            (mine,) = await get(ann, path)
            assert (mine["unread"], mine["last_status"]["id"]) == (True, second["id"])
            assert (await ann.post(f"{path}/{mine['id']}/read")).json()["unread"] is False
            assert (await bob.post(f"{path}/{mine['id']}/read")).status_code == 404
            await bob.delete(f"{POSTS}/{second['id']}")
            (mine,) = await get(ann, path)
            assert mine["last_status"]["id"] == first["id"]
            assert (await ann.delete(f"{path}/{mine['id']}")).json() == {}
            assert await get(ann, path) == []
            await ann.delete(f"{POSTS}/{first['id']}")
            assert await get(bob, path) == []

    run(test)


def test_hashtags_are_featured_counted_and_suggested(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob = await kit.person("ann"), await kit.person("bob")
            await post(ann, "#Talk #other")
            await post(bob, "#talk")
            found = await get(kit.anonymous, "/api/v1/tags/TALK")
            assert found["history"][0] == {"day": "1795219200", "uses": "2", "accounts": "2"}
            assert len(found["history"]) == 7
            assert (await get(kit.anonymous, "/api/v1/tags/none"))["history"] == []
            featured = (await ann.post("/api/v1/featured_tags", json={"name": "Talk"})).json()
            assert (featured["name"], featured["statuses_count"]) == ("Talk", "1")
            assert featured["last_status_at"] == "2026-11-21"
            assert [each["name"] for each in await get(ann, "/api/v1/featured_tags/suggestions")] == ["other"]
            shown = await get(kit.anonymous, f"/api/v1/accounts/{await account_id(kit, 'ann')}/featured_tags")
            assert ids(shown) == [featured["id"]]
            assert (await bob.delete(f"/api/v1/featured_tags/{featured['id']}")).status_code == 404
            assert (await ann.delete(f"/api/v1/featured_tags/{featured['id']}")).json() == {}
            assert (await ann.post("/api/v1/featured_tags", json={"name": "a b"})).status_code == 422
            assert [each["name"] for each in await get(ann, "/api/v1/trends/tags")] == ["talk"]

    run(test)


def test_what_is_liked_by_several_trends(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob, eve = [await kit.person(name) for name in ("ann", "bob", "eve")]
            status = await post(ann, "liked")
            await post(ann, "not so")
            for client in (bob, eve):
                await act(client, status, "favourite")
            assert ids(await get(kit.anonymous, "/api/v1/trends/statuses")) == [status["id"]]
            assert await get(kit.anonymous, "/api/v1/trends/links?limit=3") == []
            assert (await kit.anonymous.get("/api/v1/timelines/link?url=http://a.b")).status_code == 404
            kit.clock.pass_(days=3)
            assert await get(kit.anonymous, "/api/v1/trends/statuses") == []

    run(test)
