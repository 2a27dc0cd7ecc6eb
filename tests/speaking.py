"""Somebody who speaks by WebRTC without a browser: Opus packets made once, what comes back counted."""

import asyncio
import re
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from functools import cache
from threading import Event, Thread
from typing import Any

import numpy as np
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription
from aiortc.rtcrtpreceiver import StreamStatistics
from aiortc.rtp import RtpPacket
from av import Packet

from hearing import speech
from rostra.audio.opus import OpusEncoder
from rostra.core.units import FRAME_SAMPLES, SAMPLE_RATE_HZ


@cache
def spoken() -> list[bytes]:
    """The recording from its first word on, as Opus packets of 20 ms."""
    encoder, sound = OpusEncoder(40_000), speech()[4 * SAMPLE_RATE_HZ :]
    frames = range(0, len(sound) - FRAME_SAMPLES, FRAME_SAMPLES)
    return [encoder.encode(sound[at : at + FRAME_SAMPLES]) for at in frames]


@cache
def murmured() -> list[bytes]:
    """A quiet room (-65 dBFS) with somebody in it who says nothing, as `spoken`."""
    encoder, chance = OpusEncoder(40_000), np.random.default_rng(1)
    return [encoder.encode((0.0006 * chance.standard_normal(FRAME_SAMPLES)).astype(np.float32)) for _ in range(500)]


class Speech(MediaStreamTrack):
    kind = "audio"

    def __init__(self, start: int = 0, *, silent: bool = False) -> None:
        super().__init__()
        self._packets = murmured() if silent else spoken()
        self._at = start
        self._due_s = time.monotonic()
        self._timestamp = 0
        self.sent = 0

    async def recv(self) -> "Packet[Any]":
        self._due_s += 0.02
        await asyncio.sleep(max(0.0, self._due_s - time.monotonic()))
        packet: Packet[Any] = Packet(self._packets[self._at % len(self._packets)])
        packet.pts, packet.time_base = self._timestamp, Fraction(1, SAMPLE_RATE_HZ)
        self._timestamp += FRAME_SAMPLES
        self._at += 1
        self.sent += 1
        return packet


class Visitor:
    """One session; `gate` is where its sound goes."""

    def __init__(
        self, invitation: dict[str, str], *, start: int = 0, silent: bool = False, sound: str = "raw"
    ) -> None:
        self._invitation = invitation
        self._peer = RTCPeerConnection()
        self._track = Speech(start, silent=silent)
        self._sound = sound
        self.received = 0
        self.gate = ("", 0)

    @property
    def sent(self) -> int:
        return self._track.sent

    async def speak(self, name: str) -> None:
        self._peer.addTrack(self._track)

        async def count(packet: RtpPacket, arrival_time_ms: int) -> None:
            del arrival_time_ms
            self.received += 1
            streams.setdefault(packet.ssrc, StreamStatistics(SAMPLE_RATE_HZ)).add(packet)

        await self._peer.setLocalDescription(await self._peer.createOffer())
        headers = {"Content-Type": "application/sdp", "Authorization": f"Bearer {self._invitation['token']}"}
        offer = self._peer.localDescription.sdp.encode()
        request = urllib.request.Request(
            f"{self._invitation['whip']}?name={name}&sound={self._sound}", offer, headers
        )
        answer = await asyncio.to_thread(lambda: urllib.request.urlopen(request).read().decode())
        found = re.search(r"a=candidate:\S+ 1 udp \d+ (\S+) (\d+) typ host", answer)
        assert found is not None
        self.gate = (found[1], int(found[2]))
        # Decoding would cost more than all the rest; what came is reported as a browser does.
        receiver: Any = self._peer.getTransceivers()[0].receiver
        streams: dict[int, StreamStatistics] = receiver._RTCRtpReceiver__remote_streams  # noqa: SLF001
        receiver._handle_rtp_packet = count  # noqa: SLF001
        await self._peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))

    async def close(self) -> None:
        await self._peer.close()


@contextmanager
def visitor(invitation: dict[str, str]) -> Iterator[Visitor]:
    """Somebody who speaks inside the block, in a thread of their own."""
    speaking, over = Event(), Event()
    made: list[Visitor] = []

    async def visit() -> None:
        made.append(Visitor(invitation))
        await made[0].speak("Visitor")
        speaking.set()
        await asyncio.to_thread(over.wait)
        await made[0].close()

    thread = Thread(target=lambda: asyncio.run(visit()))
    thread.start()
    try:
        assert speaking.wait(20)
        yield made[0]
    finally:
        over.set()
        thread.join()
