"""What comes over the wire to the telephone is answered as RFC 3261 says, whatever it is; the bad costs nothing."""

import asyncio
import hashlib
import os
import random
import re
import socket
import struct
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing, suppress
from itertools import pairwise
from typing import Any

import pytest

from bus_server import run
from rostra.core.limits import CALLS_PER_SOURCE_MAX, SIP_DATAGRAMS_PER_SECOND_MAX
from rostra.gate.call_script import RosterSays
from rostra.gate.pin import Access
from rostra.gate.room import Speaker
from rostra.gate.telephone import Place, TelephoneSettings, Trunk, run_telephone
from telephone_desk import music

OFFER = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
PCMA = OFFER + "m=audio {port} RTP/AVP 8 96\r\na=rtpmap:96 telephone-event/8000\r\na=ptime:30\r\n"
RTP_PORTS = (43_200, 43_298)


class Reception:
    """A desk that knows no PIN, and keeps what was typed."""

    def __init__(self) -> None:
        self.typed: list[str] = []
        self._asked = asyncio.Event()

    async def lookup(self, pin: str) -> Access | None:
        self.typed.append(pin)
        self._asked.set()
        return None

    async def asked(self) -> None:
        """A PIN has been typed since the last time."""
        async with asyncio.timeout(5):
            await self._asked.wait()
        self._asked.clear()

    async def enter(self, access: Access, speaker: Speaker, say: Callable[[RosterSays], None]) -> Place | None:
        raise AssertionError((access, speaker, say))


class Wire:
    """A UDP socket that speaks SIP by hand."""

    def __init__(self, telephone: tuple[str, int]) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.setblocking(False)
        self._telephone = telephone
        self.port = self._socket.getsockname()[1]

    def send(self, data: bytes) -> None:
        self._socket.sendto(data, self._telephone)

    def request(self, method: str, name: str, body: str = "", **more: Any) -> None:
        self.send(self.text(method, name, body, **more).encode())

    def text(
        self,
        method: str,
        name: str,
        body: str = "",
        *,
        kind: str = "application/sdp",
        to: str = "<sip:rostra@127.0.0.1>",
        cseq: int = 0,
        more: str = "",
        via: str = "",
    ) -> str:
        """`name` is call and tag in one."""
        branch = f"z9hG4bK{name}{method}{cseq}"
        return (
            f"{method} sip:rostra@127.0.0.1 SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {via or f'127.0.0.1:{self.port};rport'};branch={branch}\r\n"
            f"From: <sip:{name}@example.org>;tag={name}\r\nTo: {to}\r\n"
            f"Call-ID: {name}\r\nCSeq: {cseq or (2 if method in {'INFO', 'BYE'} else 1)} {method}\r\n"
            f"Contact: <sip:{name}@127.0.0.1:{self.port}>\r\nMax-Forwards: 70\r\n{more}"
            f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        )

    async def hear(self) -> str:
        async with asyncio.timeout(5):
            return (await asyncio.get_running_loop().sock_recv(self._socket, 65_536)).decode()

    async def final(self) -> str:
        """The next answer that is not 100 Trying."""
        while (answer := await self.hear()).startswith("SIP/2.0 1"):
            pass
        return answer

    async def nothing(self, seconds: float) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await asyncio.get_running_loop().sock_recv(self._socket, 65_536)
                return False
        return True

    def close(self) -> None:
        self._socket.close()


@asynccontextmanager
async def a_telephone(trunk: Trunk | None = None) -> AsyncIterator[tuple[Wire, Reception]]:
    listening: asyncio.Future[tuple[str, int]] = asyncio.get_running_loop().create_future()
    settings = TelephoneSettings(host="127.0.0.1", port=0, rtp_ports=RTP_PORTS, trunk=trunk)
    desk = Reception()
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(run_telephone(settings, desk, music=music(), ready=listening.set_result))
        with closing(Wire(await listening)) as wire:
            yield wire, desk
            running.cancel()
            await asyncio.wait([running])


def header(message: str, name: str) -> str:
    found = re.search(rf"^{name}: (.*?)\r$", message, re.MULTILINE)
    assert found is not None, message
    return found[1]


async def dial(wire: Wire, name: str) -> str:
    """A call that is answered and acknowledged; the To header of its dialog."""
    wire.request("INVITE", name, PCMA.format(port=wire.port))
    answer = await wire.final()
    assert answer.startswith("SIP/2.0 200"), answer
    wire.request("ACK", name, to=header(answer, "To"))
    return header(answer, "To")


async def rtp(wire: Wire) -> bytes:
    """The next packet of sound."""
    async with asyncio.timeout(5):
        while True:
            data = await asyncio.get_running_loop().sock_recv(wire._socket, 65_536)  # noqa: SLF001  its own socket
            if data[0] == 0x80:
                return data


def test_a_call_is_answered_with_the_one_codec_that_fits_and_sound_follows_the_acknowledgement() -> None:
    async def test() -> None:
        async with a_telephone() as (wire, _):
            wire.request("INVITE", "a", PCMA.format(port=wire.port))
            answer = await wire.final()
            assert answer.startswith("SIP/2.0 200")
            assert "m=audio 43200 RTP/AVP 8 96\r\n" in answer
            assert "a=rtpmap:96 telephone-event/8000\r\n" in answer
            assert "a=ptime:20\r\n" in answer
            assert await wire.nothing(0.3), "who has not acknowledged is not sent sound: the address may be forged"
            wire.request("ACK", "a", to=header(answer, "To"))
            packets = [struct.unpack_from(">BBHI", await rtp(wire)) for _ in range(5)]
            assert {payload_type for _, payload_type, _, _ in packets} == {8}
            assert [(later[2] - earlier[2], later[3] - earlier[3]) for earlier, later in pairwise(packets)] == [
                (1, 160)
            ] * 4

    run(test)


@pytest.mark.parametrize(
    "offer",
    [
        OFFER + "m=audio 4000 RTP/AVP 18\r\n",
        OFFER + "m=audio 4000 RTP/SAVP 8\r\n",
        OFFER + "m=video 4000 RTP/AVP 8\r\n",
        OFFER + "m=audio x RTP/AVP 8\r\n",
        OFFER.replace("IN IP4 127.0.0.1\r\nt", "IN IP4 example.org\r\nt") + "m=audio 4000 RTP/AVP 8\r\n",
        "nonsense",
        "",
    ],
    ids=["G.729", "SRTP", "video", "no port", "a name", "nonsense", "nothing"],
)
def test_an_offer_that_does_not_fit_is_488(offer: str) -> None:
    async def test() -> None:
        async with a_telephone() as (wire, _):
            wire.request("INVITE", "a", offer)
            assert (await wire.final()).startswith("SIP/2.0 488")

    run(test)


def test_one_source_with_too_many_calls_is_486_with_the_time_to_come_back() -> None:
    async def test() -> None:
        async with a_telephone() as (wire, _):
            for number in range(CALLS_PER_SOURCE_MAX):
                wire.request("INVITE", f"call-{number}", PCMA.format(port=9))
                assert (await wire.final()).startswith("SIP/2.0 200")
            wire.request("INVITE", "more", PCMA.format(port=9))
            refusal = await wire.final()
            while "Call-ID: more" not in refusal:  # answers that were not acknowledged come again
                refusal = await wire.final()
            assert refusal.startswith("SIP/2.0 486")
            assert header(refusal, "Retry-After") == "60"

    run(test)


def test_no_spelling_of_an_invitation_comes_in_past_the_door() -> None:
    async def test() -> None:
        async with a_telephone() as (wire, _):
            for number in range(CALLS_PER_SOURCE_MAX):
                wire.request("invite", f"call-{number}", PCMA.format(port=9))
            wire.request("Invite", "more", PCMA.format(port=9))
            while "Call-ID: more" not in (refusal := await wire.final()):
                pass
            assert refusal.startswith("SIP/2.0 486")

    run(test)


def test_a_second_invitation_before_the_first_is_answered_is_no_call() -> None:
    async def test() -> None:
        async with a_telephone() as (wire, _):
            wire.request("INVITE", "a", PCMA.format(port=wire.port))
            wire.request("INVITE", "a", PCMA.format(port=9), to="<sip:rostra@127.0.0.1>;tag=forged", cseq=2)
            answer = await wire.final()
            assert (answer[:11], header(answer, "CSeq")) == ("SIP/2.0 200", "1 INVITE")
            wire.request("ACK", "a", to=header(answer, "To"))
            await rtp(wire)
            wire.request("BYE", "a", to=header(answer, "To"), cseq=3)
            assert (await wire_text(wire)).startswith("SIP/2.0 200")

    run(test)


def test_an_invitation_that_is_sent_again_is_the_same_call() -> None:
    async def test() -> None:
        async with a_telephone() as (wire, _):
            for _ in range(3):
                wire.request("INVITE", "a", PCMA.format(port=9))
            answers = {header(await wire.final(), "To") for _ in range(2)}
            assert len(answers) == 1

    run(test)


def test_keys_come_by_rtp_events_and_by_info() -> None:
    async def test() -> None:
        async with a_telephone() as (wire, desk):
            to = await dial(wire, "a")
            out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            for at, event in enumerate((1, 2, 3, 4, 5, 6, 7, 8, 11)):
                for repeat in range(3):  # RFC 4733 §2.5.1.4: the end comes three times
                    head = struct.pack(">BBHII", 0x80, 96, at * 3 + repeat, 1_000 * at, 7)
                    out.sendto(head + struct.pack(">BBH", event, 0x8A, 800), ("127.0.0.1", RTP_PORTS[0]))
                await asyncio.sleep(0)
            out.close()
            await desk.asked()
            for at, key in enumerate("87654321#"):
                for _ in range(2):  # UDP: a request whose answer was lost is sent again
                    body = f"Signal={key}\r\nDuration=160\r\n"
                    wire.request("INFO", "a", body, kind="application/dtmf-relay", to=to, cseq=2 + at)
            await desk.asked()
            assert desk.typed == ["12345678", "87654321"]

    run(test)


def test_a_caller_who_hangs_up_makes_room() -> None:
    async def test() -> None:
        async with a_telephone() as (wire, _):
            for number in range(CALLS_PER_SOURCE_MAX + 2):
                to = await dial(wire, f"a{number}")
                wire.request("BYE", f"a{number}", to=to)
                answer = await wire_text(wire)
                assert (answer[:11], header(answer, "CSeq")) == ("SIP/2.0 200", "2 BYE")

    run(test)


def test_who_types_no_pin_in_three_tries_is_hung_up_on() -> None:
    async def test() -> None:
        async with a_telephone() as (wire, desk):
            to = await dial(wire, "a")
            for at in range(3):
                wire.request("INFO", "a", "Signal=#\r\n", kind="application/dtmf-relay", to=to, cseq=2 + at)
            while not (message := await wire_text(wire)).startswith("BYE"):
                assert "INFO" in message
            assert desk.typed == [], "what is too short to be a PIN is not looked up"

    run(test)


def test_a_caller_whose_sound_moves_is_followed_and_one_with_another_codec_is_not() -> None:
    async def test() -> None:
        async with a_telephone() as (wire, _):
            to = await dial(wire, "a")
            elsewhere = Wire(("127.0.0.1", 0))
            wire.request("INVITE", "a", PCMA.format(port=elsewhere.port), to=to, cseq=3)
            assert (await wire_text(wire)).startswith("SIP/2.0 200")
            assert (await rtp(elsewhere))[1] == 8
            wire.request("ACK", "a", to=to, cseq=3)
            wire.request("INVITE", "a", OFFER + f"m=audio {wire.port} RTP/AVP 0\r\n", to=to, cseq=4)
            assert (await wire_text(wire)).startswith("SIP/2.0 488")
            elsewhere.close()

    run(test)


def test_a_request_within_no_call_is_481() -> None:
    async def test() -> None:
        async with a_telephone() as (wire, _):
            for method in ("INVITE", "BYE", "INFO", "CANCEL"):
                wire.request(method, "a", PCMA.format(port=9), to="<sip:rostra@127.0.0.1>;tag=nobody")
                assert (await wire.final()).startswith("SIP/2.0 481"), method

    run(test)


def test_a_telephone_that_promised_to_tell_that_it_is_there_and_does_not_is_hung_up_on() -> None:
    async def test() -> None:
        async with a_telephone() as (wire, _):
            more = "Supported: timer\r\nSession-Expires: 3\r\n"
            wire.request("INVITE", "a", PCMA.format(port=wire.port), more=more)
            answer = await wire.final()
            assert header(answer, "Session-Expires") == "3;refresher=uac"
            wire.request("ACK", "a", to=header(answer, "To"))
            assert (await wire_text(wire)).startswith("BYE")

    run(test)


def test_where_the_extra_is_not_installed_the_telephone_says_so_and_the_gate_goes_on() -> None:
    program = """
import asyncio, sys
sys.modules["aiosipua"] = None
import numpy
from rostra.gate.telephone import TelephoneSettings, run_telephone
asyncio.run(run_telephone(TelephoneSettings(), None, music=numpy.zeros(960)))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "pip install rostra[telephone]" in done.stdout + done.stderr


async def wire_text(wire: Wire) -> str:
    """The next SIP message among the sound."""
    async with asyncio.timeout(5):
        while True:
            data = await asyncio.get_running_loop().sock_recv(wire._socket, 65_536)  # noqa: SLF001  its own socket
            if data[0] != 0x80:
                return data.decode()


def test_garbage_and_floods_of_it_are_dropped_and_the_next_call_is_answered() -> None:
    async def test() -> None:
        async with a_telephone() as (wire, _):
            for data in (
                b"\r\n\r\n",
                b"INVITE",
                b"\xff" * 9_000,
                b"SIP/2.0 200 OK\r\n\r\n",
                b"A b SIP/2.0\r\n\r\n",
            ):
                wire.send(data)
            for _ in range(2 * SIP_DATAGRAMS_PER_SECOND_MAX):
                wire.send(os.urandom(300))
            await asyncio.sleep(1.5)  # the budget of a second is there again
            await dial(wire, "a")

    run(test)


def test_requests_with_any_bytes_wrong_are_survived() -> None:
    async def test() -> None:
        chance = random.Random(4)
        async with a_telephone() as (wire, _):
            to = await dial(wire, "a")
            methods = ("ACK", "BYE", "INFO", "UPDATE", "REFER", "NOTIFY", "PRACK", "CANCEL", "OPTIONS", "INVITE")
            for number in range(SIP_DATAGRAMS_PER_SECOND_MAX - 50):
                request = bytearray(wire.text(chance.choice(methods), "a", PCMA, to=to, cseq=number + 2).encode())
                for _ in range(chance.randrange(1, 6)):
                    at = chance.randrange(len(request))
                    request[at : at + chance.randrange(8)] = chance.randbytes(chance.randrange(8))
                wire.send(bytes(request))
                await asyncio.sleep(0)
            await asyncio.sleep(0.5)  # they have been read
            wire.request("OPTIONS", "b")
            while "Call-ID: b" not in (answer := await wire_text(wire)):
                pass
            assert answer.startswith("SIP/2.0 200")

    run(test)


def test_invitations_that_cannot_be_answered_leave_nothing_behind() -> None:
    async def test() -> None:
        async with a_telephone() as (wire, _):
            for number in range(2 * CALLS_PER_SOURCE_MAX - 1):
                via = ("127.0.0.1:99999", "127.0.0.1:9;rport=70000", "127.0.0.1:9;received=example.org")[number % 3]
                wire.request("INVITE", f"forged-{number}", PCMA.format(port=9), via=via)
                text = wire.text("OPTIONS", "short", via=via).replace("CSeq", "X-CSeq")
                wire.send(text.encode())
            await dial(wire, "a")

    run(test)


def test_a_trunk_is_registered_with_and_answered_when_it_asks_for_a_digest() -> None:
    async def test() -> None:
        registrar = Wire(("127.0.0.1", 0))
        trunk = Trunk("sip:rostra@example.org", ("127.0.0.1", registrar.port), "rostra", "secret")
        async with a_telephone(trunk) as (wire, _):
            registrar._telephone = wire._telephone  # noqa: SLF001  who registers is who is called
            first = await registrar.hear()
            assert first.startswith("REGISTER sip:example.org SIP/2.0")
            registrar.send(answer_to(first, "401 Unauthorized", 'WWW-Authenticate: Digest realm="r", nonce="n"'))
            second = await registrar.hear()
            expected = digest("rostra:r:secret", "n", "REGISTER:sip:example.org")
            assert f'response="{expected}"' in header(second, "Authorization")
            registrar.send(answer_to(second, "200 OK", "Expires: 300"))
        while not (last := await registrar.hear()).startswith("REGISTER") or "Expires: 0" not in last:
            pass
        registrar.close()

    run(test)


def answer_to(request: str, status: str, *more: str) -> bytes:
    copied = [f"{name}: {header(request, name)}" for name in ("Via", "From", "To", "Call-ID", "CSeq")]
    return "\r\n".join([f"SIP/2.0 {status}", *copied, *more, "Content-Length: 0", "", ""]).encode()


def digest(user: str, nonce: str, what: str) -> str:
    """RFC 2617 §3.2.2.1, without qop."""
    halves = [hashlib.md5(half.encode()).hexdigest() for half in (user, what)]  # noqa: S324  as the standard says
    return hashlib.md5(f"{halves[0]}:{nonce}:{halves[1]}".encode()).hexdigest()  # noqa: S324  likewise
