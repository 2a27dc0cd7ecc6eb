import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from rostra.core.errors import BadInputError
from rostra.core.leave import LEAVE_PATH, proof
from rostra.rehearsal.target import check, confirm, is_here

TOKEN = "a secret of some length"  # noqa: S105 # of a test
ELSEWHERE = "http://192.0.2.1/c/evening"  # RFC 5737: nobody's


@contextmanager
def target(answer: str) -> Iterator[int]:
    """A target that answers with a proof by `answer`, or with nothing if that is empty."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            assert parts.path == LEAVE_PATH
            given = proof(answer, host=self.headers["Host"], nonce=parse_qs(parts.query)["nonce"][0])
            self.send_response(200 if answer else 404)
            self.end_headers()
            self.wfile.write(json.dumps({"proof": given}).encode())

        def log_message(self, *_: object) -> None:
            """Nothing: a test's output is the test's."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def test_this_machine_needs_no_leave() -> None:
    assert check("http://127.0.0.1:8080/c/evening", allowed=(), token=None) is False


def test_this_machine_is_here_and_another_is_not() -> None:
    assert is_here("http://127.0.0.1:8080/c/evening")
    assert not is_here(ELSEWHERE)


def test_another_machine_is_refused_unless_it_is_allowed_by_name() -> None:
    with pytest.raises(BadInputError, match=r"only with --allow 192\.0\.2\.1"):
        check(ELSEWHERE, allowed=("192.0.2.2",), token=TOKEN)


def test_an_allowed_machine_is_refused_without_a_secret() -> None:
    with pytest.raises(BadInputError, match="ROSTRA_REHEARSAL_TOKEN_FILE"):
        check(ELSEWHERE, allowed=("192.0.2.1",), token=None)


def test_a_target_that_knows_the_secret_confirms() -> None:
    with target(TOKEN) as port:
        confirm("127.0.0.1", port, TOKEN)


@pytest.mark.parametrize(("answer", "reason"), [("", "has not been told"), ("another secret", "another secret")])
def test_a_target_that_does_not_know_it_is_refused(answer: str, reason: str) -> None:
    with target(answer) as port, pytest.raises(BadInputError, match=reason):
        confirm("127.0.0.1", port, TOKEN)


def test_a_target_that_does_not_answer_is_refused() -> None:
    with target(TOKEN) as port:
        pass
    with pytest.raises(BadInputError, match="cannot confirm"):
        confirm("127.0.0.1", port, TOKEN)
