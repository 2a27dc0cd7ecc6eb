"""Somebody with any telephone dials in, is heard on the stage, hears the others, and is not disturbed by floods."""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import correlate, resample_poly

from baresip import Telephone, telephone_set
from bus_server import Bus, run
from hearing import speech
from rostra.audio.frame import Frame, Samples, pcm16_to_frame
from rostra.audio.jitter import JitterBuffer
from rostra.audio.opus import OpusDecoder
from rostra.bus import state
from rostra.bus.connection import Connection
from rostra.bus.seats import follow_seats
from rostra.bus.server import prepare
from rostra.bus.subjects import Role
from rostra.core.units import FRAME_SAMPLES, SAMPLE_RATE_HZ
from rostra.gate.arrival import Arrival
from rostra.gate.call_script import RosterSays
from rostra.gate.room import Room
from system import free_port
from telephone_desk import CONVERSATION, LISTENER_PIN, MUSIC_HZ, RoomDesk, speaker_pin, telephone

RTP_PORTS = (43_000, 43_098)
WHISTLE_HZ = 900
SAID_HZ = 500


class Whistler:
    """A speaker in a browser, who whistles one tone."""

    def __init__(self) -> None:
        self._at = 0

    @property
    def arrival(self) -> Arrival:
        return Arrival("webrtc", "opus", JitterBuffer(OpusDecoder()))

    def pull(self) -> Frame | None:
        at = self._at + np.arange(FRAME_SAMPLES)
        self._at += FRAME_SAMPLES
        return (0.2 * np.sin(2 * np.pi * WHISTLE_HZ * at / SAMPLE_RATE_HZ)).astype(np.float32)

    @property
    def is_lossy(self) -> bool:
        return False

    def offer(self, payload: bytes) -> None:
        pass


class Evening:
    """A room with one whistler, a telephone number, and the sound of every seat as it came over the bus."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.desk = RoomDesk(room)
        self.address = ("127.0.0.1", 0)
        self.seats: dict[str, list[Frame]] = {}

    async def listen(self, stage: Connection) -> None:
        async with aclosing(follow_seats(stage, CONVERSATION)) as arrivals:
            async for frames in arrivals:
                if frames.pcm:
                    self.seats.setdefault(frames.seat, []).append(pcm16_to_frame(frames.pcm))

    def said(self, seat: str) -> Samples:
        return np.concatenate(self.seats[seat])


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[Bus]:
    made = Bus(prepare(tmp_path / "bus", free_port()), external=False)
    made.start()
    yield made
    made.kill()


@asynccontextmanager
async def an_evening(bus: Bus) -> AsyncIterator[Evening]:
    async with bus.connect(Role.OPERATOR) as operator:
        await state.provision(operator)
    async with bus.connect(Role.GATE) as gate, bus.connect(Role.STAGE) as stage, asyncio.TaskGroup() as tasks:
        evening = Evening(Room(gate, CONVERSATION))
        evening.room.enter("ann", Whistler())
        running = [tasks.create_task(each) for each in (evening.room.run(), evening.listen(stage))]
        async with telephone(evening.desk, rtp_ports=RTP_PORTS) as evening.address:
            yield evening
        for task in running:
            task.cancel()


async def until(condition: Callable[[], object], what: str, *, within_s: float = 15.0) -> None:
    deadline_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline_s, f"not within {within_s} s: {what}"
        await asyncio.sleep(0.02)


def tone(hertz: float, seconds: float, rate_hz: int, *, level: float = 0.3) -> Samples:
    return (level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate_hz)) / rate_hz)).astype(np.float32)


def level_of(sound: Samples, hertz: float, rate_hz: int) -> float:
    at = np.arange(len(sound))
    return 2 * abs(complex(np.mean(sound * np.exp(-2j * np.pi * hertz * at / rate_hz))))


async def call_in(caller: Telephone, evening: Evening, pin: str) -> None:
    guests = len(evening.desk.guests)
    caller.dial(evening.address)
    await asyncio.sleep(0.5)  # a person hears that somebody answers, and then types
    await caller.press(f"{pin}#")
    await until(lambda: len(evening.desk.guests) > guests, "the PIN opens")


def narrowband_pesq(said: Samples, heard: Samples) -> list[float]:
    """PESQ-NB (ITU-T P.862.1) of pieces of 4 s of `said`, at 8 kHz, wherever in `heard` they are."""
    pesq = pytest.importorskip("pesq", reason="pip install pesq").pesq
    piece, scores = 4 * 8_000, []
    for at in range(piece, len(said) - piece, piece):
        reference = said[at : at + piece]
        likeness = correlate(heard, reference, "valid")
        lag = int(np.argmax(likeness))
        if likeness[lag] > 0.3 * np.sqrt(np.sum(reference**2) * np.sum(heard[lag : lag + piece] ** 2)):
            scores.append(float(pesq(8_000, reference, heard[lag : lag + piece], "nb")))
    return scores


CODECS = ("PCMA/8000/1", "PCMU/8000/1", "opus/48000/2")


@dataclass
class Call:
    """What a caller said as the stage got it, and what the caller heard."""

    arrived: Samples
    heard: Samples
    rate_hz: int


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Call]:
    """Three telephones of different kinds in one room, each reading the same words."""
    folder, made = tmp_path_factory.mktemp("calls"), dict[str, Call]()
    bus = Bus(prepare(folder / "bus", free_port()), external=False)

    async def everybody() -> None:
        async with an_evening(bus) as evening, AsyncExitStack() as sets:
            callers: dict[str, Telephone] = {}
            for number, codec in enumerate(CODECS, 1):
                said = np.concatenate((words(), np.zeros(20 * SAMPLE_RATE_HZ, np.float32)))
                said = said if codec.startswith("opus") else resample_poly(said, 1, 6).astype(np.float32)
                telephone = telephone_set(folder / str(number), codec=codec, said=said)
                callers[codec] = await sets.enter_async_context(telephone)
                await call_in(callers[codec], evening, speaker_pin(number))
            last = f"phone-{len(CODECS)}"
            said_s = len(words()) // SAMPLE_RATE_HZ + 3  # and then the whistler is alone for a while
            await until(lambda: len(evening.seats.get(last, [])) > said_s * 50, f"{said_s} s", within_s=40)
            for caller in callers.values():
                caller.hang_up()
            await until(lambda: all(guest.left for guest in evening.desk.guests), "the seats are free")
            for number, (codec, caller) in enumerate(callers.items(), 1):
                made[codec] = Call(evening.said(f"phone-{number}"), caller.heard(), int(codec.split("/")[1]))

    bus.start()
    try:
        run(everybody)
    finally:
        bus.kill()
    return made


def words() -> Samples:
    return speech()[: 21 * SAMPLE_RATE_HZ]


@pytest.mark.alone
@pytest.mark.parametrize("codec", CODECS)
def test_a_speaker_dials_in_is_heard_and_hears_the_others(calls: dict[str, Call], codec: str) -> None:
    call = calls[codec]
    scores = narrowband_pesq(resample_poly(words(), 1, 6), resample_poly(call.arrived, 1, 6))
    assert len(scores) >= 3
    assert np.mean(scores) > 4.2, scores
    end = call.heard[-3 * call.rate_hz : -call.rate_hz // 2]
    assert level_of(end, WHISTLE_HZ, call.rate_hz) > 0.05, "the other speaker is heard"
    assert level_of(end, MUSIC_HZ, call.rate_hz) < 0.005, "the music is over"


def test_keys_mute_and_unmute_and_raise_a_hand(bus: Bus, tmp_path: Path) -> None:
    async def test() -> None:
        said, folder = tone(SAID_HZ, 60, 8_000), tmp_path / "set"
        async with (
            an_evening(bus) as evening,
            telephone_set(folder, codec="PCMA/8000/1", said=said) as caller,
        ):
            await call_in(caller, evening, LISTENER_PIN)
            (guest,) = evening.desk.guests
            await caller.press("*1")
            await until(lambda: guest.hands == 1, "the hand is up")
            assert list(evening.seats) == ["ann"], "a listener is not heard"
            guest.say(RosterSays.ON_STAGE)
            await until(lambda: len(evening.seats.get("listener-0", [])) > 100, "who is let up is heard")
            await caller.press("*6")
            await until(lambda: guest.mutes == [True], "muted")
            muted_at = len(evening.seats["listener-0"]) + 5
            await until(lambda: len(evening.seats["listener-0"]) > muted_at + 50, "a second of nothing")
            silent = np.concatenate(evening.seats["listener-0"][muted_at:])
            assert float(np.abs(silent).max()) < 1e-3
            await caller.press("*6")
            await until(lambda: guest.mutes == [True, False], "unmuted")
            again = len(evening.seats["listener-0"]) + 10
            await until(lambda: len(evening.seats["listener-0"]) > again + 50, "a second of sound")
            loud = np.concatenate(evening.seats["listener-0"][again:])
            assert level_of(loud, SAID_HZ, SAMPLE_RATE_HZ) > 0.1
            guest.say(RosterSays.OVER)
            await until(lambda: guest.left, "the gate hangs up once it has said goodbye")

    run(test)


def test_who_has_no_pin_hears_why_and_is_let_go_and_is_never_heard(bus: Bus, tmp_path: Path) -> None:
    async def test() -> None:
        said, folder = tone(SAID_HZ, 60, 8_000), tmp_path / "set"
        async with (
            an_evening(bus) as evening,
            telephone_set(folder, codec="PCMU/8000/1", said=said) as caller,
        ):
            caller.dial(evening.address)
            for _ in range(3):
                await asyncio.sleep(0.5)
                await caller.press("00000000#")
            await until(lambda: list(folder.glob("dump-*-dec.wav")), "the call has begun")
            await asyncio.sleep(6)  # the goodbye is 3 s long
            heard = caller.heard()
            assert float(np.abs(heard[-8_000:]).max()) > 0.01
            assert evening.desk.guests == []
            assert list(evening.seats) == ["ann"]

    run(test)


def frames_below(sound: Samples, level: float, frame: int) -> int:
    whole = sound[: len(sound) // frame * frame].reshape(-1, frame)
    return int(np.sum(np.abs(whole).max(axis=1) < level))


FLOOD = """
import os, random, socket, sys, time
sip, rtp, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
offer = "v=0\\r\\no=- 1 1 IN IP4 127.0.0.1\\r\\ns=-\\r\\nc=IN IP4 127.0.0.1\\r\\n"
offer += "t=0 0\\r\\nm=audio 9 RTP/AVP 8\\r\\n"
until, sent = time.monotonic() + seconds, 0
while time.monotonic() < until:
    name = os.urandom(8).hex()
    out.sendto((
        f"INVITE sip:x@127.0.0.1 SIP/2.0\\r\\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK{name}\\r\\n"
        f"From: <sip:{name}@x>;tag={name}\\r\\nTo: <sip:x@y>\\r\\nCall-ID: {name}\\r\\nCSeq: 1 INVITE\\r\\n"
        f"Contact: <sip:127.0.0.1:9>\\r\\nMax-Forwards: 70\\r\\nContent-Type: application/sdp\\r\\n"
        f"Content-Length: {len(offer)}\\r\\n\\r\\n{offer}"
    ).encode(), ("127.0.0.1", sip))
    out.sendto(os.urandom(random.randrange(1, 600)), ("127.0.0.1", sip))
    out.sendto(os.urandom(random.randrange(1, 600)), ("127.0.0.1", rtp))
    out.sendto(b"\\x80\\x08" + os.urandom(170), ("127.0.0.1", rtp))
    sent += 4
    time.sleep(0.0005)
print(sent)
"""


@pytest.mark.alone
def test_floods_of_invitations_and_of_garbage_are_not_heard_by_those_who_are_talking(
    bus: Bus, tmp_path: Path
) -> None:
    async def test() -> None:
        said, folder = tone(SAID_HZ, 60, 8_000), tmp_path / "set"
        async with (
            an_evening(bus) as evening,
            telephone_set(folder, codec="PCMA/8000/1", said=said) as caller,
        ):
            await call_in(caller, evening, speaker_pin(1))
            await until(lambda: len(evening.seats.get("phone-1", [])) > 8 * 50, "the prompt is over", within_s=20)
            begun = len(evening.seats["phone-1"])
            rtp_port = RTP_PORTS[0]
            flood = await asyncio.create_subprocess_exec(
                sys.executable, "-c", FLOOD, str(evening.address[1]), str(rtp_port), "6", stdout=subprocess.PIPE
            )
            sent, _ = await flood.communicate()
            during = np.concatenate(evening.seats["phone-1"][begun:])
            caller.hang_up()
            await until(lambda: evening.desk.guests[0].left, "the seat is free")
            heard = caller.heard()
        quiet_up = frames_below(during, 0.05, FRAME_SAMPLES)
        quiet_down = frames_below(heard[-6 * 8_000 : -8_000], 0.02, 160)
        assert int(sent) > 4_000
        assert len(during) > 5.5 * SAMPLE_RATE_HZ
        assert (quiet_up, quiet_down) == (0, 0), "frames without sound"

    run(test)
