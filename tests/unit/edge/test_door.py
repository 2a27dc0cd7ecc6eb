"""The door: who gets what, before any socket is involved."""

import json
from base64 import b64decode, urlsafe_b64encode
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec
import pytest

from ledger_kit import key_of
from receipt_kit import receipt
from rostra.core.framing import FrameReader
from rostra.core.keys import Key, KeyRing
from rostra.core.leave import LEAVE_PATH, proves
from rostra.core.limits import CAPTIONS_KEPT_MAX, STREAMS_PER_LISTENER_MAX
from rostra.core.messages import Caption, Chunk, ConversationRecord, EdgeReport, Init
from rostra.core.shield import Strike
from rostra.core.ticket import Ticket, TicketClass, sign, sign_pass, verify
from rostra.edge.channel import Channel
from rostra.edge.door import LOWEST, Door, Listen
from rostra.edge.fanout import Fanout
from rostra.edge.fleet import Fleet
from rostra.edge.http import Reply, Request, parse_query
from rostra.edge.ladder import ladder
from rostra.edge.pages import Pages
from rostra.edge.receipts import Receipts
from rostra.edge.refusals import Pressure
from rostra.edge.streams import Streams
from rostra.edge.waiting_room import WaitingRoom
from rostra.verifier.receipt import digest

KEYS = KeyRing(Key(0, 0, b"k" * 32))
RECORD = ConversationRecord(
    id="evening",
    title="Evening",
    starts_ns=2_000_000_000_000,
    doors_ns=1_000_000_000_000,
    ends_ns=9_000_000_000_000,
    timezone="UTC",
    language="en",
    revision=0,
    state="live",
)
NOW_MS = 1_500_000


class NoWire:
    """A wire that nobody is connected to."""

    def write(self, _listener: int, data: bytes | memoryview) -> int:
        return len(data)

    def watch_writable(self, listener: int, *, wanted: bool) -> None:
        raise AssertionError((listener, wanted))

    def close(self, listener: int) -> None:
        raise AssertionError(listener)

    finish = close


@pytest.fixture
def door(tmp_path: Path) -> Door:
    (tmp_path / "assets").mkdir()
    for page in ("index", "listen", "problem"):
        (tmp_path / f"{page}.html").write_text(page + "{{title}}<!--conversations-->")
    channel = Channel(RECORD, Fanout(NoWire(), clock=lambda: 0.0, cpu=lambda: 0.0), cadence=5)
    channel.init = Init(conversation="evening", media={"webm-64": b"init", "webm-32": b"init", "ogg-64": b"init"})
    for seq in range(50):
        media = {"webm-64": b"a" * 800, "webm-32": b"a" * 400, "ogg-64": b"b" * 800}
        channel.append(
            Chunk(conversation="evening", epoch=1, seq=seq, wall_ns=0, state="live", level_dbfs=0.0, media=media)
        )
    room = WaitingRoom(Fleet("here", "http://here"), listeners=lambda: 0, jitter=lambda: 0.5)
    room.capacity = 100
    return Door(
        channels={"evening": channel},
        pages=Pages(tmp_path),
        keys=KEYS,
        public_url="http://here",
        jitter=lambda: 0.5,
        new_listener=lambda: b"8 bytes.",
        streams=Streams(lambda _: True),
        alternates=["http://here", "http://there"],
        rung=replace(LOWEST, cadence=5),
        room=room,
    )


def ask(door: Door, target: str, *, method: str = "GET", html: bool = False) -> Reply | Listen:
    path, _, query = target.partition("?")
    pairs = dict(pair.split("=") for pair in query.split("&") if pair)
    return door.answer(
        Request(method, path, pairs, html, "", keep_alive=True), source="192.0.2.1", date="D", now_ms=NOW_MS
    )


def reply(door: Door, target: str, *, method: str = "GET", html: bool = False) -> Reply:
    answer = ask(door, target, method=method, html=html)
    assert isinstance(answer, Reply)
    return answer


def listen(door: Door, target: str) -> Listen:
    answer = ask(door, target)
    assert isinstance(answer, Listen)
    return answer


def body(answer: Reply) -> dict[str, Any]:
    return dict(json.loads(answer.body))


def set_state(door: Door, state: str) -> None:
    channel = door.channels["evening"]
    channel.record = msgspec.structs.replace(channel.record, state=state)


def test_whoever_brings_a_pass_of_the_site_stays_who_they_are(door: Door) -> None:
    known = Ticket("evening", b"listener", TicketClass.REGISTERED, 0, NOW_MS // 1_000 + 60)
    for text, kept in ((sign_pass(known, keys=KEYS), True), (sign(known, keys=KEYS), False), ("garbage", False)):
        joined = body(reply(door, f"/c/evening/join?pass={text}", method="POST"))
        ticket = verify(joined["ticket"], conversation="evening", keys=KEYS, now_s=NOW_MS // 1_000)
        assert ticket is not None
        assert ((ticket.listener, ticket.ticket_class) == (b"listener", TicketClass.REGISTERED)) is kept
        assert ticket.ticket_class in {TicketClass.REGISTERED, TicketClass.ANONYMOUS}


def test_whoever_joins_gets_a_ticket_that_any_edge_accepts(door: Door) -> None:
    joined = body(reply(door, "/c/evening/join", method="POST"))
    ticket = verify(joined["ticket"], conversation="evening", keys=KEYS, now_s=NOW_MS // 1_000)
    assert ticket is not None
    assert ticket.ticket_class is TicketClass.ANONYMOUS
    assert joined["alternates"] == ["http://here", "http://there"]
    assert [rendition["name"] for rendition in joined["renditions"]] == ["webm-64", "webm-32", "ogg-64"]
    assert (joined["status"], joined["cadence_ms"], joined["now_ms"]) == ("admitted", 500, NOW_MS)
    answer = listen(door, f"{joined['stream']}?ticket={joined['ticket']}&rendition=ogg-64&from=45")
    assert b"application/vnd.rostra.stream" in answer.opening


@pytest.mark.parametrize(
    ("said", "interrupted"),
    [
        ("", 0),
        ("&lacked_ms=2999&told_ms=0", 0),
        ("&lacked_ms=3000&told_ms=2999", 1),
        ("&lacked_ms=4000&told_ms=3000", 0),
        ("&lacked_ms=3000", 1),
        ("&lacked_ms=-3000&told_ms=0", 0),
        ("&lacked_ms=%D9%A3000&told_ms=0", 0),
        ("&lacked_ms=99999999999999999999999&told_ms=0", 0),
    ],
)
def test_who_goes_on_and_lacks_three_seconds_by_now_is_counted_once(
    door: Door, said: str, interrupted: int
) -> None:
    joined = body(reply(door, "/c/evening/join", method="POST"))
    for times in (1, 2):  # an answer that was lost, or a bot
        listen(door, f"{joined['stream']}?ticket={joined['ticket']}&rendition=ogg-64&from=45{said}")
        assert (door.demand.resumed, door.demand.interrupted) == (times, interrupted)


def test_a_ticket_for_elsewhere_or_none_opens_nothing(door: Door) -> None:
    for ticket in ("", "AAAA", "%%%"):
        answer = reply(door, f"/c/evening/stream?ticket={ticket}")
        assert answer.status is HTTPStatus.FORBIDDEN
    assert door.refused["ticket"] == 3


def test_one_ticket_opened_too_often_is_refused_and_the_shield_is_told(door: Door) -> None:
    stream = "/c/evening/stream?ticket=" + body(reply(door, "/c/evening/join", method="POST"))["ticket"]
    for number in range(STREAMS_PER_LISTENER_MAX):
        door.streams.open(number, listen(door, stream).listener)
    refused = reply(door, stream)
    assert (refused.status, body(refused)["reason"], refused.strike) == (429, "shared", Strike.SHARED_TICKET)
    assert "Retry-After" in dict(refused.headers)
    door.streams.open(0, b"")  # the kernel has given the number of one that ended to somebody else
    assert listen(door, stream).listener == b"8 bytes."


def test_what_is_open_at_other_workers_counts_where_it_is_more_than_one(door: Door) -> None:
    stream = "/c/evening/stream?ticket=" + body(reply(door, "/c/evening/join", method="POST"))["ticket"]
    report = EdgeReport("there", "http://there", 0, {}, 100, 100, 0.0, several={b"8 bytes.".hex(): 2})
    door.room.fleet.hear(report, now_s=0)
    door.streams.open(0, listen(door, stream).listener)
    assert reply(door, stream).status is HTTPStatus.TOO_MANY_REQUESTS
    door.room.fleet.hear(msgspec.structs.replace(report, several={}), now_s=1)
    assert listen(door, stream).listener == b"8 bytes."


def test_a_ticket_with_a_cap_opens_no_larger_rendition(door: Door) -> None:
    ticket = Ticket("evening", b"listener", TicketClass.ANONYMOUS, 0, NOW_MS // 1_000 + 60, cap_kbps=32)
    stream = f"/c/evening/stream?ticket={sign(ticket, keys=KEYS)}&rendition="
    assert body(reply(door, stream + "webm-64"))["reason"] == "rendition"
    assert listen(door, stream + "webm-32").listener == b"listener"


def test_whose_account_was_suspended_has_neither_ticket_nor_pass_any_more(door: Door) -> None:
    known = Ticket("evening", b"listener", TicketClass.REGISTERED, 0, NOW_MS // 1_000 + 60)
    door.revoked = {"evening": {b"listener".hex(): NOW_MS // 1_000 + 60}}
    assert body(reply(door, f"/c/evening/stream?ticket={sign(known, keys=KEYS)}"))["reason"] == "revoked"
    for query in (f"pass={sign_pass(known, keys=KEYS)}", f"ticket={sign(known, keys=KEYS)}"):
        joined = body(reply(door, f"/c/evening/join?{query}", method="POST"))
        ticket = verify(joined["ticket"], conversation="evening", keys=KEYS, now_s=NOW_MS // 1_000)
        assert ticket is not None
        assert (ticket.listener, ticket.ticket_class) == (b"8 bytes.", TicketClass.ANONYMOUS)
    door.revoked = {"evening": {b"listener".hex(): NOW_MS // 1_000}}  # until now
    assert listen(door, f"/c/evening/stream?ticket={sign(known, keys=KEYS)}").listener == b"listener"


def test_p2_who_finds_no_place_waits_and_a_ticket_is_honoured_all_the_same(door: Door) -> None:
    ticket = body(reply(door, "/c/evening/join", method="POST"))["ticket"]
    door.room.capacity = 0
    waits = body(reply(door, "/c/evening/join", method="POST"))
    assert (waits["status"], waits["number"], waits["wait_s"], waits["reason"]) == ("waiting", 1, None, "full")
    assert waits["conversation"]["id"] == "evening"
    again = body(reply(door, f"/c/evening/join?place={waits['place']}", method="POST"))
    assert (again["status"], again["number"], again["waiting"]) == ("waiting", 1, 1)
    returned = body(reply(door, f"/c/evening/join?ticket={ticket}", method="POST"))
    assert returned["status"] == "admitted"
    assert listen(door, f"/c/evening/stream?ticket={ticket}").listener == b"8 bytes."


def test_p4_on_a_higher_rung_newcomers_get_smaller_renditions_then_a_copy(door: Door) -> None:
    door.copy_url = "https://cdn.test"
    door.rung = next(rung for rung in ladder(has_copy=True) if rung.cap_kbps == 32)
    joined = body(reply(door, "/c/evening/join", method="POST"))
    assert [rendition["name"] for rendition in joined["renditions"]] == ["webm-32", "ogg-64"]
    assert (
        body(reply(door, f"/c/evening/stream?ticket={joined['ticket']}&rendition=webm-64"))["reason"] == "rendition"
    )
    door.rung = next(rung for rung in ladder(has_copy=True) if rung.copy)
    sent = body(reply(door, "/c/evening/join", method="POST"))
    assert sent["status"] == "copy"
    assert sent["sources"][0]["url"] == "https://cdn.test/c/evening/live.webm"
    returned = body(reply(door, f"/c/evening/join?ticket={joined['ticket']}", method="POST"))
    assert returned["status"] == "admitted"  # whoever is in stays with us


STREAM = "/c/evening/stream?ticket="
REFUSALS: dict[str, tuple[int, str]] = {
    "unknown": (404, "/c/nobody"),
    "method": (405, "/c/evening/join"),
    "ticket": (403, STREAM + "forged"),
    "rendition": (403, STREAM + "{capped}&rendition=webm-64"),
    "revoked": (403, STREAM + "{revoked}"),
    "shared": (429, STREAM + "{shared}"),
    "full": (503, "/c/evening/live.webm"),
    "draining": (503, "/c/evening/live.webm"),
    "bus": (503, "/c/evening/live.webm"),
    "early": (503, STREAM + "{good}"),
    "starting": (503, STREAM + "{good}"),
    "ended": (410, STREAM + "{good}"),
}


@pytest.mark.parametrize("reason", REFUSALS)
def test_p2_every_refusal_says_why_when_to_come_back_and_where_else_and_is_a_page_for_a_person(
    door: Door, reason: str
) -> None:
    tickets = {}
    for name, cap_kbps in {"good": 0, "capped": 32, "revoked": 0, "shared": 0}.items():
        listener = name.encode().ljust(8)
        ticket = Ticket("evening", listener, TicketClass.ANONYMOUS, 0, NOW_MS // 1_000 + 60, cap_kbps)
        tickets[name] = sign(ticket, keys=KEYS)
    door.revoked = {"evening": {b"revoked ".hex(): NOW_MS}}
    for number in range(STREAMS_PER_LISTENER_MAX):
        door.streams.open(number, b"shared  ")
    match reason:
        case "full":
            door.room.capacity = 0
        case "draining":
            door.pressure = lambda: Pressure(draining=True)
        case "bus":
            door.pressure = lambda: Pressure(bus_lost_s=60)
        case "early":
            set_state(door, "scheduled")
            door.channels["evening"].init = None
        case "starting":
            door.channels["evening"].init = None
        case "ended":
            set_state(door, "ended")
    status, target = REFUSALS[reason]
    problem = reply(door, target.format(**tickets))
    said = body(problem)
    assert (problem.status, problem.content_type) == (status, "application/problem+json")
    assert (said["status"], said["reason"]) == (status, reason)
    assert said["title"]
    assert said["detail"].endswith(".")
    if status in (429, 503):
        assert said["retry_after_s"] == int(dict(problem.headers)["Retry-After"]) > 0
        assert said["alternates"] == ["http://there"]
    page = reply(door, target.format(**tickets), html=True)
    assert page.status == status
    assert page.content_type.startswith("text/html")
    assert said["title"].encode() in page.body


def test_before_the_doors_open_the_time_is_told(door: Door) -> None:
    set_state(door, "scheduled")
    joined = body(reply(door, "/c/evening/join", method="POST"))
    assert (joined["status"], joined["doors_ms"], joined["now_ms"]) == ("early", 1_000_000, NOW_MS)


@pytest.mark.parametrize("state", ["ended", "cancelled"])
def test_what_is_over_is_gone(door: Door, state: str) -> None:
    set_state(door, state)
    assert reply(door, "/c/evening/join", method="POST").status is HTTPStatus.GONE
    assert reply(door, "/c/evening/live.webm").status is HTTPStatus.GONE


@pytest.mark.parametrize(
    ("pressure", "reason"),
    [
        (Pressure(bus_lost_s=6), "bus"),
        (Pressure(draining=True), "draining"),
    ],
)
def test_a_refusal_says_why_when_to_come_back_and_where_else_to_listen(
    door: Door, pressure: Pressure, reason: str
) -> None:
    door.pressure = lambda: pressure
    refused = reply(door, "/c/evening/join", method="POST")
    assert refused.status is HTTPStatus.SERVICE_UNAVAILABLE
    assert refused.content_type == "application/problem+json"
    assert body(refused)["reason"] == reason
    assert body(refused)["alternates"] == ["http://there"]
    assert dict(refused.headers)["Retry-After"] == str(body(refused)["retry_after_s"])
    assert reply(door, "/healthz").status is HTTPStatus.SERVICE_UNAVAILABLE
    page = reply(door, "/c/evening/join", method="POST", html=True)
    assert page.content_type.startswith("text/html")
    assert "Retry-After" in dict(page.headers)


def test_those_who_are_refused_together_do_not_come_back_together(door: Door) -> None:
    door.room.capacity = 0
    waits = set()
    for step in range(10):
        door.jitter = lambda step=step: step / 10  # type: ignore[misc]
        waits.add(dict(reply(door, "/c/evening/live.webm").headers)["Retry-After"])
    assert len(waits) >= 5


def test_a_plain_stream_starts_with_the_container_and_32_kib(door: Door) -> None:
    answer = listen(door, "/c/evening/live.webm")
    head, _, sound = answer.opening.partition(b"\r\n\r\n")
    assert b'Content-Type: audio/webm; codecs="opus"' in head
    assert b"Content-Length" not in head
    assert sound.startswith(b"initaaaa")
    assert len(sound) >= 32 * 1024


def test_openings_are_made_once_per_chunk_and_position(door: Door) -> None:
    openings = [listen(door, "/c/evening/live.webm") for _ in range(20)]
    assert len({id(answer.opening) for answer in openings}) <= 4
    for answer in openings:
        assert answer.position == answer.group.position(49, floor=0)


def test_a_rendition_that_the_stage_does_not_make_is_not_found(door: Door) -> None:
    assert reply(door, "/c/evening/live.mp4").status is HTTPStatus.NOT_FOUND
    assert reply(door, "/c/evening/live.ogg?rendition=webm-64").status is HTTPStatus.NOT_FOUND


def test_before_the_first_chunk_one_is_asked_to_come_back_in_a_moment(door: Door) -> None:
    door.channels["evening"].init = None
    answer = reply(door, "/c/evening/live.webm")
    assert answer.status is HTTPStatus.SERVICE_UNAVAILABLE
    assert body(answer)["retry_after_s"] <= 2


def test_head_of_a_stream_makes_nobody_a_listener(door: Door) -> None:
    answer = reply(door, "/c/evening/live.webm", method="HEAD")
    assert answer.endless
    assert answer.content_type == 'audio/webm; codecs="opus"'


def test_other_origins_may_join_and_listen(door: Door) -> None:
    for target in ("/c/evening/join", "/c/evening/stream", "/c/evening/state", "/c/evening/live.webm"):
        preflight = reply(door, target, method="OPTIONS")
        assert preflight.status is HTTPStatus.NO_CONTENT
        assert dict(preflight.headers)["Access-Control-Allow-Origin"] == "*"
    assert dict(reply(door, "/c/evening/state").headers)["Access-Control-Allow-Origin"] == "*"


def test_a_wrong_method_is_told_the_right_one(door: Door) -> None:
    answer = reply(door, "/c/evening/join")
    assert answer.status is HTTPStatus.METHOD_NOT_ALLOWED
    assert dict(answer.headers)["Allow"] == "POST"
    assert reply(door, "/", method="DELETE").status is HTTPStatus.METHOD_NOT_ALLOWED


@pytest.mark.parametrize("target", ["/c/", "/c/nobody", "/c/evening/", "/assets/", "/assets/x.js", "//", "/x"])
def test_what_is_not_there_is_not_found(door: Door, target: str) -> None:
    assert reply(door, target).status is HTTPStatus.NOT_FOUND


def test_the_state_is_that_of_the_protocol(door: Door) -> None:
    state = body(reply(door, "/c/evening/state"))
    assert state == {
        "id": "evening",
        "title": "Evening",
        "state": "live",
        "starts_ms": 2_000_000,
        "doors_ms": 1_000_000,
        "ends_ms": 9_000_000,
        "timezone": "UTC",
        "language": "en",
        "revision": 0,
        "begun": False,
        "notice": "",
        "notice_ms": 0,
        "captions": False,
        "now_ms": NOW_MS,
        "listeners": 0,
        "seq": 49,
    }


def test_pages_are_made_anew_only_when_something_changes(door: Door) -> None:
    assert reply(door, "/").body is reply(door, "/").body
    assert reply(door, "/c/evening").body is reply(door, "/c/evening").body
    before = reply(door, "/").body
    set_state(door, "ended")
    door.forget_pages()
    assert b"Evening" in before
    assert b"Evening" not in reply(door, "/").body


def captioned(seq: int, *captions: Caption, captioner: str = "captions-1") -> Chunk:
    media = {"webm-64": b"a" * 800, "webm-32": b"a" * 400, "ogg-64": b"b" * 800}
    return Chunk("evening", 1, seq, 0, "live", 0.0, media, captions=list(captions), captioner=captioner)


def caption(number: int, text: str, status: Literal["partial", "final", "skipped"] = "final") -> Caption:
    return Caption(f"anna-{number}", "anna", "Anna <A>", number * 48_000, (number + 1) * 48_000, text, status)


def test_the_newest_captions_are_webvtt_and_what_is_only_guessed_is_not_in_it(door: Door) -> None:
    assert reply(door, "/c/evening/captions.vtt").body == b"WEBVTT\n"
    channel = door.channels["evening"]
    channel.append(captioned(50, caption(2, "Two."), caption(1, "One & a half"), caption(3, "thr", "partial")))
    channel.append(captioned(51, caption(2, "Two, better."), caption(4, "", "skipped")))
    answer = reply(door, "/c/evening/captions.vtt")
    assert answer.content_type == "text/vtt; charset=utf-8"
    assert answer.body.decode() == (
        "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\n<v Anna &lt;A&gt;>One &amp; a half\n"
        "\n00:00:02.000 --> 00:00:03.000\n<v Anna &lt;A&gt;>Two, better.\n"
        "\n00:00:04.000 --> 00:00:05.000\n<v Anna &lt;A&gt;>[…]\n"
    )
    for seq in range(52, 52 + 2 * CAPTIONS_KEPT_MAX):
        channel.append(captioned(seq, caption(seq, "more")))
    assert reply(door, "/c/evening/captions.vtt").body.count(b"-->") == CAPTIONS_KEPT_MAX


def test_captions_ride_in_front_of_the_chunk_that_brought_them_and_the_page_learns_that_there_are_some(
    door: Door,
) -> None:
    channel = door.channels["evening"]
    lane = channel.lane("webm-64", framed=True)
    channel.append(captioned(50, caption(1, "One.")))
    assert body(reply(door, "/c/evening/state"))["captions"] is True
    first, second, media = FrameReader().feed(lane.feed.span(50, 50))
    assert json.loads(first.payload) == {"type": "captions", "available": True}
    assert json.loads(second.payload) == {
        "type": "caption",
        "at": 96_000,
        "start": 48_000,
        "id": "anna-1",
        "name": "Anna <A>",
        "text": "One.",
        "status": "final",
    }
    assert media.seq == 50
    channel.append(captioned(51, captioner=""))
    gone, _ = FrameReader().feed(lane.feed.span(51, 51))
    assert json.loads(gone.payload) == {"type": "captions", "available": False}
    assert body(reply(door, "/c/evening/state"))["captions"] is False


def test_it_proves_to_a_rehearsal_that_its_operator_knows_the_secret(door: Door) -> None:
    door.rehearsal_token, nonce = "a secret of some length", "0123456789abcdef" * 2
    answer = reply(door, f"{LEAVE_PATH}?nonce={nonce}")
    given = body(answer)["proof"]
    assert proves(given, door.rehearsal_token, host=urlsplit(door.public_url).netloc, nonce=nonce)
    assert b"secret" not in answer.body


@pytest.mark.parametrize(("token", "nonce"), [("", "0" * 32), ("a secret of some length", "0" * 31)])
def test_without_a_secret_or_a_nonce_no_crowd_has_leave(door: Door, token: str, nonce: str) -> None:
    door.rehearsal_token = token
    assert reply(door, f"{LEAVE_PATH}?nonce={nonce}").status == HTTPStatus.NOT_FOUND


@pytest.fixture
def witnessed(door: Door) -> Door:
    key = key_of("edge-1")
    door.receipts = Receipts("edge-1", 7, key.sign)
    return door


def address_of(text: bytes) -> str:
    return f"/c/evening/receipts?receipt={urlsafe_b64encode(text).decode().replace('=', '%3D')}"


def post(door: Door, target: str) -> Reply:
    path, _, query = target.partition("?")
    request = Request("POST", path, parse_query(query), False, "", keep_alive=True)
    answer = door.answer(request, source="192.0.2.1", date="D", now_ms=NOW_MS)
    assert isinstance(answer, Reply)
    return answer


def test_p9_a_listener_who_says_what_was_heard_gets_a_promise(witnessed: Door) -> None:
    text = receipt(1)
    promise = body(post(witnessed, address_of(text)))
    assert (promise["who"], promise["run"], promise["minute"]) == ("edge-1", 7, NOW_MS // 60_000)
    assert promise["digest"] == digest(text)
    again = post(witnessed, address_of(text))
    assert (again.status, body(again)["reason"]) == (HTTPStatus.BAD_REQUEST, "receipt")
    for wrong in ("", "?receipt=", "?receipt=%FF", "?receipt=e30%3D", "?receipt=a"):
        assert post(witnessed, f"/c/evening/receipts{wrong}").status == HTTPStatus.BAD_REQUEST


def test_where_no_ledger_is_kept_nobody_is_asked_for_receipts(door: Door) -> None:
    assert post(door, address_of(receipt(1))).status == HTTPStatus.NOT_FOUND
    assert post(door, f"/c/evening/join?receipt={'0' * 32}").headers == post(door, "/c/evening/join").headers


def test_p9_whoever_asks_gets_the_answer_to_a_join_signed(witnessed: Door) -> None:
    joined = post(witnessed, f"/c/evening/join?receipt={'0' * 32}")
    said = json.loads(b64decode(dict(joined.headers)["Rostra-Receipt"].partition(".")[0]))
    assert (said["outcome"], said["nonce"], said["at_ms"]) == ("admitted", "0" * 32, NOW_MS)
    set_state(witnessed, "ended")
    over = post(witnessed, f"/c/evening/join?receipt={'0' * 32}")
    said = json.loads(b64decode(dict(over.headers)["Rostra-Receipt"].partition(".")[0]))
    assert said["outcome"] == "410"
    for without in ("", "?receipt=short"):
        assert "Rostra-Receipt" not in dict(post(witnessed, f"/c/evening/join{without}").headers)
