"""Streams and timelines agree: who hears a post is who finds it in the timeline, however they relate."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from bus_server import run
from rostra.site.database.tables.columns import Table
from rostra.site.database.tables.graph import Block, Follow, List, ListMember, Mute, TagFollow
from rostra.site.database.tables.media import MediaAttachment
from rostra.site.database.tables.posts import Mention, Status, StatusTag, Tag
from rostra.site.mastodon.paging import Page
from rostra.site.streaming import audience
from rostra.site.timelines import feeds
from rostra.site.work import Work
from site_kit import Kit, site_kit

_PAGE = Page(limit=40)


@dataclass
class Town:
    """Readers who stand to an author, and to somebody whom the author boosts and answers, in every way."""

    author: int
    other: int
    readers: dict[str, int]
    lists: dict[int, int]


async def _town(kit: Kit) -> Town:
    author, other = await kit.account("author"), await kit.account("other")
    names = (
        "stranger", "follower", "no_boosts", "english", "dutch", "blocker", "blocked", "muter", "was_muter",
        "exclusive", "tagged", "follows_both", "blocks_other", "mutes_other", "mentioned", "mentioned_follower",
    )  # fmt: skip
    readers = {name: await kit.account(name) for name in names}
    async with kit.site.writing() as work:

        def follow(name: str, target: int = author, **values: Any) -> Table:
            return Follow(id=work.make_id(), account_id=readers[name], target_id=target, **values)

        work.session.add_all(
            follow(name)
            for name in set(names) - {"stranger", "tagged", "mentioned", "no_boosts", "english", "dutch"}
        )
        work.session.add_all(
            [
                follow("no_boosts", reblogs=False),
                follow("english", languages=["en"]),
                follow("dutch", languages=["nl"]),
                *(follow(name, other) for name in ("follows_both", "no_boosts", "blocks_other", "tagged")),
                Block(id=work.make_id(), account_id=readers["blocker"], target_id=author),
                Block(id=work.make_id(), account_id=author, target_id=readers["blocked"]),
                Block(id=work.make_id(), account_id=readers["blocks_other"], target_id=other),
                Mute(id=work.make_id(), account_id=readers["muter"], target_id=author),
                Mute(id=work.make_id(), account_id=readers["mutes_other"], target_id=other),
                Mute(
                    id=work.make_id(),
                    account_id=readers["was_muter"],
                    target_id=author,
                    expires_at=work.now - timedelta(days=1),
                ),
            ]
        )
        tag = Tag(id=work.make_id(), name="talk", display_name="talk")
        lists = {}
        for name, policy in (("exclusive", "list"), ("follower", "followed"), ("follows_both", "followed")):
            row = List(
                id=work.make_id(),
                account_id=readers[name],
                title=name,
                replies_policy=policy,
                exclusive=name == "exclusive",
            )
            lists[row.id] = readers[name]
            work.session.add(row)
            await work.session.flush()
            work.session.add(ListMember(id=work.make_id(), list_id=row.id, account_id=author))
        work.session.add(tag)
        await work.session.flush()
        work.session.add(TagFollow(id=work.make_id(), account_id=readers["tagged"], tag_id=tag.id))
    return Town(author, other, readers, lists)


async def _post(work: Work, account_id: int, **values: Any) -> Status:
    id_ = work.make_id()
    row = Status(
        id=id_, account_id=account_id, created_at=work.now, **{"visibility": "public", "thread_id": id_} | values
    )
    work.session.add(row)
    await work.session.flush()
    return row


async def _posts(kit: Kit, town: Town) -> dict[str, int]:
    async with kit.site.writing() as work:
        tag_id = (await work.session.execute(Tag.__table__.select())).one().id
        theirs = await _post(work, town.other)
        made = {
            "plain": await _post(work, town.author),
            "dutch": await _post(work, town.author, language="nl"),
            "unlisted": await _post(work, town.author, visibility="unlisted"),
            "private": await _post(work, town.author, visibility="private"),
            "direct": await _post(work, town.author, visibility="direct"),
            "tagged": await _post(work, town.author),
            "of other, tagged": await _post(work, town.other),
            "boost": await _post(work, town.author, reblog_of_id=theirs.id),
            "answer": await _post(work, town.author, in_reply_to_id=theirs.id, in_reply_to_account_id=town.other),
            "answer to a reader": await _post(
                work, town.author, in_reply_to_id=theirs.id, in_reply_to_account_id=town.readers["follower"]
            ),
            "own thread": await _post(
                work, town.author, in_reply_to_id=theirs.id, in_reply_to_account_id=town.author
            ),
            "with media": await _post(work, town.author),
        }
        for name in ("tagged", "of other, tagged"):
            work.session.add(StatusTag(tag_id=tag_id, status_id=made[name].id))
        for name in ("private", "direct"):
            for reader in ("mentioned", "mentioned_follower"):
                work.session.add(Mention(status_id=made[name].id, account_id=town.readers[reader]))
        work.session.add(
            MediaAttachment(
                id=work.make_id(),
                account_id=town.author,
                status_id=made["with media"].id,
                kind="image",
                state="ready",
                created_at=work.now,
            )
        )
        return {name: row.id for name, row in made.items()}


def test_whoever_finds_a_post_in_a_timeline_hears_it_in_the_stream_and_nobody_else(
    database_url: str, tmp_path: Path
) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            town = await _town(kit)
            posts = await _posts(kit, town)
            everybody = {town.author, town.other, *town.readers.values()}
            async with kit.site.reading() as work:
                home = {each: {row.id for row in await feeds.home(work, each, _PAGE)} for each in everybody}
                public = {each: {row.id for row in await feeds.public(work, each, _PAGE)} for each in everybody}
                listed = {
                    id_: {row.id for row in await feeds.of_list(work, await work.session.get_one(List, id_), _PAGE)}
                    for id_ in town.lists
                }
                names = {account_id: name for name, account_id in town.readers.items()}
                reached = set()
                for name, status_id in posts.items():
                    post = await audience.told(work, status_id)
                    assert post is not None
                    heard = await audience.at_home(work, post, everybody)
                    found = {each for each in everybody if status_id in home[each]}
                    assert _named(heard, names) == _named(found, names), name
                    in_lists = await audience.in_lists(work, post, town.lists)
                    assert set(in_lists) == {id_ for id_, ids in listed.items() if status_id in ids}, name
                    if post.status.in_reply_to_id is None:
                        heard = await audience.in_public(work, post, everybody)
                        found = {each for each in everybody if status_id in public[each]}
                        assert _named(heard, names) == _named(found, names), name
                    assert post.has_media == (name == "with media")
                    reached |= heard
                assert len(reached) > 10, "most of them hear something"

    run(test)


def _named(ids: set[int], names: dict[int, str]) -> list[str]:
    return sorted(names.get(each, str(each)) for each in ids)


def test_a_post_that_is_hidden_or_deleted_is_told_to_nobody(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            author = await kit.account("author")
            async with kit.site.writing() as work:
                status = await _post(work, author)
                status.deleted_at = work.now
            async with kit.site.reading() as work:
                assert await audience.told(work, status.id) is None
                assert await audience.told(work, 7) is None

    run(test)
