"""WHIP (RFC 9725): an encoder of somebody else speaks on the air, and every request is answered as the RFC says."""

import asyncio
import json
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import numpy as np
import pytest
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack

from hearing import ffmpeg_hears
from machine import lacks
from rostra.core.units import SAMPLE_RATE_HZ
from rostra.rehearsal.listener import Listener
from states import wait_for_state
from system import System, free_ports, running
from voices import part, strength

GSTREAMER = "import gi; gi.require_version('GstWebRTC', '1.0'); from gi.repository import Gst; Gst.init(None)"


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running(tmp_path_factory.mktemp("whip"), gates="1", gate_port=str(free_ports(1))) as started:
        yield started


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: str

    @property
    def problem(self) -> dict[str, Any]:
        assert self.headers["content-type"] == "application/problem+json"
        return dict(json.loads(self.body))


def ask(method: str, url: str, body: str | bytes | None = None, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    data = body.encode() if isinstance(body, str) else body
    request = urllib.request.Request(url, data, named, method=method)
    try:
        with urllib.request.urlopen(request, timeout=15) as answer:
            return Reply(answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read().decode())
    except HTTPError as error:
        return Reply(error.code, {k.lower(): v for k, v in error.headers.items()}, error.read().decode())


@pytest.fixture(scope="module")
def invited(system: System) -> dict[str, str]:
    """A conversation an hour away, and an invitation to it."""
    system.schedule("Later", at="+60m", doors="60m", id="later")
    return dict(json.loads(system.rostra("invite", "later", "--name", "Encoder", "--json").stdout))


def offer_of(peer: RTCPeerConnection) -> str:
    async def make() -> str:
        peer.addTransceiver(AudioStreamTrack(), direction="sendonly")
        await peer.setLocalDescription(await peer.createOffer())
        return str(peer.localDescription.sdp)

    return asyncio.get_event_loop().run_until_complete(make())


@pytest.fixture(scope="module")
def offer() -> Iterator[str]:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    peer = RTCPeerConnection()
    yield offer_of(peer)
    loop.run_until_complete(peer.close())
    loop.close()
    asyncio.set_event_loop(None)


def test_an_encoder_of_somebody_else_is_heard_on_the_air(system: System, tmp_path: Path) -> None:
    if subprocess.run(["/usr/bin/python3", "-c", GSTREAMER], capture_output=True, check=False).returncode:
        lacks("GStreamer", "apt-get install gstreamer1.0-plugins-bad gstreamer1.0-nice python3-gst-1.0")
    announced = system.schedule("Encoder", at="+3s", doors="3s", id="encoder")
    invitation = json.loads(system.rostra("invite", "encoder", "--json").stdout)
    microphone, said = part(tmp_path, 4, seconds=14)
    script = Path(__file__).with_name("whip_gstreamer.py")
    command = ["/usr/bin/python3", script, microphone, "13", invitation["whip"], invitation["token"]]
    client = subprocess.Popen(command, stderr=subprocess.PIPE)
    wait_for_state(system, "encoder", "live")
    heard = bytearray()
    Listener(announced["url"], sink=heard.extend).listen(seconds=8)
    _, complaints = client.communicate(timeout=30)
    assert client.returncode == 0, complaints.decode()
    decoded = ffmpeg_hears(bytes(heard), tmp_path / "heard.webm").samples
    assert strength(decoded, said[SAMPLE_RATE_HZ:]) > 0.9
    assert np.max(np.abs(decoded)) <= 1.0


def test_a_session_is_made_fed_with_candidates_and_ended(invited: dict[str, str], offer: str) -> None:
    bearer = {"Authorization": f"Bearer {invited['token']}"}
    made = ask("POST", invited["whip"], offer, Content_Type="application/sdp", **bearer)
    assert made.status == HTTPStatus.CREATED
    assert made.headers["content-type"] == "application/sdp"
    assert RTCSessionDescription(made.body, "answer").sdp.startswith("v=0")
    assert "a=recvonly" in made.body
    session, etag = made.headers["location"], made.headers["etag"]
    ufrag = next(line for line in offer.splitlines() if line.startswith("a=ice-ufrag:"))
    more = f"{ufrag}\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n"
    more += "a=candidate:1 1 udp 2130706431 127.0.0.1 50000 typ host\r\n"
    fragment = {"Content_Type": "application/trickle-ice-sdpfrag"} | bearer
    assert ask("PATCH", session, more, **fragment).status == HTTPStatus.PRECONDITION_REQUIRED
    assert ask("PATCH", session, more, If_Match='"old"', **fragment).status == HTTPStatus.PRECONDITION_FAILED
    assert ask("PATCH", session, more, If_Match=etag, **fragment).status == HTTPStatus.NO_CONTENT
    restart = more.replace(ufrag, "a=ice-ufrag:other\r\na=ice-pwd:0123456789012345678901")
    assert ask("PATCH", session, restart, If_Match="*", **fragment).status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert ask("PATCH", session, "hello", If_Match=etag, **fragment).status == HTTPStatus.BAD_REQUEST
    assert ask("DELETE", session).status == HTTPStatus.UNAUTHORIZED
    assert ask("DELETE", session, **bearer).status == HTTPStatus.OK
    gone = ask("DELETE", session, **bearer)
    assert (gone.status, gone.problem["status"]) == (HTTPStatus.NOT_FOUND, HTTPStatus.NOT_FOUND)


def test_the_second_use_of_an_invitation_ends_the_first(invited: dict[str, str], offer: str) -> None:
    headers = {"Authorization": f"Bearer {invited['token']}", "Content_Type": "application/sdp"}
    first = ask("POST", invited["whip"], offer, **headers)
    second = ask("POST", invited["whip"], offer, **headers)
    assert second.status == HTTPStatus.CREATED
    assert ask("DELETE", first.headers["location"], **headers).status == HTTPStatus.NOT_FOUND
    assert ask("DELETE", second.headers["location"], **headers).status == HTTPStatus.OK


def test_browsers_of_other_origins_may_ask(invited: dict[str, str]) -> None:
    plain = ask("OPTIONS", invited["whip"])
    assert plain.status == HTTPStatus.NO_CONTENT
    assert plain.headers["accept-post"] == "application/sdp"
    asked = {"Origin": "https://else.example", "Access_Control_Request_Method": "PATCH"}
    preflight = ask("OPTIONS", invited["whip"], **asked, Access_Control_Request_Headers="authorization,if-match")
    assert preflight.status == HTTPStatus.OK
    assert "PATCH" in preflight.headers["access-control-allow-methods"]
    made = ask("POST", invited["whip"], "v=0", Content_Type="application/sdp", Origin="https://else.example")
    assert made.headers["access-control-allow-origin"] == "*"
    assert "Location" in made.headers["access-control-expose-headers"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT"])
def test_methods_that_the_rfc_reserves_are_not_allowed(invited: dict[str, str], method: str) -> None:
    assert ask(method, invited["whip"]).status == HTTPStatus.METHOD_NOT_ALLOWED


VIDEO = "v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=-\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 VP8/90000\r\n"
PCMU = "v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=-\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=rtpmap:0 PCMU/8000\r\n"


@pytest.mark.parametrize(
    ("body", "type_", "status", "said"),
    [
        ("hello", "application/sdp", HTTPStatus.BAD_REQUEST, "no SDP"),
        (VIDEO, "application/sdp", HTTPStatus.BAD_REQUEST, "one medium: audio"),
        (PCMU, "application/sdp", HTTPStatus.BAD_REQUEST, "Opus"),
        (PCMU.replace("0 PCMU/8000", "111 opus/48000/2"), "application/sdp", HTTPStatus.BAD_REQUEST, "cannot be"),
        (b"\xff\xfe\x00", "application/sdp", HTTPStatus.BAD_REQUEST, "UTF-8"),
        ("v=0\r\n" + "a=x\r\n" * 20_000, "application/sdp", HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "bytes"),
        ("v=0", "text/plain", HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "application/sdp"),
    ],
)
def test_what_cannot_be_answered_is_refused_with_the_reason(
    invited: dict[str, str], body: str | bytes, type_: str, status: HTTPStatus, said: str
) -> None:
    bearer = {"Authorization": f"Bearer {invited['token']}"}
    reply = ask("POST", invited["whip"], body, Content_Type=type_, **bearer)
    assert reply.status == status, reply.body
    assert said in reply.problem["detail"]


def test_p8_without_an_invitation_of_this_conversation_nobody_comes_in(
    system: System, invited: dict[str, str], offer: str
) -> None:
    system.schedule("Other", at="+60m", doors="60m", id="other")
    sdp = {"Content_Type": "application/sdp"}
    for token in ("", "Bearer", "Bearer x", f"Basic {invited['token']}", f"Bearer {invited['token'][:-2]}AA"):
        refused = ask("POST", invited["whip"], offer, Authorization=token, **sdp)
        assert refused.status == HTTPStatus.UNAUTHORIZED
        assert refused.headers["www-authenticate"] == "Bearer"
    bearer = {"Authorization": f"Bearer {invited['token']}"}
    elsewhere = invited["whip"].replace("later", "other")
    assert ask("POST", elsewhere, offer, **bearer, **sdp).status == HTTPStatus.UNAUTHORIZED
    nowhere = invited["whip"].replace("later", "nowhere")
    assert ask("POST", nowhere, offer, **bearer, **sdp).status == HTTPStatus.NOT_FOUND
    listener = json.loads(system.rostra("invite", "later", "--role", "listener", "--json").stdout)
    refused = ask("POST", invited["whip"], offer, Authorization=f"Bearer {listener['token']}", **sdp)
    assert refused.status == HTTPStatus.FORBIDDEN
    assert "raise a hand" in refused.problem["detail"]


def test_p8_nobody_asks_for_what_is_not_theirs_to_ask(invited: dict[str, str]) -> None:
    acts = invited["url"].partition("#")[0] + "/acts"
    headers = {"Authorization": f"Bearer {invited['token']}", "Content_Type": "application/json"}
    enter, elapse = '{"act":{"type":"Enter","name":"x","role":"host"}}', '{"act":{"type":"Elapse"}}'
    for body in (enter, elapse, "[]", '{"act":1}', "\x00"):
        assert ask("POST", acts, body, **headers).status == HTTPStatus.BAD_REQUEST
    refused = ask("POST", acts, '{"act":{"type":"Remove","person":"x"}}', **headers)
    assert refused.status == HTTPStatus.CONFLICT
    assert refused.problem["detail"] == "Only a host may do that."


def test_garbage_at_every_address_is_a_problem_and_never_a_stack_trace(invited: dict[str, str]) -> None:
    base = invited["whip"].partition("/whip")[0]
    for path in ("/", "/stage/", "/stage/nowhere", "/whip/%00", "/assets/../x", "/stage/later/state", "/x" * 900):
        reply = ask("GET", base + path)
        assert 400 <= reply.status < 500, (path, reply)
        assert "Traceback" not in reply.body
    long = ask("GET", base + "/stage/" + "x" * 20_000)
    assert 400 <= long.status < 500
