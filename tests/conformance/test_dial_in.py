"""The whole system with a telephone: a stranger's SIP client, a PIN, and a voice on the air."""

import asyncio
import json
from pathlib import Path

import pytest
from scipy.signal import resample_poly

from baresip import telephone_set
from hearing import ffmpeg_hears, speech
from rostra.core.units import SAMPLE_RATE_HZ
from rostra.rehearsal.listener import Listener
from states import wait_for_state
from system import System, free_port, free_ports, running, wait_until
from voices import strength

PERIOD_S = 36


async def _call(system: System, folder: Path, port: int, url: str) -> bytes:
    said = resample_poly(speech()[4 * SAMPLE_RATE_HZ : (4 + PERIOD_S) * SAMPLE_RATE_HZ], 1, 6)
    pins = json.loads(await asyncio.to_thread(lambda: system.rostra("pins", "phoned", "--json").stdout))
    heard = bytearray()
    async with telephone_set(folder, codec="PCMA/8000/1", said=5 * said) as caller:
        caller.dial(("127.0.0.1", port))
        await asyncio.sleep(1)
        await caller.press(pins["speaker 1"] + "#")
        await asyncio.to_thread(wait_for_state, system, "phoned", "live")
        listener = Listener(url, sink=heard.extend)
        await asyncio.to_thread(lambda: listener.listen(seconds=12))
        gates = (await asyncio.to_thread(system.status))["gates"]
        assert gates[0]["connected"]["phoned"] == ["phone-1"]
        caller.hang_up()
        await asyncio.to_thread(
            lambda: wait_until(
                lambda: not system.status()["gates"][0]["connected"]["phoned"], within_s=10, what="hung up"
            )
        )
    return bytes(heard)


@pytest.mark.timeout(180)
def test_a_caller_is_heard_on_the_air(tmp_path: Path) -> None:
    sip, rtp = free_port(), free_ports(20)
    rtp += rtp % 2
    settings = {"telephone": "1", "telephone_port": str(sip), "telephone_rtp_ports": f"{rtp}-{rtp + 10}"}
    with running(tmp_path / "system", gates="1", recorders="0", gate_port=str(free_ports(1)), **settings) as system:
        announced = system.schedule("By telephone", at="+2s", doors="2s", id="phoned")
        media = asyncio.run(_call(system, tmp_path / "set", sip, announced["url"]))
    decoded = ffmpeg_hears(media, tmp_path / "heard.webm").samples
    said = speech()[4 * SAMPLE_RATE_HZ : (4 + PERIOD_S) * SAMPLE_RATE_HZ]
    # Which four seconds are compared does not matter; one hiccup of the machine spoils those in which it falls.
    assert max(strength(said, decoded[at * SAMPLE_RATE_HZ :]) for at in (3, 5, 7)) > 0.8
