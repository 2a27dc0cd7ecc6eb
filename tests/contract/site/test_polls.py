"""Polls: what may be voted, what is counted, what is shown when."""

import asyncio
from pathlib import Path
from typing import Any

import httpx2
import pytest

from bus_server import run
from site_kit import site_kit
from site_posts import POSTS, get, notified, post


async def poll(client: httpx2.AsyncClient, **values: Any) -> dict[str, Any]:
    status = await post(client, "which?", poll={"options": ["a", "b", "c"], "expires_in": 600, **values})
    found: dict[str, Any] = status["poll"]
    return found


async def vote(client: httpx2.AsyncClient, poll_id: str, *choices: object) -> httpx2.Response:
    return await client.post(f"/api/v1/polls/{poll_id}/votes", json={"choices": list(choices)})


def test_a_vote_is_counted_once_and_known_to_its_voter(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob = await kit.person("ann"), await kit.person("bob")
            made = await poll(ann)
            assert (made["voted"], made["own_votes"], made["expired"], made["multiple"]) == (True, [], False, False)
            voted = (await vote(bob, made["id"], "1")).json()
            assert (voted["votes_count"], voted["voters_count"], voted["own_votes"]) == (1, 1, [1])
            assert [each["votes_count"] for each in voted["options"]] == [0, 1, 0]
            again = await vote(bob, made["id"], 2)
            assert (again.status_code, again.json()) == (
                422,
                {"error": "Validation failed: You have already voted on this poll"},
            )
            seen = await get(kit.anonymous, f"/api/v1/polls/{made['id']}")
            assert "voted" not in seen
            assert seen["votes_count"] == 1

    run(test)


@pytest.mark.parametrize(
    ("choices", "says"),
    [
        ([], "The chosen vote option does not exist"),
        ([3], "The chosen vote option does not exist"),
        ([-1], "The chosen vote option does not exist"),
        (["x"], "The chosen vote option does not exist"),
        (["99999999999999999999"], "The chosen vote option does not exist"),
        ([0, 1], "You have already voted on this poll"),
    ],
)
def test_a_wrong_choice_is_refused_and_not_counted(
    database_url: str, tmp_path: Path, choices: list[object], says: str
) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob = await kit.person("ann"), await kit.person("bob")
            made = await poll(ann)
            answer = await vote(bob, made["id"], *choices)
            assert (answer.status_code, says in answer.json()["error"]) == (422, True)
            assert (await get(bob, f"/api/v1/polls/{made['id']}"))["votes_count"] == 0

    run(test)


def test_who_may_not_vote_is_told(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob = await kit.person("ann"), await kit.person("bob")
            made = await poll(ann)
            assert "your own polls" in (await vote(ann, made["id"], 0)).json()["error"]
            assert (await vote(kit.anonymous, made["id"], 0)).status_code == 401
            assert (await vote(bob, "1", 0)).status_code == 404
            private = await post(ann, "?", visibility="private", poll={"options": ["a", "b"], "expires_in": 600})
            assert (await vote(bob, private["poll"]["id"], 0)).status_code == 404
            kit.clock.pass_(minutes=11)
            assert "already ended" in (await vote(bob, made["id"], 0)).json()["error"]

    run(test)


def test_several_choices_count_one_voter(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob = await kit.person("ann"), await kit.person("bob")
            made = await poll(ann, multiple=True)
            voted = (await vote(bob, made["id"], 0, 2, 2)).json()
            assert (voted["votes_count"], voted["voters_count"], voted["own_votes"]) == (2, 1, [0, 2])

    run(test)


def test_where_several_may_be_chosen_they_may_be_chosen_one_after_the_other(
    database_url: str, tmp_path: Path
) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob = await kit.person("ann"), await kit.person("bob")
            made = await poll(ann, multiple=True)
            await vote(bob, made["id"], 2)
            voted = (await vote(bob, made["id"], 0)).json()
            assert (voted["votes_count"], voted["voters_count"], voted["own_votes"]) == (2, 1, [2, 0])
            for again in ([0], [1, 2]):
                refused = await vote(bob, made["id"], *again)
                assert refused.status_code == 422, again

    run(test)


def test_votes_at_the_same_instant_are_all_counted(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann = await kit.person("ann")
            voters = [await kit.person(f"voter{number}") for number in range(6)]
            made = await poll(ann)
            async with asyncio.TaskGroup() as tasks:
                for voter in [*voters, *voters]:  # and each of them twice
                    tasks.create_task(vote(voter, made["id"], 0), name="vote")
            after = await get(ann, f"/api/v1/polls/{made['id']}")
            assert (after["votes_count"], after["voters_count"]) == (6, 6)

    run(test)


def test_totals_are_hidden_until_the_end_and_who_took_part_hears_of_it(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob = await kit.person("ann"), await kit.person("bob")
            made = await poll(ann, hide_totals=True)
            voted = (await vote(bob, made["id"], 0)).json()
            assert [each["votes_count"] for each in voted["options"]] == [None, None, None]
            kit.clock.pass_(minutes=11)
            await kit.do_jobs()
            ended = await get(bob, f"/api/v1/polls/{made['id']}")
            assert (ended["expired"], [each["votes_count"] for each in ended["options"]]) == (True, [1, 0, 0])
            assert (await notified(kit, "ann"), await notified(kit, "bob")) == (["poll"], ["poll"])

    run(test)


def test_an_edit_of_the_options_begins_anew(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob = await kit.person("ann"), await kit.person("bob")
            status = await post(ann, "which?", poll={"options": ["a", "b"], "expires_in": 600})
            await vote(bob, status["poll"]["id"], 0)
            same = {"status": "which one?", "poll": {"options": ["a", "b"], "expires_in": 900}}
            kept = (await ann.put(f"{POSTS}/{status['id']}", json=same)).json()
            assert (kept["poll"]["id"], kept["poll"]["votes_count"]) == (status["poll"]["id"], 1)
            other = {"status": "which one?", "poll": {"options": ["a", "c"], "expires_in": 900}}
            anew = (await ann.put(f"{POSTS}/{status['id']}", json=other)).json()
            assert anew["poll"]["votes_count"] == 0
            assert (await vote(bob, anew["poll"]["id"], 1)).status_code == 200
            history = await get(bob, f"{POSTS}/{status['id']}/history")
            assert [[each["title"] for each in version["poll"]["options"]] for version in history] == [
                ["a", "b"],
                ["a", "b"],
                ["a", "c"],
            ]
            without = (await ann.put(f"{POSTS}/{status['id']}", json={"status": "no poll"})).json()
            assert without["poll"] is None

    run(test)
