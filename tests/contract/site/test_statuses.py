"""Posts: written, answered, edited, deleted, boosted, liked, kept and pinned, as Mastodon's clients expect it."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import func, select

from bus_server import run
from rostra.site.database.tables.posts import Status
from rostra.site.events import StatusPosted
from site_kit import site_kit
from site_posts import POSTS, act, get, ids, notified, picture, post


def test_a_post_is_what_clients_expect_and_everybody_sees_it(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann = await kit.person("ann")
            await kit.person("Bob")
            status = await post(ann, "hi @bob, #Rostra #rostra!", spoiler_text="cw", language="nl")
            assert status["content"].startswith('<p>hi <span class="h-card" translate="no"><a href=')
            assert status["url"] == f"http://localhost:3000/@ann/{status['id']}"
            assert status["uri"] == f"http://localhost:3000/users/ann/statuses/{status['id']}"
            assert [each["username"] for each in status["mentions"]] == ["Bob"]
            assert status["tags"] == [{"name": "rostra", "url": "http://localhost:3000/tags/rostra"}]
            assert status["sensitive"] is True, "who warns of a post says that it is sensitive"
            assert (status["language"], status["visibility"], status["reblog"]) == ("nl", "public", None)
            assert status["application"] == {"name": "A test", "website": None}
            assert status["account"]["statuses_count"] == 1
            assert status["favourited"] is False
            anonymous = await get(kit.anonymous, f"{POSTS}/{status['id']}")
            assert "favourited" not in anonymous
            assert anonymous["content"] == status["content"]
            assert any(isinstance(event, StatusPosted) for event in kit.told.events)
            assert await notified(kit, "bob") == ["mention"]

    run(test)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({}, "Text can't be blank"),
        ({"status": " \n "}, "Text can't be blank"),
        ({"status": "a" * 501}, "character limit of 500 exceeded"),
        ({"status": "a" * 400, "spoiler_text": "b" * 101}, "character limit of 500 exceeded"),
        ({"status": "a\u0301" * 100 + "http://a.b/" + "c" * 20_000}, "character limit of 500 exceeded"),
        ({"status": "a", "visibility": "secret"}, "Visibility"),
        ({"status": "a", "media_ids": ["1"]}, "not found or already attached"),
        ({"status": "a", "media_ids": ["x"]}, "not found or already attached"),
        ({"status": "a", "media_ids": ["1", "2", "3", "4", "5"]}, "Cannot attach more than 4 files"),
        ({"status": "a\x00b"}, "NUL"),
        ({"status": {"a": "b"}}, "status is no text"),
        ({"status": "a", "poll": {"options": ["a"], "expires_in": 600}}, "more than one item"),
        ({"status": "a", "poll": {"options": ["a", "a"], "expires_in": 600}}, "duplicate"),
        ({"status": "a", "poll": {"options": list("abcde"), "expires_in": 600}}, "more than 4 items"),
        ({"status": "a", "poll": {"options": ["a", "b" * 51], "expires_in": 600}}, "longer than 50"),
        ({"status": "a", "poll": {"options": ["a", "b"], "expires_in": 299}}, "too soon"),
        ({"status": "a", "poll": {"options": ["a", "b"], "expires_in": 10**9}}, "too far"),
        ({"status": "a", "poll": {"options": ["a", "b"], "expires_in": "x"}}, "expires_in is no number"),
        ({"status": "a", "scheduled_at": "tomorrow"}, "Record invalid"),
        ({"status": "a", "scheduled_at": "9999-12-31T23:59:59-14:00"}, "Record invalid"),
        ({"status": "a", "scheduled_at": "2026-11-21T19:04:00Z"}, "5 minutes"),
    ],
)
def test_what_cannot_be_posted_is_refused_and_changes_nothing(
    database_url: str, tmp_path: Path, values: dict[str, Any], says: str
) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann = await kit.person("ann")
            answer = await ann.post(POSTS, json=values)
            assert (answer.status_code, answer.json().keys()) == (422, {"error"})
            assert says in answer.json()["error"]
            async with kit.site.reading() as work:
                assert await work.session.scalar(select(func.count()).select_from(Status)) == 0

    run(test)


def test_who_may_not_post_is_told(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            reader = await kit.person("ann", scopes="read")
            assert (await kit.anonymous.post(POSTS, json={"status": "a"})).status_code == 401
            assert (await kit.client("wrong").post(POSTS, json={"status": "a"})).status_code == 401
            assert (await reader.post(POSTS, json={"status": "a"})).status_code == 403

    run(test)


def test_answers_are_one_thread_in_which_each_is_below_what_it_answers(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob = await kit.person("ann"), await kit.person("bob")
            first = await post(ann, "1")
            one = await post(bob, "1.1", in_reply_to_id=first["id"])
            two = await post(bob, "1.2", in_reply_to_id=first["id"])
            deep = await post(ann, "1.1.1", in_reply_to_id=one["id"])
            assert deep["in_reply_to_account_id"] == one["account"]["id"]
            context = await get(kit.anonymous, f"{POSTS}/{first['id']}/context")
            assert [each["id"] for each in context["descendants"]] == [one["id"], deep["id"], two["id"]]
            context = await get(ann, f"{POSTS}/{deep['id']}/context")
            assert [each["id"] for each in context["ancestors"]] == [first["id"], one["id"]]
            assert (await get(ann, f"{POSTS}/{first['id']}"))["replies_count"] == 2
            refused = await ann.post(POSTS, json={"status": "a", "in_reply_to_id": "1"})
            assert refused.status_code == 404
            await ann.delete(f"{POSTS}/{deep['id']}")
            assert (await get(ann, f"{POSTS}/{one['id']}"))["replies_count"] == 0

    run(test)


def test_the_same_key_posts_once_however_often_and_fast_it_comes(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob = await kit.person("ann"), await kit.person("bob")
            answers: list[str] = []

            async def once(client: httpx2.AsyncClient) -> None:
                answer = await client.post(POSTS, json={"status": "a"}, headers={"Idempotency-Key": "k"})
                answers.append(answer.json()["id"])

            async with asyncio.TaskGroup() as tasks:
                for _ in range(8):
                    tasks.create_task(once(ann), name="post")
            assert len(set(answers)) == 1
            await once(bob)
            assert len(set(answers)) == 2, "a key is its account's"
            kit.clock.pass_(hours=2)
            await once(ann)
            assert len(set(answers)) == 3, "a key is forgotten"
            too_long = await ann.post(POSTS, json={"status": "a"}, headers={"Idempotency-Key": "k" * 300})
            assert too_long.status_code == 422
            assert (await get(ann, f"{POSTS}/{answers[0]}"))["account"]["statuses_count"] == 2

    run(test)


def test_an_edit_keeps_what_was_there_before(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob = await kit.person("ann"), await kit.person("bob")
            first, second = await picture(kit, "ann"), await picture(kit, "ann")
            status = await post(ann, "one #a", media_ids=[str(first)])
            await act(bob, status, "reblog")
            address = f"{POSTS}/{status['id']}"
            same = await ann.put(address, json={"status": "one #a", "media_ids": [str(first)]})
            assert same.json()["edited_at"] is None, "nothing changed"
            changes = {
                "status": "two #b @bob",
                "spoiler_text": "cw",
                "media_ids": [str(second), str(first)],
                "media_attributes": [{"id": str(first), "description": "described"}],
            }
            edited = (await ann.put(address, json=changes)).json()
            assert [each["id"] for each in edited["media_attachments"]] == [str(second), str(first)]
            assert edited["media_attachments"][1]["description"] == "described"
            assert edited["tags"] == [{"name": "b", "url": "http://localhost:3000/tags/b"}]
            assert edited["edited_at"] > edited["created_at"]
            (await ann.put(address, json={"status": "three"})).raise_for_status()
            history = await get(kit.anonymous, f"{address}/history")
            assert [each["content"].removeprefix("<p>")[:3] for each in history] == ["one", "two", "thr"]
            assert [len(each["media_attachments"]) for each in history] == [1, 2, 0]
            assert history[0]["media_attachments"][0]["description"] == "a picture"
            assert history[0]["created_at"] == status["created_at"]
            assert await get(ann, f"{address}/source") == {"id": status["id"], "text": "three", "spoiler_text": ""}
            await kit.do_jobs()
            assert await notified(kit, "bob") == ["mention", "update", "update"]
            assert (await bob.put(address, json={"status": "mine"})).status_code == 404
            assert (await bob.get(f"{address}/source")).json()["text"] == "three", "whoever sees a post"

    run(test)


def test_a_deleted_post_gives_its_text_back_and_is_gone_for_all(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob = await kit.person("ann"), await kit.person("bob")
            media = await picture(kit, "ann")
            status = await post(ann, "hello *world*", media_ids=[str(media)])
            boost = await act(bob, status, "reblog")
            assert (await bob.delete(f"{POSTS}/{status['id']}")).status_code == 404
            gone = (await ann.delete(f"{POSTS}/{status['id']}")).json()
            assert gone["text"] == "hello *world*"
            assert gone["media_attachments"][0]["id"] == str(media)
            for each in (status, boost):
                assert (await ann.get(f"{POSTS}/{each['id']}")).status_code == 404
                assert (await kit.anonymous.get(f"{POSTS}/{each['id']}")).json() == {"error": "Record not found"}
            assert (await ann.delete(f"{POSTS}/{status['id']}")).status_code == 404
            again = await post(ann, "anew", media_ids=[str(media)])
            assert again["media_attachments"][0]["id"] == str(media)
            assert again["account"]["statuses_count"] == 1
            assert (await get(kit.anonymous, "/api/v1/accounts/lookup?acct=bob"))["statuses_count"] == 0

    run(test)


def test_two_deletions_at_once_count_once(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann = await kit.person("ann")
            await post(ann)
            status = await post(ann)
            answers: list[int] = []

            async def delete() -> None:
                answers.append((await ann.delete(f"{POSTS}/{status['id']}")).status_code)

            async with asyncio.TaskGroup() as tasks:
                for _ in range(4):
                    tasks.create_task(delete(), name="delete")
            assert sorted(answers) == [200, 404, 404, 404]
            assert (await get(ann, "/api/v1/accounts/lookup?acct=ann"))["statuses_count"] == 1

    run(test)


def test_boosts_favourites_and_bookmarks_count_once_and_are_undone(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob = await kit.person("ann"), await kit.person("bob")
            status = await post(ann)
            boost = await act(bob, status, "reblog", visibility="unlisted")
            assert (boost["reblogged"], boost["reblog"]["id"], boost["visibility"]) == (
                True,
                status["id"],
                "unlisted",
            )
            assert boost["reblog"]["reblogs_count"] == 1
            assert (await act(bob, status, "reblog"))["id"] == boost["id"], "boosted once"
            assert (await act(bob, boost, "favourite"))["id"] == status["id"], "a boost stands for its post"
            assert (await act(bob, status, "favourite"))["favourites_count"] == 1
            assert (await act(bob, status, "bookmark"))["bookmarked"] is True
            assert [each["id"] for each in await get(bob, "/api/v1/favourites")] == [status["id"]]
            assert [each["id"] for each in await get(bob, "/api/v1/bookmarks")] == [status["id"]]
            for by in ("favourited_by", "reblogged_by"):
                assert [each["username"] for each in await get(ann, f"{POSTS}/{status['id']}/{by}")] == ["bob"]
            assert await notified(kit, "ann") == ["reblog", "favourite"]
            plain = await act(bob, status, "unreblog")
            assert (plain["id"], plain["reblogs_count"], plain["reblogged"]) == (status["id"], 0, False)
            assert (await act(bob, status, "unfavourite"))["favourites_count"] == 0
            assert (await act(bob, status, "unfavourite"))["favourites_count"] == 0
            assert (await act(bob, status, "unbookmark"))["bookmarked"] is False
            assert (await bob.get(f"{POSTS}/{boost['id']}")).status_code == 404
            assert await notified(kit, "ann") == []

    run(test)


def test_what_is_not_public_is_not_boosted_by_others(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob = await kit.person("ann"), await kit.person("bob")
            private = await post(ann, "for @bob", visibility="private")
            direct = await post(ann, "to @bob", visibility="direct")
            for status in (private, direct):
                assert (await bob.post(f"{POSTS}/{status['id']}/reblog")).status_code == 403
            own = await act(ann, private, "reblog")
            assert own["visibility"] == "private"
            assert (await kit.anonymous.get(f"{POSTS}/{own['id']}")).status_code == 404

    run(test)


def test_five_posts_are_pinned_and_only_ones_own(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob = await kit.person("ann"), await kit.person("bob")
            posts = [await post(ann, f"{number}") for number in range(6)]
            for status in posts[:5]:
                assert (await act(ann, status, "pin"))["pinned"] is True
            refused = await ann.post(f"{POSTS}/{posts[5]['id']}/pin")
            assert (refused.status_code, "maximum number" in refused.json()["error"]) == (422, True)
            assert (await act(ann, posts[0], "unpin"))["pinned"] is False
            assert (await act(ann, posts[5], "pin"))["pinned"] is True
            assert (await bob.post(f"{POSTS}/{posts[0]['id']}/pin")).status_code == 422
            direct = await post(ann, "@bob", visibility="direct")
            assert (await ann.post(f"{POSTS}/{direct['id']}/pin")).status_code == 422

    run(test)


def test_a_muted_thread_notifies_no_more(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob = await kit.person("ann"), await kit.person("bob")
            status = await post(ann)
            assert (await act(ann, status, "mute"))["muted"] is True
            await post(bob, "@ann", in_reply_to_id=status["id"])
            assert await notified(kit, "ann") == []
            assert (await act(ann, status, "unmute"))["muted"] is False
            await post(bob, "@ann", in_reply_to_id=status["id"])
            assert await notified(kit, "ann") == ["mention"]

    run(test)


def test_a_picture_is_in_one_post_only(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob = await kit.person("ann"), await kit.person("bob")
            media = await picture(kit, "ann")
            status = await post(ann, "", media_ids=[str(media)])
            assert (status["content"], len(status["media_attachments"])) == ("", 1)
            for client in (ann, bob):
                again = await client.post(POSTS, json={"status": "a", "media_ids": [str(media)]})
                assert again.status_code == 422

    run(test)


def test_a_post_for_later_is_posted_when_it_is_due(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob = await kit.person("ann"), await kit.person("bob")
            at = (kit.clock.now + timedelta(minutes=10)).isoformat()
            later = {"status": "later", "scheduled_at": at, "visibility": "unlisted"}
            keyed = {"Idempotency-Key": "k"}
            scheduled = (await ann.post(POSTS, json=later, headers=keyed)).json()
            assert (await ann.post(POSTS, json=later, headers=keyed)).json()["id"] == scheduled["id"]
            assert scheduled["params"]["text"] == "later"
            address = f"/api/v1/scheduled_statuses/{scheduled['id']}"
            assert (await bob.get(address)).status_code == 404
            assert (await ann.put(address, json={"scheduled_at": "soon"})).status_code == 422
            moved = await ann.put(address, json={"scheduled_at": (kit.clock.now + timedelta(hours=1)).isoformat()})
            assert moved.status_code == 200
            kit.clock.pass_(minutes=11)
            await kit.do_jobs()
            assert [each["id"] for each in await get(ann, "/api/v1/scheduled_statuses")] == [scheduled["id"]]
            kit.clock.pass_(hours=1)
            await kit.do_jobs()
            assert await get(ann, "/api/v1/scheduled_statuses") == []
            (status,) = await get(ann, "/api/v1/timelines/home")
            assert (status["content"], status["visibility"]) == ("<p>later</p>", "unlisted")

    run(test)


def test_a_post_for_later_can_be_withdrawn(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann = await kit.person("ann")
            at = (kit.clock.now + timedelta(minutes=10)).isoformat()
            scheduled = await post(ann, "later", scheduled_at=at)
            assert (await ann.delete(f"/api/v1/scheduled_statuses/{scheduled['id']}")).json() == {}
            kit.clock.pass_(hours=1)
            await kit.do_jobs()
            assert await get(ann, "/api/v1/timelines/home") == []

    run(test)


def test_a_picture_waits_for_its_post_for_later(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann = await kit.person("ann")
            kept, lost = await picture(kit, "ann"), await picture(kit, "ann")
            async with kit.site.writing() as work:
                for media_id in (kept, lost):
                    due_at = work.now + timedelta(days=1)
                    work.later("media.forget", {"media_id": media_id, "key": ""}, due_at=due_at)
            at = (kit.clock.now + timedelta(days=3)).isoformat()
            scheduled = await post(ann, "later", scheduled_at=at, media_ids=[str(kept)])
            assert ids(scheduled["media_attachments"]) == [str(kept)]
            kit.clock.pass_(days=2)
            await kit.do_jobs()
            refused = await ann.post(POSTS, json={"status": "a", "media_ids": [str(lost)]})
            assert refused.status_code == 422
            kit.clock.pass_(days=2)
            await kit.do_jobs()
            (status,) = await get(ann, "/api/v1/timelines/home")
            assert ids(status["media_attachments"]) == [str(kept)]

    run(test)
