"""What we use of aiortc that is not public is still there, and sound goes through it both ways."""

import asyncio
import time
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription
from av import AudioFrame

from rostra.audio.frame import Samples
from rostra.audio.opus import OpusEncoder
from rostra.core.errors import BadInputError
from rostra.core.units import FRAME_SAMPLES, SAMPLE_RATE_HZ
from rostra.gate.peer import Peer

SECONDS = 3


def tone(hertz: int, seconds: float = SECONDS) -> Samples:
    time_s = np.arange(int(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    return (0.3 * np.sin(2 * np.pi * hertz * time_s)).astype(np.float32)


def loudest_hz(samples: Samples) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum) * SAMPLE_RATE_HZ / len(samples))


class Tone(MediaStreamTrack):
    """A microphone that hears one tone, in real time."""

    kind = "audio"

    def __init__(self, hertz: int) -> None:
        super().__init__()
        self._frames = self._cut(tone(hertz, 60))
        self._at = 0
        self._began_s = 0.0

    @staticmethod
    def _cut(samples: Samples) -> Iterator[Samples]:
        for at in range(0, len(samples), FRAME_SAMPLES):
            yield samples[at : at + FRAME_SAMPLES]

    async def recv(self) -> AudioFrame:
        self._began_s = self._began_s or time.monotonic()
        await asyncio.sleep(max(0.0, self._began_s + self._at / SAMPLE_RATE_HZ - time.monotonic()))
        pcm = (next(self._frames) * 32_767).astype(np.int16)
        frame = AudioFrame.from_ndarray(pcm.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE_HZ, self._at, Fraction(1, SAMPLE_RATE_HZ)
        self._at += FRAME_SAMPLES
        return frame


async def call(peer: Peer, client: RTCPeerConnection) -> None:
    await client.setLocalDescription(await client.createOffer())
    answer = await peer.accept(client.localDescription.sdp)
    await client.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    async with asyncio.timeout(10):
        await peer.connected.wait()


def test_a_speaker_is_heard_and_hears() -> None:
    async def test() -> None:
        peer, client = Peer(), RTCPeerConnection()
        client.addTrack(Tone(440))
        returned: list[Samples] = []

        async def listen(track: MediaStreamTrack) -> None:
            while True:
                frame = await track.recv()
                returned.append(frame.to_ndarray().reshape(-1)[::2].astype(np.float32) / 32_768)

        listening: list[asyncio.Task[None]] = []
        async with asyncio.TaskGroup() as tasks:
            client.on("track", lambda track: listening.append(tasks.create_task(listen(track))))
            await call(peer, client)
            encoder, back = OpusEncoder(32_000), tone(880)
            heard: list[Samples] = []
            began_s = time.monotonic()
            for at in range(0, len(back), FRAME_SAMPLES):
                await asyncio.sleep(max(0.0, began_s + at / SAMPLE_RATE_HZ - time.monotonic()))
                peer.offer(encoder.encode(back[at : at + FRAME_SAMPLES]))
                frame = peer.pull()
                if frame is not None:
                    heard.append(frame)
            listening[0].cancel()
            (told,) = [each for each in (await client.getStats()).values() if each.type == "remote-outbound-rtp"]
        assert 0 <= len(returned) * FRAME_SAMPLES / SAMPLE_RATE_HZ - told.packetsSent / 50 < 3
        assert told.packetsSent > (SECONDS - 2) * 50  # by the newest of RTCP's sender reports
        await client.close()
        await peer.close()
        assert len(heard) > (SECONDS - 0.5) * 50
        assert abs(loudest_hz(np.concatenate(heard)[-48_000:]) - 440) < 2
        assert abs(loudest_hz(np.concatenate(returned)[-48_000:]) - 880) < 2
        assert peer.buffer.provenance.concealed <= 2
        assert peer.lost.is_set()

    asyncio.run(test())


def test_the_names_that_are_not_public_are_still_there() -> None:
    """What gate/peer.py and gate/loop.py rely on; whatever of it changes must be seen before a release."""

    async def test() -> None:
        async with asyncio.timeout(10):
            peer = RTCPeerConnection()
            assert len(vars(peer)["_RTCPeerConnection__certificates"]) == 1
            peer.addTransceiver("audio")
            await peer.setLocalDescription(await peer.createOffer())
            ice: Any = peer.getTransceivers()[0].receiver.transport.transport
            connection = ice._connection  # noqa: SLF001
            assert connection._check_list == []  # noqa: SLF001
            assert connection._nominated == {}  # noqa: SLF001
            assert "_RTCRtpSender__stats" in vars(peer.getSenders()[0])
            await peer.close()

    asyncio.run(test())


@pytest.mark.parametrize(
    "offer",
    [
        "",
        "v=0\r\n",
        "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 VP8/90000\r\n",
        "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=rtpmap:0 PCMU/8000\r\n",
        "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=rtpmap:111 opus/48000/2\r\n",
        "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=rtpmap:xyz opus/48000/2\r\n",
        "v=0\r\n" + "a=x\r\n" * 20_000,
    ],
)
def test_an_offer_that_cannot_be_answered_is_refused_in_words(offer: str) -> None:
    async def test() -> None:
        peer = Peer()
        with pytest.raises(BadInputError):
            await peer.accept(offer)
        await peer.close()

    asyncio.run(test())
