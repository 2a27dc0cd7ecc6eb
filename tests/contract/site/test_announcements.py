"""Announcements: read by everybody while they last, dismissed and reacted to by each."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from bus_server import run
from rostra.site.answers import RefusedError
from rostra.site.attention.announcements import publish, withdraw
from rostra.site.events import AnnouncementChanged, AnnouncementReacted
from site_kit import START, Kit, site_kit

_PATH = "/api/v1/announcements"


async def _read(client: httpx2.AsyncClient, **query: str) -> list[dict[str, Any]]:
    answer = await client.get(_PATH, params=query)
    assert answer.status_code == 200
    found: list[dict[str, Any]] = answer.json()
    return found


async def _publish(kit: Kit, text: str, **values: Any) -> str:
    async with kit.site.writing() as work:
        return str((await publish(work, text, **values)).id)


def test_an_announcement_is_read_until_it_is_over_and_until_one_dismisses_it(
    database_url: str, tmp_path: Path
) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob = await kit.person("ann"), await kit.person("bob")
            first = await _publish(
                kit,
                "Tonight:\n<b>eight</b> https://example.com/a",
                starts_at=START + timedelta(hours=1),
                ends_at=START + timedelta(hours=2),
            )
            second = await _publish(kit, "Always")
            found = await _read(ann)
            assert [each["id"] for each in found] == [first, second]
            assert found[0]["content"].startswith("<p>Tonight:<br>&lt;b&gt;eight&lt;/b&gt; <a href=")
            assert (found[0]["starts_at"], found[0]["read"]) == ("2026-11-21T20:00:00.000Z", False)
            assert (await ann.post(f"{_PATH}/{second}/dismiss")).json() == {}
            assert (await ann.post(f"{_PATH}/{second}/dismiss")).json() == {}
            assert [each["id"] for each in await _read(ann)] == [first]
            assert [each["read"] for each in await _read(ann, with_dismissed="1")] == [False, True]
            assert len(await _read(bob)) == 2
            kit.clock.pass_(hours=3)
            assert [each["id"] for each in await _read(bob)] == [second]
            async with kit.site.writing() as work:
                await withdraw(work, int(second))
            assert await _read(bob) == []
            assert kit.told.events.count(AnnouncementChanged(int(second))) == 2

    run(test)


def test_reactions_are_counted_once_a_person_and_taken_back(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob = await kit.person("ann"), await kit.person("bob")
            path = f"{_PATH}/{await _publish(kit, 'Tonight')}/reactions"
            for client in (ann, ann, bob):
                assert (await client.put(f"{path}/🎉")).status_code == 200
            assert (await bob.put(f"{path}/👍🏽")).status_code == 200
            ((party, thumb),) = [each["reactions"] for each in await _read(ann)]
            assert party == {"name": "🎉", "count": 2, "me": True}
            assert thumb == {"name": "👍🏽", "count": 1, "me": False}
            assert (await ann.delete(f"{path}/🎉")).status_code == 200
            assert (await ann.delete(f"{path}/🎉")).status_code == 200
            assert (await _read(ann))[0]["reactions"][0] == {"name": "🎉", "count": 1, "me": False}
            assert sum(isinstance(event, AnnouncementReacted) for event in kit.told.events) == 4
            for wrong in ("a", "7", "🎉🎉", "<", "é", "word"):
                assert (await ann.put(f"{path}/{wrong}")).status_code == 422, wrong
            assert (await ann.put(f"{path}/%00")).status_code == 404, "no name holds a NUL"
            others = "😀😁😂😃😄😅"
            for each in others:
                assert (await ann.put(f"{path}/{each}")).status_code == 200
            assert (await ann.put(f"{path}/😆")).status_code == 422, "the ninth kind"

    run(test)


def test_what_is_not_there_or_not_allowed_is_refused(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, reader = await kit.person("ann"), await kit.person("bob", scopes="read")
            made = await _publish(kit, "Tonight")
            assert (await kit.anonymous.get(_PATH)).status_code == 401
            assert (await ann.post(f"{_PATH}/7/dismiss")).status_code == 404
            assert (await ann.put(f"{_PATH}/x/reactions/🎉")).status_code == 404
            assert (await reader.post(f"{_PATH}/{made}/dismiss")).status_code == 403
            assert (await reader.put(f"{_PATH}/{made}/reactions/🎉")).status_code == 403
            for wrong in ({"text": " "}, {"text": "x" * 5001}, {"text": "x", "starts_at": START, "ends_at": START}):
                with pytest.raises(RefusedError):
                    await _publish(kit, **wrong)

    run(test)
