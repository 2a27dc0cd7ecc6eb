"""People with real speech, without browsers: Opus packets made once, sent in time. Standard input: invitations."""

import asyncio
import json
import sys
import time
import urllib.request
from fractions import Fraction
from typing import Any

from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription
from av import Packet

from hearing import speech
from rostra.audio.opus import OpusEncoder
from rostra.core.units import FRAME_SAMPLES

STAY_S = 55


class Speech(MediaStreamTrack):
    kind = "audio"

    def __init__(self, packets: list[bytes], start: int) -> None:
        super().__init__()
        self._packets = packets
        self._at = start
        self._due_s = time.monotonic()
        self._timestamp = 0
        self.sent = 0

    async def recv(self) -> "Packet[Any]":
        self._due_s += 0.02
        await asyncio.sleep(max(0.0, self._due_s - time.monotonic()))
        packet: Packet[Any] = Packet(self._packets[self._at % len(self._packets)])
        packet.pts, packet.time_base = self._timestamp, Fraction(1, 48_000)
        self._timestamp += FRAME_SAMPLES
        self._at += 1
        self.sent += 1
        return packet


async def speak(invitation: dict[str, str], packets: list[bytes], number: int) -> tuple[int, int]:
    peer, track = RTCPeerConnection(), Speech(packets, number * 150)
    peer.addTrack(track)
    received = 0

    async def drop(packet: Any, arrival_time_ms: int) -> None:
        nonlocal received
        del packet, arrival_time_ms
        received += 1

    await peer.setLocalDescription(await peer.createOffer())
    headers = {"Content-Type": "application/sdp", "Authorization": f"Bearer {invitation['token']}"}
    url = f"{invitation['whip']}?name=Speaker{number}"
    request = urllib.request.Request(url, peer.localDescription.sdp.encode(), headers)  # noqa: S310 # our own address
    answer = await asyncio.to_thread(lambda: urllib.request.urlopen(request).read().decode())  # noqa: S310
    peer.getTransceivers()[0].receiver._handle_rtp_packet = drop  # noqa: SLF001 # decoding would cost them more than all the rest
    await peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    await asyncio.sleep(STAY_S)
    await peer.close()
    return track.sent, received


async def main() -> None:
    invitations = json.load(sys.stdin)
    encoder = OpusEncoder(40_000)
    sound = speech()
    frames = range(0, len(sound) - FRAME_SAMPLES, FRAME_SAMPLES)
    packets = [encoder.encode(sound[at : at + FRAME_SAMPLES]) for at in frames]
    async with asyncio.TaskGroup() as tasks:
        speaking = [
            tasks.create_task(speak(invitation, packets, number), name=f"speaker {number}")
            for number, invitation in enumerate(invitations)
        ]
    done = [each.result() for each in speaking]
    sys.stdout.write(json.dumps({"sent": sum(s for s, _ in done), "received": sum(r for _, r in done)}))


asyncio.run(main())
