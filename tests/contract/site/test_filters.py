"""Filters: kept in both versions of the API, and applied where they say."""

from pathlib import Path
from typing import Any

import pytest

from bus_server import run
from site_kit import site_kit
from site_posts import POSTS, follow, get, ids, post

V1, V2 = "/api/v1/filters", "/api/v2/filters"


def test_a_filter_warns_of_words_and_posts_and_hides_them(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob = await kit.person("ann"), await kit.person("bob")
            await follow(kit, ann, "bob")
            loud, plain = await post(bob, "the Match!"), await post(bob, "matches are fine")
            poll = await post(bob, "?", poll={"options": ["a match", "b"], "expires_in": 600})
            made = (
                await ann.post(
                    V2,
                    json={
                        "title": "sport",
                        "context": ["home"],
                        "keywords_attributes": [{"keyword": "match", "whole_word": True}],
                    },
                )
            ).json()
            assert (made["filter_action"], made["expires_at"]) == ("warn", None)
            home = await get(ann, "/api/v1/timelines/home")
            assert ids(home) == ids([poll, plain, loud])
            matched = [[each["keyword_matches"] for each in status["filtered"]] for status in home]
            assert matched == [[["match"]], [], [["match"]]]
            (await ann.put(f"{V2}/{made['id']}", json={"filter_action": "hide"})).raise_for_status()
            answer = await ann.get("/api/v1/timelines/home?limit=2")
            assert ids(answer.json()) == [plain["id"]]
            assert f"max_id={plain['id']}" in answer.headers["link"], "the next page begins after what was hidden"
            assert len(await get(ann, "/api/v1/timelines/public")) == 3, "a filter of home hides at home only"
            assert len(await get(bob, "/api/v1/timelines/home")) == 3, "and only for its owner"
            listed = await ann.post(f"{V2}/{made['id']}/statuses", json={"status_id": plain["id"]})
            assert await get(ann, "/api/v1/timelines/home") == []
            assert (await get(ann, f"{POSTS}/{plain['id']}"))["filtered"][0]["status_matches"] == [plain["id"]]
            assert (await ann.delete(f"{V2}/statuses/{listed.json()['id']}")).json() == {}
            assert ids(await get(ann, "/api/v1/timelines/home")) == [plain["id"]]

    run(test)


def test_a_filter_expires(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob = await kit.person("ann"), await kit.person("bob")
            await post(bob, "noise")
            values = {"phrase": "noise", "context": ["public"], "irreversible": True, "expires_in": 3600}
            (await ann.post(V1, json=values)).raise_for_status()
            assert await get(ann, "/api/v1/timelines/public") == []
            kit.clock.pass_(hours=2)
            assert len(await get(ann, "/api/v1/timelines/public")) == 1

    run(test)


def test_both_versions_show_the_same_filters(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob = await kit.person("ann"), await kit.person("bob")
            old = (await ann.post(V1, data={"phrase": "a.b", "context[]": ["home", "thread"]})).json()
            assert (old["phrase"], old["whole_word"], old["irreversible"]) == ("a.b", True, False)
            (new,) = await get(ann, V2)
            assert (new["title"], new["context"], new["keywords"][0]["id"]) == (
                "a.b",
                ["home", "thread"],
                old["id"],
            )
            keyword = (await ann.post(f"{V2}/{new['id']}/keywords", json={"keyword": "c"})).json()
            changed = await ann.put(f"{V2}/keywords/{keyword['id']}", json={"keyword": "d", "whole_word": False})
            assert changed.json() == {"id": keyword["id"], "keyword": "d", "whole_word": False}
            assert [each["phrase"] for each in await get(ann, V1)] == ["a.b", "d"]
            assert (await ann.put(f"{V1}/{keyword['id']}", json={"phrase": "e"})).json()["phrase"] == "e"
            for path in (f"{V2}/{new['id']}", f"{V2}/keywords/{keyword['id']}", f"{V1}/{keyword['id']}"):
                assert (await bob.get(path)).status_code == 404
                assert (await bob.delete(path)).status_code == 404
            for each in (old, keyword):
                assert (await ann.delete(f"{V1}/{each['id']}")).json() == {}
            assert await get(ann, V2) == [], "a filter without keywords is none"

    run(test)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"title": "a"},
        {"title": "", "context": ["home"]},
        {"title": "a" * 201, "context": ["home"]},
        {"title": "a", "context": ["nowhere"]},
        {"title": "a", "context": ["home"], "filter_action": "explode"},
        {"title": "a", "context": ["home"], "expires_in": -1},
        {"title": "a", "context": ["home"], "expires_in": 10**30},
        {"title": "a", "context": ["home"], "keywords_attributes": [{"keyword": ""}]},
        {"title": "a", "context": ["home"], "keywords_attributes": [{"keyword": "a" * 513}]},
        {"title": "a", "context": ["home"], "keywords_attributes": [{"keyword": "a"}] * 201},
    ],
)
def test_a_filter_that_cannot_be_is_refused_whole(
    database_url: str, tmp_path: Path, values: dict[str, Any]
) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann = await kit.person("ann")
            answer = await ann.post(V2, json=values)
            assert (answer.status_code, answer.json().keys()) == (422, {"error"})
            assert await get(ann, V2) == []

    run(test)
