"""Whom the site knows, at an edge's door: from the site's link to the sound, and to the end of it (P2, P8)."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from edge_kit import Bus, Edge, Peer, edge, eventually, is_chunk, on_air, play, seqs
from rostra.core.keys import Key, KeyRing
from rostra.core.ticket import TicketClass, verify
from rostra.site.conversations.addresses import listener_of, listening_address
from rostra.site.database.tables.conversations import Conversation
from rostra.site.settings import Mail, SiteSettings

KEYS = KeyRing(Key(0, 0, b"k" * 32))  # as the edge's
SITE = SiteSettings(
    url="http://site.test",
    title="Site",
    description="",
    host="127.0.0.1",
    port=0,
    database="sqlite://",
    media=Path("media"),
    invitation_key=bytes(32),
    ticket_keys=KEYS,
    key=bytes(32),
    mail=Mail("site@site.test", Path("mail")),
    edge_url="http://edge.test",
)
TALK = Conversation(id=7, name="evening")
ANN = 1


def pass_of(account_id: int, *, registered: bool) -> str:
    """What the site puts into the link on a talk's page."""
    now = datetime.now(UTC)
    address = listening_address(SITE, TALK, account_id=account_id, registered=registered, now=now)
    return parse_qs(urlsplit(address).fragment)["pass"][0]


async def join(running: Edge, query: str = "") -> dict[str, Any]:
    peer = await running.connect()
    status, _, body = await peer.ask("POST", f"/c/evening/join?{query}", "Content-Length: 0")
    assert status == 200
    return dict(json.loads(body))


async def listen(running: Edge, joined: dict[str, Any]) -> Peer:
    peer = await running.connect()
    status, _ = await peer.listen(f"{joined['stream']}?ticket={joined['ticket']}&rendition=webm-64")
    assert status == 200
    return peer


def test_a_reminder_set_on_the_site_comes_before_who_came_earlier_and_a_suspension_ends_it() -> None:
    async def scenario() -> None:
        bus, revoked = Bus(), dict[str, dict[str, int]]()
        bus.say(10)
        async with edge(bus, listeners_max=1, revoked=revoked) as running:
            await on_air(running, 9)
            first = await listen(running, await join(running))
            anonymous = await join(running)
            assert (anonymous["status"], anonymous["number"]) == ("waiting", 1)
            known = await join(running, f"pass={pass_of(ANN, registered=True)}")
            assert (known["status"], known["number"]) == ("waiting", 1)
            anonymous = await join(running, f"place={anonymous['place']}")
            assert anonymous["number"] == 2

            await first.close()
            let_in: dict[str, Any] = {}

            async def is_let_in() -> bool:
                let_in.update(await join(running, f"place={known['place']}"))
                return bool(let_in["status"] == "admitted")

            await eventually(is_let_in)
            ticket = verify(let_in["ticket"], conversation="evening", keys=KEYS, now_s=0)
            assert ticket is not None
            assert (ticket.ticket_class, ticket.listener) == (TicketClass.REGISTERED, listener_of(SITE, 7, ANN))
            stream = await listen(running, let_in)
            bus.say(5)
            assert seqs(await stream.frames_until(is_chunk(14)))[-1] == 14

            revoked["evening"] = {ticket.listener.hex(): ticket.expires_s}
            assert await stream.frames_until(lambda _: False) is not None  # to the end of it
            refused = await running.connect()
            status, _ = await refused.listen(f"{let_in['stream']}?ticket={let_in['ticket']}")
            assert status == 403

    play(scenario)


def test_p3_who_is_in_comes_back_at_a_full_edge_with_the_same_ticket() -> None:
    async def scenario() -> None:
        bus = Bus()
        bus.say(10)
        async with edge(bus, listeners_max=1) as running:
            await on_air(running, 9)
            joined = await join(running)
            peer = await listen(running, joined)
            await peer.close()
            await listen(running, await join(running, f"ticket={joined['ticket']}"))  # the page was loaded again
            await listen(running, joined)  # the network was another one for a moment
            assert (await join(running))["status"] == "waiting"

    play(scenario)


def test_one_ticket_that_is_passed_around_opens_three_streams() -> None:
    async def scenario() -> None:
        bus = Bus()
        bus.say(10)
        async with edge(bus) as running:
            await on_air(running, 9)
            joined = await join(running)
            streams = [await listen(running, joined) for _ in range(3)]
            more = await running.connect()
            status, fields = await more.listen(f"{joined['stream']}?ticket={joined['ticket']}")
            assert (status, fields["content-type"]) == (429, "application/problem+json")
            await streams[0].close()

            async def goes_on() -> bool:
                again = await running.connect()
                status, _ = await again.listen(f"{joined['stream']}?ticket={joined['ticket']}")
                return status == 200

            await eventually(goes_on)

    play(scenario)
