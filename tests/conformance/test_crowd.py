"""The crowd against edges that misbehave: a load test that cannot fail proves nothing."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from rostra.core.framing import EVENT, INIT, frame, media_frame
from rostra.rehearsal.crowd import CrowdPlan, CrowdReport, run_crowd
from rostra.rehearsal.listener import Listener, ListenReport

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.rostra.stream\r\nConnection: close\r\n\r\n"
FAULT_S = 1.5  # after the first listener


class Edge:
    """The smallest edge there is, at 100 ms, with a fault that begins `FAULT_S` after the first listener."""

    def __init__(self, fault: str) -> None:
        self.fault = fault
        self.began_s = 0.0
        self.stop = threading.Event()
        self.listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.base = f"http://127.0.0.1:{self.listening.getsockname()[1]}"
        self.threads: list[threading.Thread] = []

    def run(self) -> None:
        while True:
            try:
                peer, _ = self.listening.accept()
            except OSError:
                return
            self.began_s = self.began_s or time.monotonic()
            self.threads.append(threading.Thread(target=self.serve, args=(peer,)))
            self.threads[-1].start()

    def faulty(self) -> bool:
        return time.monotonic() - self.began_s > FAULT_S

    def serve(self, peer: socket.socket) -> None:
        with peer:
            try:
                self.answer(peer)
            except OSError:
                return

    def answer(self, peer: socket.socket) -> None:
        request = b""
        while b" /c/evening/stream?" not in request:
            request = peer.recv(8192)
            if not request:
                return
            if request.startswith(b"POST"):
                renditions = [{"name": "webm-32", "mime": "audio/webm", "bps": 32_000}]
                joined = {"status": "admitted", "ticket": "t", "renditions": renditions, "alternates": [self.base]}
                body = json.dumps(joined).encode()
                peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        _, resumed, rest = request.partition(b"&from=")
        newest = self.newest()
        first = int(rest.split(b" ")[0]) if resumed else newest - 5
        hello = {"type": "hello", "cadence_ms": 100, "seq": first, "conversation": {"state": "live"}}
        peer.sendall(HEAD + frame(INIT, b"container head") + frame(EVENT, json.dumps(hello).encode()))
        seq = first
        while not self.stop.is_set():
            while seq <= self.newest():
                if self.faulty() and self.fault == "silent":
                    break
                if self.faulty() and self.fault == "killed" and not resumed:
                    return
                if not (self.faulty() and self.fault == "gap" and seq % 7 == 0):
                    peer.sendall(media_frame(seq, b"sound"))
                if self.faulty() and self.fault == "repeats":
                    peer.sendall(media_frame(seq, b"sound"))
                seq += 1
            self.stop.wait(0.02)

    def newest(self) -> int:
        return 100 + int((time.monotonic() - self.began_s) * 10)


@contextmanager
def edge(fault: str) -> Iterator[Edge]:
    started = Edge(fault)
    accepting = threading.Thread(target=started.run)
    accepting.start()
    try:
        yield started
    finally:
        started.stop.set()
        started.listening.shutdown(socket.SHUT_RDWR)
        started.listening.close()
        for thread in [accepting, *started.threads]:
            thread.join()


def heard_by_crowd(fault: str, *, seconds: float = 3.2) -> CrowdReport:
    with edge(fault) as serving:
        plan = CrowdPlan(f"{serving.base}/c/evening", listeners=12, join_rate_hz=100, seconds=seconds, processes=2)
        return run_crowd(plan)


def heard_by_listener(fault: str) -> ListenReport:
    with edge(fault) as serving:
        return Listener(f"{serving.base}/c/evening", rendition="webm-32").listen(seconds=3.0)


def test_a_crowd_at_a_sound_edge_misses_nothing() -> None:
    """P3."""
    report = heard_by_crowd("none")
    assert report.ok, report
    assert (report.heard, report.listening, report.connections_lost) == (12, 12, 0)


def test_a_crowd_notices_an_edge_that_falls_silent_without_a_word() -> None:
    """P3: the worst fault is the one that sends nothing at all."""
    report = heard_by_crowd("silent")
    assert not report.ok
    assert report.paused_listeners == 12
    assert report.longest_pause_ms > 800


def test_a_crowd_notices_chunks_that_are_left_out() -> None:
    report = heard_by_crowd("gap")
    assert not report.ok
    assert report.missing_chunks >= 12


def test_a_crowd_notices_chunks_that_come_twice() -> None:
    report = heard_by_crowd("repeats")
    assert not report.ok
    assert report.repeated_chunks >= 12


def test_a_crowd_whose_edge_dies_goes_on_where_it_was() -> None:
    """P6: an edge killed is no pause."""
    report = heard_by_crowd("killed")
    assert report.ok, report
    assert report.connections_lost == 12
    assert report.listening == 12


def test_a_listener_whose_edge_dies_goes_on_where_it_was() -> None:
    """P6."""
    report = heard_by_listener("killed")
    assert report.ok, report
    assert report.resumed == 1


@pytest.mark.parametrize("fault", ["silent", "gap", "repeats"])
def test_a_listener_notices_what_is_wrong(fault: str) -> None:
    assert not heard_by_listener(fault).ok
