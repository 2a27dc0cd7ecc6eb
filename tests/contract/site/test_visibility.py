"""Who may see which post: the same answer everywhere, for everybody."""

from pathlib import Path

import pytest

from bus_server import run
from rostra.site.database.tables.moderation import Decision, Restriction
from rostra.site.work import Work
from site_kit import site_kit
from site_posts import POSTS, account_id, act, follow, get, ids, post

LISTS = (
    "/api/v1/timelines/home",
    "/api/v1/timelines/public",
    "/api/v1/timelines/tag/tag",
    "/api/v2/search?q=words&type=statuses",
)


async def restrict(work: Work, kind: str, target_kind: str, target_id: int, account: int) -> None:
    decision = Decision(
        id=work.make_id(),
        action=kind,
        target_account_id=account,
        ground="terms",
        explanation="",
        facts="",
        category="",
        source_type="",
        automated_decision="",
        decided_at=work.now,
        appeal_until=work.now,
    )
    work.session.add(decision)
    await work.session.flush()
    work.session.add(
        Restriction(
            id=work.make_id(),
            kind=kind,
            target_kind=target_kind,
            target_id=target_id,
            decision_id=decision.id,
            starts_at=work.now,
        )
    )


@pytest.mark.parametrize(
    ("visibility", "seen_by", "listed_for"),
    [
        ("public", {"author", "follower", "mentioned", "stranger", "nobody"}, {"author", "follower"}),
        ("unlisted", {"author", "follower", "mentioned", "stranger", "nobody"}, {"author", "follower"}),
        ("private", {"author", "follower", "mentioned"}, {"author", "follower"}),
        ("direct", {"author", "mentioned"}, {"author"}),
    ],
)
def test_each_visibility_is_seen_by_whom_it_is_for(
    database_url: str, tmp_path: Path, visibility: str, seen_by: set[str], listed_for: set[str]
) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            names = ("author", "follower", "mentioned", "stranger")
            people = {name: await kit.person(name) for name in names}
            await follow(kit, people["follower"], "author")
            status = await post(people["author"], "words #tag @mentioned", visibility=visibility)
            answer = await post(people["author"], "below", in_reply_to_id=status["id"], visibility=visibility)
            for name, client in {**people, "nobody": kit.anonymous}.items():
                may = name in seen_by
                assert (await client.get(f"{POSTS}/{status['id']}")).status_code == (200 if may else 404), name
                several = await get(client, f"{POSTS}?id[]={status['id']}&id[]=1")
                assert ids(several) == [status["id"]] * may
                for path in ("context", "history", "favourited_by", "card"):
                    found = await client.get(f"{POSTS}/{status['id']}/{path}")
                    assert found.status_code == (200 if may else 404), (name, path)
                if name != "nobody":
                    for verb in ("favourite", "bookmark", "reblog", "mute"):
                        done = await client.post(f"{POSTS}/{status['id']}/{verb}")
                        assert (done.status_code != 404) == may, (name, verb)
                    home = await get(client, "/api/v1/timelines/home")
                    assert (status["id"] in ids(home)) == (name in listed_for), name
                own = await get(client, f"/api/v1/accounts/{status['account']['id']}/statuses")
                assert (status["id"] in ids(own)) == may, name
                for path in ("/api/v1/timelines/public", "/api/v1/timelines/tag/tag"):
                    assert (status["id"] in ids(await get(client, path))) == (visibility == "public"), (name, path)
                found = (await get(client, "/api/v2/search?q=words&type=statuses"))["statuses"]
                expected = visibility == "public" or name in {"author", "mentioned"}
                assert (status["id"] in ids(found)) == expected, name
            assert answer["visibility"] == visibility

    run(test)


def test_who_is_blocked_sees_nothing_and_who_blocks_sees_nothing_in_lists(
    database_url: str, tmp_path: Path
) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob, eve = [await kit.person(name) for name in ("ann", "bob", "eve")]
            await follow(kit, bob, "eve")
            status = await post(ann, "words #tag")
            await act(eve, status, "reblog")
            await ann.post(f"/api/v1/accounts/{await account_id(kit, 'bob')}/block")
            assert (await bob.get(f"{POSTS}/{status['id']}")).status_code == 404
            assert await get(bob, "/api/v1/timelines/home") == [], "nor by the boost of somebody else"
            back = await post(bob, "words #tag")
            for path in LISTS[1:3]:
                assert ids(await get(ann, path)) == [status["id"]]
                assert ids(await get(bob, path)) == [back["id"]]
                assert ids(await get(eve, path)) == [back["id"], status["id"]]
            refused = await bob.post(POSTS, json={"status": "a", "in_reply_to_id": status["id"]})
            assert refused.status_code == 404

    run(test)


def test_who_is_muted_is_missing_in_lists_only_until_it_expires(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob = await kit.person("ann"), await kit.person("bob")
            status = await post(bob, "words #tag")
            await ann.post(f"/api/v1/accounts/{await account_id(kit, 'bob')}/mute", json={"duration": 3600})
            assert await get(ann, "/api/v1/timelines/public") == []
            assert (await get(ann, f"{POSTS}/{status['id']}"))["id"] == status["id"]
            kit.clock.pass_(hours=2)
            assert ids(await get(ann, "/api/v1/timelines/public")) == [status["id"]]

    run(test)


@pytest.mark.parametrize("kind", ["hide", "remove"])
def test_what_was_taken_away_is_seen_by_nobody_until_that_is_lifted(
    database_url: str, tmp_path: Path, kind: str
) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob = await kit.person("ann"), await kit.person("bob")
            status = await post(ann, "words #tag")
            boost = await act(bob, status, "reblog")
            async with kit.site.writing() as work:
                await restrict(work, kind, "status", int(status["id"]), int(status["account"]["id"]))
            for client in (bob, kit.anonymous):
                for each in (status, boost):
                    assert (await client.get(f"{POSTS}/{each['id']}")).status_code == 404
                assert await get(client, "/api/v1/timelines/public") == []
            assert await get(bob, "/api/v1/timelines/home") == []

    run(test)


def test_a_suspended_account_is_gone_whole_and_a_silenced_one_is_heard_by_followers(
    database_url: str, tmp_path: Path
) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob, eve = [await kit.person(name) for name in ("ann", "bob", "eve")]
            await follow(kit, bob, "ann")
            status = await post(ann, "words #tag")
            author = int(status["account"]["id"])
            async with kit.site.writing() as work:
                await restrict(work, "silence", "account", author, author)
            assert ids(await get(bob, "/api/v1/timelines/public")) == [status["id"]]
            assert await get(eve, "/api/v1/timelines/public") == []
            assert (await get(eve, f"{POSTS}/{status['id']}"))["id"] == status["id"]
            async with kit.site.writing() as work:
                await restrict(work, "suspend", "account", author, author)
            assert (await bob.get(f"{POSTS}/{status['id']}")).status_code == 404
            assert await get(bob, "/api/v1/timelines/home") == []

    run(test)
