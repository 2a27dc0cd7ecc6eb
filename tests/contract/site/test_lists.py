"""Lists: of whom one follows, read as a timeline of their own."""

from pathlib import Path
from typing import Any

import pytest

from bus_server import run
from site_kit import site_kit
from site_posts import account_id, act, follow, get, ids, post

LISTS = "/api/v1/lists"


def test_a_list_shows_its_members_and_may_take_them_out_of_home(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob, eve = [await kit.person(name) for name in ("ann", "bob", "eve")]
            for name in ("bob", "eve"):
                await follow(kit, ann, name)
            made = (await ann.post(LISTS, json={"title": "friends"})).json()
            assert made == {"id": made["id"], "title": "friends", "replies_policy": "list", "exclusive": False}
            who = {"account_ids": [str(await account_id(kit, "bob"))]}
            assert (await ann.post(f"{LISTS}/{made['id']}/accounts", json=who)).json() == {}
            assert (await ann.post(f"{LISTS}/{made['id']}/accounts", json=who)).status_code == 422
            assert [each["username"] for each in await get(ann, f"{LISTS}/{made['id']}/accounts")] == ["bob"]
            assert ids(await get(ann, f"/api/v1/accounts/{who['account_ids'][0]}/lists")) == [made["id"]]
            other = await post(eve, "eve's")
            own = await post(bob, "bob's")
            boost = await act(bob, other, "reblog")
            answer = await post(bob, "to eve", in_reply_to_id=other["id"])
            timeline = f"/api/v1/timelines/list/{made['id']}"
            assert ids(await get(ann, timeline)) == ids([boost, own])
            for policy, shown in (("followed", [answer, boost, own]), ("none", [boost, own])):
                (await ann.put(f"{LISTS}/{made['id']}", json={"replies_policy": policy})).raise_for_status()
                assert ids(await get(ann, timeline)) == ids(shown)
            assert ids(await get(ann, "/api/v1/timelines/home")) == ids([answer, boost, own, other])
            (await ann.put(f"{LISTS}/{made['id']}", json={"exclusive": True})).raise_for_status()
            assert ids(await get(ann, "/api/v1/timelines/home")) == [other["id"]]
            gone = await ann.request("DELETE", f"{LISTS}/{made['id']}/accounts", json=who)
            assert gone.json() == {}, "a body comes with DELETE (wire rule 6)"
            assert await get(ann, timeline) == []
            assert (await ann.delete(f"{LISTS}/{made['id']}")).json() == {}
            assert await get(ann, LISTS) == []

    run(test)


def test_only_whom_one_follows_and_only_ones_own_list(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob = await kit.person("ann"), await kit.person("bob")
            made = (await ann.post(LISTS, json={"title": "friends"})).json()
            who = {"account_ids": [str(await account_id(kit, "bob"))]}
            refused = await ann.post(f"{LISTS}/{made['id']}/accounts", json=who)
            assert (refused.status_code, refused.json()) == (404, {"error": "Record not found"})
            for path in (f"{LISTS}/{made['id']}", f"{LISTS}/{made['id']}/accounts"):
                assert (await bob.get(path)).status_code == 404
            assert (await bob.get(f"/api/v1/timelines/list/{made['id']}")).status_code == 404
            assert (await bob.put(f"{LISTS}/{made['id']}", json={"title": "mine"})).status_code == 404
            assert (await bob.delete(f"{LISTS}/{made['id']}")).status_code == 404

    run(test)


@pytest.mark.parametrize(
    "values", [{}, {"title": " "}, {"title": "a" * 201}, {"title": "a", "replies_policy": "x"}]
)
def test_a_list_that_cannot_be_is_refused(database_url: str, tmp_path: Path, values: dict[str, Any]) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann = await kit.person("ann")
            assert (await ann.post(LISTS, json=values)).status_code == 422
            assert await get(ann, LISTS) == []

    run(test)
