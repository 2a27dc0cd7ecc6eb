"""The shield before a whole edge: who is answered cheaply, who is banned, and whom proxies speak for."""

import asyncio
import json
import resource
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from edge_kit import Bus, Edge, Peer, edge, eventually, is_chunk, join, on_air, play, seqs
from rostra.core.limits import DESCRIPTORS_RESERVED, REQUEST_DEADLINE_S
from rostra.core.messages import BanNotice
from rostra.core.prefixes import Prefixes
from rostra.core.shield import SHARE_MIN, SOURCE_BUDGET, Shield
from rostra.edge.entrance import Entrance

ATTACKER = "127.66.0.1"
FRIEND = "127.77.0.1"


async def is_open(running: Edge, source: str) -> bool:
    """Whether somebody from there is answered at all."""
    try:
        peer = await running.connect(source)
        return (await peer.ask("GET", "/c/evening/state"))[0] == 200
    except (ConnectionError, asyncio.IncompleteReadError):
        return False


async def shout(running: Edge, source: str, *, times: int) -> None:
    for _ in range(times):
        try:
            peer = await running.connect(source)
            peer.writer.write(b"\x16\x03\x01 this is no HTTP\r\n\r\n")
            assert (await peer.head())[0] == 400
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        await asyncio.sleep(0.1)


def test_who_comes_too_often_is_told_so_and_others_are_not() -> None:
    async def scenario() -> None:
        shield = Shield()
        async with edge(Bus(), entrance=Entrance(shield)) as running:
            answers = []
            for _ in range(int(SOURCE_BUDGET.burst * SHARE_MIN) + 100):
                shield.share = SHARE_MIN  # of a worker that has been at its limit for a while
                peer = await running.connect(ATTACKER)
                answers.append(await peer.ask("GET", "/c/evening/state"))
                await peer.close()
            refused = [(fields, body) for status, fields, body in answers if status == 429]
            assert 50 < len(refused) < 150
            fields, body = refused[-1]
            assert (fields["retry-after"], json.loads(body)["reason"]) == ("5", "network")
            assert await is_open(running, FRIEND)

    play(scenario)


def test_a_browser_that_comes_too_often_gets_a_page_that_asks_again() -> None:
    async def scenario() -> None:
        shield = Shield()
        async with edge(Bus(), entrance=Entrance(shield)) as running:
            peer = await running.connect(ATTACKER)
            status, fields, body = 200, {"": ""}, b""
            while status == 200:  # requests on one connection have a budget as well
                shield.share = SHARE_MIN
                status, fields, body = await peer.ask("GET", "/", "Accept: text/html")
            assert status == 429
            assert await peer.reader.read() == b""
            peer = await running.connect(ATTACKER)
            status, fields, body = await peer.ask("GET", "/", "Accept: text/html")
            assert (status, fields["content-type"]) == (429, "text/html; charset=utf-8")
            assert b'http-equiv="refresh"' in body

    play(scenario)


def test_mischief_leads_to_a_ban_at_all_edges_and_never_where_people_listen() -> None:
    async def scenario() -> None:
        bus = Bus()
        bus.say(10)
        async with edge(bus) as here, edge(bus, "edge-2") as there:
            await on_air(here, 9)
            await shout(here, ATTACKER, times=60)

            async def told() -> bool:
                return [(ban.prefix, ban.edge) for ban in bus.notices] == [(f"{ATTACKER}/32", "edge-1")]

            await eventually(told)

            async def banned_there() -> bool:
                return not await is_open(there, ATTACKER)

            await eventually(banned_there)
            assert await is_open(there, FRIEND)

    play(scenario)


def test_an_edge_objects_to_a_ban_of_its_listeners() -> None:
    async def scenario() -> None:
        bus = Bus()
        bus.say(10)
        async with edge(bus) as running:
            await on_air(running, 9)
            inside = [await running.connect(FRIEND) for _ in range(3)]
            target = await join(running)
            for peer in inside:
                await peer.listen(target)
            until_ns = 2**63 - 1
            await bus.tell_ban(BanNotice(f"{FRIEND}/32", until_ns, "timeout", "edge-9"))

            async def objected() -> bool:
                return BanNotice(f"{FRIEND}/32", 0, "timeout", "edge-1") in bus.notices

            await eventually(objected)
            assert await is_open(running, FRIEND)
            bus.say(5)
            assert seqs(await inside[0].frames_until(is_chunk(14)))[-1] == 14

    play(scenario)


def test_an_edge_that_starts_knows_the_bans_there_are() -> None:
    async def scenario() -> None:
        bus = Bus(notices=[BanNotice("127.66.0.0/24", 2**63 - 1, "timeout", "edge-9")])
        async with edge(bus) as running:

            async def banned() -> bool:
                return not await is_open(running, ATTACKER)

            await eventually(banned)
            assert await is_open(running, FRIEND)

    play(scenario)


def test_who_has_been_silent_gives_way_to_whoever_comes() -> None:
    """A quarter of the descriptors may be half-open; then the one that waits longest goes."""

    async def scenario() -> None:
        async with edge(Bus()) as running:
            silent = [await running.connect() for _ in range(21)]
            assert await asyncio.wait_for(silent[0].reader.read(), REQUEST_DEADLINE_S / 2) == b""
            silent[1].writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert (await silent[1].head())[0] == 200

    with descriptors(DESCRIPTORS_RESERVED + 80):
        play(scenario)


def test_when_descriptors_are_short_one_goes_from_where_most_keep_them() -> None:
    async def scenario() -> None:
        async with edge(Bus()) as running:
            longest = await running.connect(FRIEND)
            assert (await longest.ask("GET", "/healthz"))[0] == 200
            crowd = [await running.connect(ATTACKER) for _ in range(100)]
            for each in crowd[:90]:
                with suppress(ConnectionError, asyncio.IncompleteReadError):
                    await each.ask("GET", "/healthz")
            assert (await longest.ask("GET", "/healthz"))[0] == 200
            assert await is_open(running, FRIEND)

    with descriptors(DESCRIPTORS_RESERVED + 80):
        play(scenario)


@contextmanager
def descriptors(limit: int) -> Iterator[None]:
    """As many as a process may open at most."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


# --- proxies ---------------------------------------------------------------------------------------------

PROXY = Prefixes(["127.0.0.1"])
V2 = b"\r\n\r\n\x00\r\nQUIT\n\x21\x11" + struct.pack(">H4s4sHH", 12, bytes([127, 66, 0, 1]), bytes(4), 1, 2)


def spared(*, proxy_protocol: bool = False) -> Entrance:
    return Entrance(Shield(PROXY), PROXY, proxy_protocol)


async def forwarded(peer: Peer, value: str, name: str = "Forwarded") -> int:
    return (await peer.ask("GET", "/c/evening/state", f"{name}: {value}"))[0]


def test_a_ban_reaches_whom_a_trusted_proxy_speaks_for_and_nobody_else_behind_it() -> None:
    async def scenario() -> None:
        bus = Bus(notices=[BanNotice(f"{ATTACKER}/32", 2**63 - 1, "timeout", "edge-9")])
        async with edge(bus, entrance=spared()) as running:

            async def banned() -> bool:
                return await forwarded(await running.connect(), f"for={ATTACKER}") == 429

            await eventually(banned)
            peer = await running.connect()
            assert await forwarded(peer, f'for={ATTACKER}, for="{FRIEND}:80"') == 200, "the rightmost counts"
            assert await forwarded(peer, f"{ATTACKER}, {FRIEND}", "X-Forwarded-For") == 200
            assert await forwarded(peer, f"{FRIEND}, {ATTACKER}", "X-Forwarded-For") == 429
            assert await forwarded(await running.connect(), "for=unknown") == 400
            stranger = await running.connect(FRIEND)
            assert await forwarded(stranger, f"for={ATTACKER}") == 200, "whoever is no proxy is not believed"

    play(scenario)


def test_a_proxy_header_says_who_comes() -> None:
    async def scenario() -> None:
        bus = Bus(notices=[BanNotice(f"{ATTACKER}/32", 2**63 - 1, "timeout", "edge-9")])
        async with edge(bus, entrance=spared(proxy_protocol=True)) as running:

            async def banned() -> bool:
                peer = await running.connect()
                peer.writer.write(V2)
                return await peer.reader.read() == b""

            await eventually(banned)
            for header in (
                b"PROXY TCP4 127.77.0.1 127.0.0.1 4000 80\r\n",
                b"PROXY UNKNOWN\r\n",
                V2[:12] + b"\x20\0\0\0",
            ):
                peer = await running.connect()
                peer.writer.write(header)
                assert (await peer.ask("GET", "/c/evening/state"))[0] == 200, header

    play(scenario)


@pytest.mark.parametrize("header", [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", V2[:20], b"PROXY TCP4 x y 1 2\r\n"])
def test_a_trusted_proxy_without_a_proxy_header_is_cut_off(header: bytes) -> None:
    async def scenario() -> None:
        async with edge(Bus(), entrance=spared(proxy_protocol=True)) as running:
            peer = await running.connect()
            peer.writer.write(header)
            with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
                await peer.head()

    play(scenario)
