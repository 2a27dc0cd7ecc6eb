"""A whole edge on loopback, met as strangers meet it: over TCP, by docs/protocol.md."""

import asyncio
import json
import resource
import socket
import time
from urllib.request import urlopen

import pytest

from edge_kit import RECORD, Bus, Peer, edge, eventually, is_chunk, is_event, join, on_air, play, seqs
from rostra.core.framing import EVENT, INIT, MEDIA
from rostra.core.limits import DESCRIPTORS_RESERVED, REQUEST_DEADLINE_S
from rostra.edge import server


def test_a_listener_joins_hears_every_chunk_and_the_end() -> None:
    async def scenario() -> None:
        bus = Bus()
        bus.say(50)
        async with edge(bus) as running:
            await on_air(running, 49)
            peer = await running.connect()
            status, fields = await peer.listen(await join(running))
            assert (status, fields["content-type"]) == (200, "application/vnd.rostra.stream")
            assert "content-length" not in fields
            frames = await peer.frames_until(is_chunk(49))
            assert [frame.kind for frame in frames[:2]] == [INIT, EVENT]
            assert frames[0].payload == b"container head"
            hello = json.loads(frames[1].payload)
            assert (hello["type"], hello["seq"], hello["cadence_ms"]) == ("hello", seqs(frames)[0], 100)
            assert hello["conversation"]["title"] == RECORD.title
            bus.say(20)
            bus.say(last=True)
            frames += await peer.frames_until(lambda _: False)
            heard = seqs(frames)
            assert heard == list(range(heard[0], 71))
            assert all(frame.payload[4:] == frame.payload[:4] * 100 for frame in frames if frame.kind == MEDIA)
            assert json.loads(frames[-1].payload) == {"type": "ended", "reason": "ended"}

    play(scenario)


def test_a_conversation_that_is_cancelled_without_a_last_chunk_ends_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(server, "LAST_CHUNK_WAIT_S", 1.0)

    async def scenario() -> None:
        bus = Bus()
        bus.say(20)
        async with edge(bus) as running:
            await on_air(running, 19)
            peer = await running.connect()
            await peer.listen(await join(running))
            bus.change("cancelled")
            frames = await peer.frames_until(lambda _: False)
            assert json.loads(frames[-1].payload) == {"type": "ended", "reason": "cancelled"}

    play(scenario)


def test_an_edge_that_is_stopped_while_it_waits_for_a_last_chunk_goes_at_once() -> None:
    async def scenario() -> None:
        bus = Bus()
        bus.say(20)
        async with edge(bus) as running:
            await on_air(running, 19)
            bus.change("cancelled")
            peer = await running.connect()

            async def known() -> bool:
                return json.loads((await peer.ask("GET", "/c/evening/state"))[2])["state"] == "cancelled"

            await eventually(known)
            began_s = time.monotonic()
        assert time.monotonic() - began_s < server.LAST_CHUNK_WAIT_S / 2

    play(scenario)


def test_p6_an_edge_that_goes_away_says_where_to_go_and_there_the_next_chunk_waits() -> None:
    async def scenario() -> None:
        bus = Bus()
        bus.say(30)
        async with edge(bus, "edge-2") as second:
            async with edge(bus, "edge-1") as first:
                await on_air(first, 29)
                await on_air(second, 29)

                async def both_known() -> bool:
                    return {"edge-1", "edge-2"} <= {report.edge for report in bus.reports}

                await eventually(both_known)
                target = await join(first)
                peer = await first.connect()
                await peer.listen(target)
                heard = seqs(await peer.frames_until(is_chunk(29)))
                first.stop.set()
                await asyncio.sleep(0.05)
                bus.say()
                frames = await peer.frames_until(is_chunk(30))
                drain = next(frame for frame in frames if is_event("drain")(frame))
                assert json.loads(drain.payload)["alternates"] == ["http://edge-2.test"]
                heard += seqs(frames)
                await peer.close()
            bus.say(5)
            await on_air(second, 35)
            peer = await second.connect()
            await peer.listen(f"{target}&from={heard[-1] + 1}")  # the same ticket: any edge takes it
            heard += seqs(await peer.frames_until(is_chunk(35)))
            assert heard == list(range(heard[0], 36))

    play(scenario)


def test_p3_a_listener_who_stops_reading_disturbs_nobody_and_is_told_what_it_missed() -> None:
    async def scenario() -> None:
        bus = Bus()
        bus.say(20, size_bytes=8_000)
        async with edge(bus) as running:
            await on_air(running, 19)
            target = await join(running)
            raw = socket.socket()
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8_192)
            raw.connect(("127.0.0.1", running.port))
            slow = Peer(*await asyncio.open_connection(sock=raw))
            running.peers.append(slow)
            await slow.listen(target)
            slow.writer.transport.pause_reading()  # type: ignore[attr-defined]
            quick = await running.connect()
            await quick.listen(target)
            heard = []
            for _ in range(30):
                bus.say(10, size_bytes=8_000)
                heard += seqs(await quick.frames_until(is_chunk(len(bus.said) - 1)))
            assert heard == list(range(heard[0], 320))
            slow.writer.transport.resume_reading()  # type: ignore[attr-defined]
            frames = await slow.frames_until(is_chunk(319))
            moved = next(json.loads(frame.payload) for frame in frames if is_event("moved")(frame))
            late = seqs(frames)
            cut = late.index(moved["to_seq"])
            assert late[:cut] == list(range(late[0], moved["to_seq"] - moved["missed"]))
            assert late[cut:] == list(range(moved["to_seq"], 320))

    play(scenario)


def test_a_plain_stream_is_the_container_and_nothing_else() -> None:
    async def scenario() -> None:
        bus = Bus()
        bus.say(10)
        async with edge(bus) as running:
            await on_air(running, 9)
            peer = await running.connect()
            status, fields = await peer.listen("/c/evening/live.webm")
            assert (status, fields["content-type"]) == (200, 'audio/webm; codecs="opus"')
            bus.say(5, last=False)
            bus.say(last=True)
            sound = await peer.reader.read()
            media = b"".join(chunk.media["webm-64"] for chunk in bus.said)
            assert sound == b"container head" + media

    play(scenario)


def test_pages_keep_their_connection_and_pipelined_requests_are_answered_in_order() -> None:
    async def scenario() -> None:
        bus = Bus()
        bus.say(1)
        async with edge(bus) as running:
            await on_air(running, 0)
            peer = await running.connect()
            for target in ("/", "/c/evening", "/healthz", "/c/evening/state", "/nowhere"):
                status, fields, body = await peer.ask("GET", target, "Accept: text/html")
                assert fields["connection"] == "keep-alive"
                assert body
                assert (status == 404) == (target == "/nowhere")
            _, fields, body = await peer.ask("HEAD", "/")
            assert int(fields["content-length"]) > 0
            peer.writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n")
            assert (await peer.head())[0] == 200
            assert await peer.reader.readexactly(3) == b"ok\n"
            assert (await peer.head())[0] == 404

    play(scenario)


def test_who_does_not_speak_http_gets_an_answer_and_the_connection_ends() -> None:
    async def scenario() -> None:
        async with edge(Bus()) as running:
            for sent, expected in (
                (b"\x16\x03\x01\x00\xa5\x01", 400),
                (b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\n", 414),
                (b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 9_000, 431),
                (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 90000\r\n\r\n" + b"a" * 20_000, 413),
            ):
                peer = await running.connect()
                peer.writer.write(sent)
                status, fields = await peer.head()
                assert (status, fields["content-type"]) == (expected, "application/problem+json")
                assert json.loads(await peer.reader.read())["status"] == expected
                await peer.close()

    play(scenario)


def test_a_slowloris_is_sent_away_when_its_time_is_over_though_it_keeps_sending() -> None:
    async def scenario() -> None:
        async with edge(Bus()) as running:
            peer = await running.connect()
            began = time.monotonic()

            async def drip() -> None:
                for byte in b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: " + b"a" * 1_000:
                    peer.writer.write(bytes([byte]))
                    await asyncio.sleep(0.1)

            async with asyncio.TaskGroup() as tasks:
                dripping = tasks.create_task(drip(), name="drip")
                status, _ = await peer.head()
                dripping.cancel()
            assert status == 408
            assert REQUEST_DEADLINE_S - 0.5 <= time.monotonic() - began <= REQUEST_DEADLINE_S + 2.5

    play(scenario)


def test_an_edge_without_the_bus_keeps_its_pages_and_says_that_it_can_admit_nobody() -> None:
    async def scenario() -> None:
        bus = Bus()
        bus.say(10)
        async with edge(bus) as running:
            await on_air(running, 9)
            listener = await running.connect()
            await listener.listen(await join(running))
            bus.connected_since = None
            peer = await running.connect()

            async def fit() -> bool:
                return (await peer.ask("GET", "/healthz"))[0] == 200

            async def unfit() -> bool:
                return not await fit()

            await eventually(unfit)
            assert (await peer.ask("GET", "/c/evening"))[0] == 200
            refused = await peer.ask("POST", "/c/evening/join", "Content-Length: 0")
            assert refused[0] == 503
            assert "retry-after" in refused[1]
            bus.connected_since = 1.0
            bus.say(5)
            assert seqs(await listener.frames_until(is_chunk(14)))[-1] == 14
            await eventually(fit)

    play(scenario)


def test_the_inner_port_tells_what_the_loop_counted() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        metrics_port = free.getsockname()[1]

    async def scenario() -> None:
        bus = Bus()
        bus.say(10)
        async with edge(bus, metrics_port=metrics_port) as running:
            await on_air(running, 9)
            peer = await running.connect()
            await peer.listen(await join(running))
            await peer.frames_until(is_chunk(9))
            address = f"http://127.0.0.1:{metrics_port}/metrics"
            text = (await asyncio.to_thread(lambda: urlopen(address).read())).decode()
            assert "rostra_edge_listeners 1.0" in text
            assert "rostra_edge_joins_total 1.0" in text
            assert 'rostra_edge_chunks_total{verdict="accepted"} 10.0' in text

    play(scenario)


def test_p2_who_finds_the_edge_full_is_told_so_and_those_inside_stay() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)

    async def scenario() -> None:
        bus = Bus()
        bus.say(10)
        async with edge(bus) as running:
            await on_air(running, 9)
            inside = await running.connect()
            await inside.listen(await join(running))
            # One who only keeps a connection open gives way to the last of those who listen.
            targets = [await join(running) for _ in range(2)]
            for target in [*targets[:1] * 2, *targets[1:] * 3]:
                assert (await (await running.connect()).listen(target))[0] == 200
            late = await running.connect()
            late.writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            status, fields = await late.head()
            assert status == 503
            assert "retry-after" in fields
            bus.say(5)
            assert seqs(await inside.frames_until(is_chunk(14)))[-1] == 14

    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS_RESERVED + 6, hard))
    try:
        play(scenario)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
