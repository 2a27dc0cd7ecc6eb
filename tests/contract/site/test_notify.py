"""Who is told of what somebody did: everybody once, and nobody who does not want to know."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bus_server import run
from rostra.site.attention.notify import notify, withdraw
from rostra.site.database.tables.attention import Notification, NotificationPermission, NotificationPolicy
from rostra.site.database.tables.columns import Table
from rostra.site.database.tables.graph import Block, Follow, Mute
from rostra.site.database.tables.posts import Status, ThreadMute
from rostra.site.events import Notified
from rostra.site.work import Work
from site_kit import START, Kit, site_kit


async def _kept(kit: Kit) -> list[Notification]:
    async with kit.site.reading() as work:
        return list(await work.session.scalars(select(Notification).order_by(Notification.id)))


def _status(work: Work, account_id: int, **values: Any) -> Status:
    id_ = work.make_id()
    values = {"visibility": "public", "thread_id": id_} | values
    return Status(id=id_, account_id=account_id, created_at=work.now, **values)


def test_a_favourite_is_told_once_grouped_with_those_of_the_same_hours_and_can_be_taken_back(
    database_url: str, tmp_path: Path
) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob, cid = [await kit.account(name) for name in ("ann", "bob", "cid")]
            async with kit.site.writing() as work:
                status = _status(work, ann)
                work.session.add(status)
            for from_id in (ann, bob, bob, cid):
                kit.clock.pass_(hours=2)
                async with kit.site.writing() as work:
                    await notify(work, "favourite", [ann], from_id=from_id, status_id=status.id)
            first, second = await _kept(kit)
            assert (first.from_id, second.from_id) == (bob, cid)
            assert first.group_key == second.group_key
            assert [event for event in kit.told.events if isinstance(event, Notified)] == [
                Notified(first.id, ann),
                Notified(second.id, ann),
            ]
            kit.clock.pass_(hours=13)
            async with kit.site.writing() as work:
                await withdraw(work, "favourite", from_id=bob, status_id=status.id)
                await notify(work, "favourite", [ann], from_id=bob, status_id=status.id)
            second, third = await _kept(kit)
            assert third.group_key != second.group_key

    run(test)


def _unwillingness(name: str, account_id: int, from_id: int, thread_id: int) -> Table:
    later, earlier = START + timedelta(days=1), START - timedelta(days=1)
    match name:
        case "blocks":
            return Block(id=1, account_id=account_id, target_id=from_id)
        case "is blocked":
            return Block(id=1, account_id=from_id, target_id=account_id)
        case "mutes":
            return Mute(id=1, account_id=account_id, target_id=from_id, expires_at=later)
        case "mutes the thread":
            return ThreadMute(account_id=account_id, thread_id=thread_id)
        case "muted":
            return Mute(id=1, account_id=account_id, target_id=from_id, expires_at=earlier)
        case "mutes posts only":
            return Mute(id=1, account_id=account_id, target_id=from_id, notifications=False)
        case _:
            raise AssertionError(name)


@pytest.mark.parametrize(
    ("name", "is_told"),
    [
        ("blocks", False),
        ("is blocked", False),
        ("mutes", False),
        ("mutes the thread", False),
        ("muted", True),
        ("mutes posts only", True),
    ],
)
def test_who_does_not_want_to_know_is_not_told(
    database_url: str, tmp_path: Path, name: str, *, is_told: bool
) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob, cid = [await kit.account(name) for name in ("ann", "bob", "cid")]
            async with kit.site.writing() as work:
                status = _status(work, bob)
                work.session.add_all([status, _unwillingness(name, ann, bob, status.thread_id)])
                await notify(work, "mention", [ann, cid], from_id=bob, status_id=status.id)
            assert [row.account_id for row in await _kept(kit)] == ([ann, cid] if is_told else [cid])

    run(test)


def test_a_strangers_private_mention_is_kept_apart_until_it_is_permitted(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob = await kit.account("ann"), await kit.account("bob")
            expected = []
            for permission in (
                None,
                NotificationPermission(account_id=ann, from_id=bob),
            ):
                async with kit.site.writing() as work:
                    status = _status(work, bob, visibility="direct")
                    work.session.add(status)
                    if permission is not None:
                        work.session.add(permission)
                    await notify(work, "mention", [ann], from_id=bob, status_id=status.id)
                expected.append(permission is None)
            assert [row.filtered for row in await _kept(kit)] == expected
            assert sum(isinstance(event, Notified) for event in kit.told.events) == 1

    run(test)


def test_a_policy_that_drops_strangers_drops_them_and_a_follower_of_a_minute_is_one(
    database_url: str, tmp_path: Path
) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob, cid = [await kit.account(name) for name in ("ann", "bob", "cid")]
            async with kit.site.writing() as work:
                work.session.add(NotificationPolicy(account_id=ann, choices={"for_not_followers": "drop"}))
                work.session.add(Follow(id=work.make_id(), account_id=bob, target_id=ann))
            kit.clock.pass_(days=4)
            async with kit.site.writing() as work:
                work.session.add(Follow(id=work.make_id(), account_id=cid, target_id=ann))
                for from_id in (bob, cid):
                    await notify(work, "follow", [ann], from_id=from_id)
            assert [row.from_id for row in await _kept(kit)] == [bob]

    run(test)
