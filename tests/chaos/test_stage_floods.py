"""Whatever is sent to a gate, the sound of those who speak through it never suffers."""

import json
import random
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator

import pytest

from rostra.rehearsal.listener import Listener
from speaking import visitor
from states import wait_for_state
from system import System, free_ports, running

pytestmark = pytest.mark.alone
SECONDS = 8
# First bytes by which a receiver tells STUN, DTLS, RTP and RTCP apart (RFC 7983 §7), and nothing at all.
KINDS = (b"\x00\x01", b"\x16\xfe\xfd", b"\x80\x6f", b"\x80\xc8", b"\xff", b"")


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running(
        tmp_path_factory.mktemp("floods"), gates="1", recorders="0", gate_port=str(free_ports(1))
    ) as started:
        yield started


def throw_datagrams(gate: tuple[str, int], over: threading.Event) -> int:
    """Random bytes that look like each protocol, 2,000 a second."""
    chance, thrown = random.Random(1), 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        while not over.is_set():
            for _ in range(20):
                sender.sendto(chance.choice(KINDS) + chance.randbytes(chance.randrange(1_200)), gate)
                thrown += 1
            time.sleep(0.01)
    return thrown


def throw_offers(url: str, over: threading.Event) -> int:
    """Offers without an invitation, with broken ones, and garbage, as fast as they are answered."""
    thrown = 0
    while not over.is_set():
        for headers in ({}, {"Authorization": "Bearer x"}, {"Content-Type": "application/sdp"}):
            request = urllib.request.Request(url, b"v=0\r\n" * 1_000, headers)
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(request, timeout=10)
            refused.value.close()
            thrown += 1
    return thrown


@pytest.mark.parametrize("what", ["datagrams", "offers"])
def test_p3_a_speaker_is_heard_without_a_gap_through_a_flood(system: System, what: str) -> None:
    announced = system.schedule(what, at="+2s", doors="2s", id=what)
    invitation = json.loads(system.rostra("invite", what, "--json").stdout)
    with visitor(invitation) as speaker:
        wait_for_state(system, what, "live")
        before = system.status()["gates"][0]["frames_late"]
        over, thrown = threading.Event(), list[int]()
        throw: Callable[[], int] = {
            "datagrams": lambda: throw_datagrams(speaker.gate, over),
            "offers": lambda: throw_offers(invitation["whip"], over),
        }[what]
        throwing = threading.Thread(target=lambda: thrown.append(throw()))
        throwing.start()
        received, began_s = speaker.received, time.monotonic()
        report = Listener(announced["url"]).listen(seconds=SECONDS)
        share = (speaker.received - received) / ((time.monotonic() - began_s) * 50)
        over.set()
        throwing.join()
        late = system.status()["gates"][0]["frames_late"] - before
    assert thrown[0] > 500, "it was a flood"
    assert (report.missing_chunks, report.missed_chunks, report.state) == (0, 0, "live"), report
    assert share > 0.97, "what the others say still comes back"
    assert late < 20, "frames of the room that were later than 20 ms, of 400"
    assert "Traceback" not in system.log
