"""Search: what is found by its words, by whom, and that no query does more than search."""

from pathlib import Path

import pytest

from bus_server import run
from site_kit import site_kit
from site_posts import POSTS, account_id, follow, get, ids, post

SEARCH = "/api/v2/search"


def test_posts_are_found_by_their_words_as_soon_as_they_are_written(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob = await kit.person("ann"), await kit.person("bob")
            await follow(kit, bob, "ann")

            async def found(words: str, **more: object) -> list[str]:
                values = {"q": words, "type": "statuses", **more}
                answer = await bob.get(SEARCH, params={key: str(value) for key, value in values.items()})
                assert answer.status_code == 200, answer.text
                return ids(answer.json()["statuses"])

            one = await post(ann, "The quick brown Fox")
            two = await post(ann, "a slow fox", spoiler_text="warned")
            own = await post(bob, "my fox", visibility="private")
            assert await found("fox") == ids([own, two, one])
            assert await found("QUICK fox") == [one["id"]]
            assert await found("warned") == [two["id"]]
            assert await found("cat") == []
            assert await found("fox", limit=1, offset=1) == [two["id"]]
            assert await found("fox", max_id=two["id"]) == [one["id"]]
            assert await found("fox", account_id=await account_id(kit, "bob")) == [own["id"]]
            assert await found("fox", following="true") == ids([two, one])
            (await ann.put(f"{POSTS}/{one['id']}", json={"status": "a cat"})).raise_for_status()
            assert (await found("cat"), await found("quick")) == ([one["id"]], [])
            (await ann.delete(f"{POSTS}/{one['id']}")).raise_for_status()
            assert await found("cat") == []

    run(test)


def test_who_does_not_want_to_be_found_is_not(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob = await kit.person("ann", indexable=False), await kit.person("bob")
            await post(ann, "secret words")
            assert (await get(bob, f"{SEARCH}?q=secret&type=statuses"))["statuses"] == []
            assert len((await get(ann, f"{SEARCH}?q=secret&type=statuses"))["statuses"]) == 1

    run(test)


@pytest.mark.parametrize(
    "words",
    [
        '"',
        "'",
        "fox OR",
        "NEAR(",
        "*",
        "fox*",
        "text:fox",
        "-fox",
        "^",
        "a AND (",
        "; DROP TABLE statuses",
        "%",
        "\\",
    ],
)
def test_whatever_is_typed_is_taken_for_words(database_url: str, tmp_path: Path, words: str) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann = await kit.person("ann")
            await post(ann, "a brown bear")
            answer = await ann.get(SEARCH, params={"q": words})
            assert (answer.status_code, answer.json()["statuses"]) == (200, [])

    run(test)


def test_a_sign_before_a_name_says_what_is_meant(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann = await kit.person("Ann")
            status = await post(ann, "ann says #announce #annual #other")
            found = await get(ann, f"{SEARCH}?q=ann")
            assert [each["username"] for each in found["accounts"]] == ["Ann"]
            assert ids(found["statuses"]) == [status["id"]]
            assert [each["name"] for each in found["hashtags"]] == ["announce", "annual"]
            found = await get(ann, f"{SEARCH}?q=%23ANN")
            assert ([each["name"] for each in found["hashtags"]], found["accounts"]) == (["announce", "annual"], [])
            for name in ("@ann", "@ANN@localhost:3000", "ann@localhost:3000"):
                found = await get(ann, f"{SEARCH}?q={name}&resolve=true&type=accounts")
                assert [each["username"] for each in found["accounts"]] == ["Ann"]
                assert (found["statuses"], found["hashtags"]) == ([], [])
            for url in (status["url"], status["uri"]):
                assert ids((await get(ann, f"{SEARCH}?q={url}&resolve=true"))["statuses"]) == [status["id"]]

    run(test)


@pytest.mark.parametrize(
    ("query", "status"),
    [("", 400), ("q=", 400), (f"q={'x' * 501}", 422), ("q=a&type=people", 422), ("q=a&offset=x", 422)],
)
def test_a_query_that_is_none_is_refused(database_url: str, tmp_path: Path, query: str, status: int) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann = await kit.person("ann")
            answer = await ann.get(f"{SEARCH}?{query}")
            assert (answer.status_code, answer.json().keys()) == (status, {"error"})

    run(test)


def test_visitors_may_search_but_not_page_or_look_up(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            await post(await kit.person("ann"), "words")
            assert len((await get(kit.anonymous, f"{SEARCH}?q=words"))["statuses"]) == 1
            for more in ("offset=1", "resolve=true"):
                assert (await kit.anonymous.get(f"{SEARCH}?q=words&{more}")).status_code == 401
            narrow = await kit.person("bob", scopes="read:statuses")
            assert (await narrow.get(f"{SEARCH}?q=words")).status_code == 403

    run(test)
