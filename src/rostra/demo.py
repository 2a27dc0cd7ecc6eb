"""`rostra demo`: a whole evening in a minute, with the bundled recording as the speaker."""

import asyncio
import secrets
import socket
import time
import webbrowser

from rich.console import Console

from rostra.audio.recordings import two_cities
from rostra.bus.connection import connect
from rostra.bus.state import change_conversation, create_conversation
from rostra.bus.subjects import Role
from rostra.config import Settings
from rostra.core.conversation import Conversation, End, advance, plan
from rostra.core.roster import StageRole
from rostra.core.units import SECOND_NS
from rostra.links import invite
from rostra.stage.feed import open_source, run_feed
from rostra.supervisor import bus_address, serve

_DURATION_S = 4 * 3600


async def run_demo(settings: Settings, *, starts_in_s: int, rounds: int, browser: bool, out: Console) -> None:
    """Serve, announce a conversation, play the recording `rounds` times, end it, wait for Ctrl-C."""
    ports = {
        "edge_port": _free_port(settings.edge_host, settings.edge_port),
        "gate_port": _free_port(settings.gate_host, settings.gate_port),
    }
    settings = settings.model_copy(update=ports | {"gates": 1})
    async with (
        serve(settings),
        connect(bus_address(settings, Role.OPERATOR), role=Role.OPERATOR, name="rostra demo") as connection,
    ):
        now_ns = time.time_ns()
        schedule = plan(
            "A Tale of Two Cities, read aloud",
            starts_ns=now_ns + starts_in_s * SECOND_NS,
            doors_lead_s=starts_in_s,
            duration_s=_DURATION_S,
            timezone="Europe/Amsterdam",
            language="en",
            now_ns=now_ns,
        )
        conversation = Conversation(id=f"demo-{secrets.token_hex(3)}", schedule=schedule)
        await create_conversation(connection, conversation)
        page = f"{settings.url}/c/{conversation.id}"
        stage, _ = await invite(connection, settings, conversation.id, StageRole.HOST)
        out.print(f"\n  Listen    [bold]{page}[/]")
        out.print(f"  Speak     {stage}", soft_wrap=True)
        out.print(f"  In VLC    {page}/live.ogg")
        out.print(f"  Hold music now; the recording is on the air in {starts_in_s} s. Ctrl-C stops everything.\n")
        if browser and not await asyncio.to_thread(webbrowser.open, page):
            out.print("  (No browser could be opened here: follow the first link.)")
        for _ in range(rounds):
            with open_source(str(two_cities()), live=False, loop=False, follow=False) as frames:
                await run_feed(connection, conversation.id, "reader", frames, live=False)
        await asyncio.sleep(2)  # the last second of the reader is still on its way to the stage
        await change_conversation(
            connection, conversation.id, lambda before: advance(before, End(), now_ns=time.time_ns())
        )
        out.print("  The conversation has ended. Ctrl-C stops Rostra.")
        await asyncio.Event().wait()


def _free_port(host: str, wanted: int) -> int:
    """The port of the settings, or any free one: a demonstration should not fail over a number."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, wanted))
        except OSError:
            probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port
