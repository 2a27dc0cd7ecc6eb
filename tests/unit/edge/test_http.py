"""Requests as they come and as they should not, and the bytes that answer them."""

from http import HTTPStatus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.core.limits import REQUEST_BYTES_MAX
from rostra.edge.http import Rejected, Reply, Request, RequestReader, parse_query, serialize

GET = b"GET /c/evening?from=7&ticket=a%2Bb HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\n\r\n"


def test_a_request_is_the_same_however_it_is_cut() -> None:
    (whole,) = RequestReader().feed(GET)
    for cut in range(1, len(GET)):
        reader = RequestReader()
        assert reader.feed(GET[:cut]) == []
        assert reader.amid_request
        assert reader.feed(GET[cut:]) == [whole]
        assert not reader.amid_request
    assert isinstance(whole, Request)
    assert (whole.method, whole.path, whole.query) == ("GET", "/c/evening", {"from": "7", "ticket": "a+b"})
    assert whole.prefers_html
    assert whole.keep_alive


def test_pipelined_requests_come_in_order() -> None:
    second = GET.replace(b"evening", b"morning")
    items = RequestReader().feed(GET + second)
    assert [item.path for item in items if isinstance(item, Request)] == ["/c/evening", "/c/morning"]


def test_a_body_is_read_and_dropped() -> None:
    post = b"POST /c/e/join HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n{}{}"
    items = RequestReader().feed(post + GET)
    assert [item.method for item in items if isinstance(item, Request)] == ["POST", "GET"]


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /" + b"a" * REQUEST_BYTES_MAX, HTTPStatus.REQUEST_URI_TOO_LONG),
        (
            b"GET / HTTP/1.1\r\nHost: x\r\nCookie: " + b"a" * REQUEST_BYTES_MAX,
            HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
        ),
        (
            b"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\nCookie: " + b"a" * REQUEST_BYTES_MAX,
            HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
        ),
        (
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 90000\r\n\r\n" + b"a" * REQUEST_BYTES_MAX,
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        ),
        (b"GET / HTTP/1.1\r\n\r\n", HTTPStatus.BAD_REQUEST),
        (b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", HTTPStatus.BAD_REQUEST),
        (b"\x16\x03\x01\x02\x00\x01\x00", HTTPStatus.BAD_REQUEST),
        (
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n",
            HTTPStatus.BAD_REQUEST,
        ),
    ],
)
def test_what_is_no_request_is_rejected_with_its_status(sent: bytes, status: HTTPStatus) -> None:
    reader = RequestReader()
    items = [item for start in range(0, len(sent), 4_096) for item in reader.feed(sent[start : start + 4_096])]
    assert isinstance(items[-1], Rejected)
    assert items[-1].status is status


@given(st.lists(st.binary(min_size=1, max_size=64), max_size=8))
def test_no_bytes_whatever_make_the_reader_fail(pieces: list[bytes]) -> None:
    reader = RequestReader()
    for piece in pieces:
        if any(isinstance(item, Rejected) for item in reader.feed(piece)):
            return


def test_an_upgrade_is_ignored_and_the_connection_ends() -> None:
    upgrade = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    (item,) = RequestReader().feed(upgrade)
    assert isinstance(item, Request)
    assert not item.keep_alive


def test_a_query_may_be_anything() -> None:
    assert parse_query("a=1&b&=c&&a=2&d=%zz") == {"a": "2", "b": "", "": "c", "d": "%zz"}


def test_head_has_the_length_but_not_the_body() -> None:
    reply = Reply(HTTPStatus.OK, "text/plain", b"hello", (("ETag", '"x"'),))
    head = serialize(reply, date="D", keep_alive=True, head_only=True)
    assert head.endswith(b'Content-Length: 5\r\nETag: "x"\r\n\r\n')
    assert serialize(reply, date="D", keep_alive=True) == head + b"hello"
    assert b"Content-Length" not in serialize(
        Reply(HTTPStatus.NOT_MODIFIED, "text/plain", b""), date="D", keep_alive=True
    )
