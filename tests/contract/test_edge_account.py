"""What an edge tells of real traffic: every number is what strangers did, and nobody is in it."""

import asyncio
import json
import random
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

from edge_kit import Bus, Edge, Peer, edge, eventually, is_chunk, join, on_air, play
from rostra.evidence.testimony import Silence
from rostra.verifier.canonical import canonical


class Told(Silence):
    """What the edge would have put into its record."""

    def now(self) -> dict[str, Any]:
        body: dict[str, Any] = self.figures()
        canonical(body)
        return body

    def did(self, name: str) -> int:
        return int(self.now()["did"].get(name, 0))


async def joined(running: Edge, source: str, query: str = "") -> tuple[Peer, str]:
    peer = await running.connect(source)
    status, _, body = await peer.ask("POST", f"/c/evening/join{query}", "Content-Length: 0")
    assert status == 200
    return peer, json.loads(body)["ticket"]


def test_p9_what_strangers_did_is_what_is_told() -> None:
    async def scenario() -> None:
        bus, told = Bus(), Told()
        bus.say(20)
        async with edge(bus, testimony=told) as running:
            await on_air(running, 19)
            peer, ticket = await joined(running, "127.0.7.1")
            assert (await peer.listen(f"/c/evening/stream?ticket={ticket}&rendition=webm-64"))[0] == 200
            await joined(running, "127.0.8.1", "?again=1")
            again, _ = await joined(running, "127.0.8.1", f"?ticket={ticket}")
            assert (await again.ask("GET", "/c/evening/stream?ticket=forged"))[0] == 403
            assert (await again.ask("GET", "/c/evening/stream"))[0] == 403
            assert (await again.ask("GET", "/nothing"))[0] == 404
            radio = await running.connect("127.0.9.1")
            assert (await radio.listen("/c/evening/live.webm"))[0] == 200
            did = told.now()["did"]
        expected = {
            "asked_first_anonymous": 2, "asked_again": 2, "asked_again_unproven": 1, "tickets_valid": 1,
            "tickets_forged": 1, "tickets_none": 1, "admitted": 4, "admitted_plain": 1, "refused_ticket": 2,
            "refused_unknown": 1, "answers_4xx": 3, "streams": 2, "accepts": 5, "sound_later": 0,
        }  # fmt: skip
        assert {name: did[name] for name in expected} == expected
        assert sum(value for name, value in did.items() if name.startswith("sound_")) == 2
        assert did["bytes_in"] > 500
        assert did["bytes_out"] > 20 * 400

    play(scenario)


def test_how_old_the_programme_is_is_told_while_somebody_listens() -> None:
    async def scenario() -> None:
        bus, told = Bus(), Told()
        bus.say(20)
        async with edge(bus, testimony=told) as running:
            await on_air(running, 19)
            assert told.now()["now"]["programme_age_ms"] == 0
            peer = await running.connect("127.0.7.1")
            await peer.listen(await join(running))
            await peer.frames_until(is_chunk(19))

            async def is_old() -> bool:
                return int(told.now()["now"]["programme_age_ms"]) > 300

            await eventually(is_old)
            bus.say(1)
            await peer.frames_until(is_chunk(20))
            assert told.now()["now"]["programme_age_ms"] < 300

    play(scenario)


def test_totals_only_grow_and_whoever_leaves_before_ten_seconds_did_not_follow() -> None:
    async def scenario() -> None:
        bus, told = Bus(), Told()
        bus.say(20)
        async with edge(bus, testimony=told) as running:
            await on_air(running, 19)
            before = told.now()["did"]
            peer = await running.connect("127.0.7.1")
            await peer.listen(await join(running))
            await peer.frames_until(is_chunk(19))
            await peer.close()
            other = await running.connect("127.0.7.1")
            await other.listen(await join(running))  # gets the number of who has left

            async def left() -> bool:
                return told.did("left_before_10s") == 1 or told.did("streams") == 2

            await eventually(left)
            after = told.now()["did"]
        assert all(after[name] >= value for name, value in before.items())
        assert told.did("followed_10s") == 0

    play(scenario)


def test_p9_no_address_no_ticket_and_no_listener_is_told() -> None:
    async def scenario() -> None:
        bus, told, chance = Bus(), Told(), random.Random(7)
        bus.say(20)
        secrets: set[str] = set()
        async with edge(bus, testimony=told) as running:
            await on_air(running, 19)
            for number in range(40):
                source = f"127.{chance.randrange(1, 250)}.{number}.{chance.randrange(2, 250)}"
                peer, ticket = await joined(running, source)
                secrets |= {source, source.rpartition(".")[0], ticket, ticket[:24]}
                if number % 2:
                    target = f"/c/evening/stream?ticket={ticket}&rendition=webm-64"
                    assert (await peer.listen(target))[0] == 200
                    secrets |= set(parse_qs(urlsplit(target).query)["ticket"])
                elif number % 3:
                    await peer.ask("GET", "/c/evening/stream?ticket=Xq7someforgedticket")
                    await peer.ask("GET", f"/c/evening/private-{number}?name=octavia")
            await asyncio.sleep(1.1)  # the edge's own second, in which it takes what its shield counted
            body = told.now()
        text = canonical(body).decode()
        assert len(body["now"]["sources"]["top"]) == 16
        assert body["now"]["sources"]["networks_v4"] >= 40
        assert not [secret for secret in (*secrets, "octavia", "Xq7some", "private-") if secret in text]
        assert not re.findall(r"\d{1,3}\.\d{1,3}\.\d{1,3}", text)

    play(scenario)
