"""Pages: filled in safely, cached for as long as they may be."""

from http import HTTPStatus
from pathlib import Path

import pytest

from rostra.core.errors import RostraError
from rostra.core.messages import ConversationRecord
from rostra.edge.http import Request
from rostra.edge.pages import Pages


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "player.js").write_text("play()")
    (tmp_path / "index.html").write_text('<link href="/assets/player.js"><!--conversations-->')
    (tmp_path / "listen.html").write_text("<h1 lang={{language}}>{{title}}</h1>{{id}}<s>{{state_json}}</s>{{x}}")
    (tmp_path / "problem.html").write_text("{{title}}: {{detail}}")
    return tmp_path


def request(*, version: str = "", if_none_match: str = "") -> Request:
    return Request("GET", "/assets/player.js", {"v": version}, False, if_none_match, True)


def record(title: str, starts_ns: int) -> ConversationRecord:
    return ConversationRecord(
        id="evening",
        title=title,
        starts_ns=starts_ns,
        doors_ns=0,
        ends_ns=0,
        timezone="UTC",
        language="en",
        revision=0,
        state="live",
    )


def test_a_title_cannot_leave_its_place_in_the_page(folder: Path) -> None:
    state = {"id": "evening", "title": "</s><script>{{id}}", "language": "en"}
    body = Pages(folder).listen(state).body.decode()
    assert body.count("<script>") == 0
    assert body.count("</s>") == 1
    assert "&lt;script&gt;{{id}}</h1>evening" in body
    assert body.endswith("{{x}}")


def test_the_index_lists_the_next_conversation_first(folder: Path) -> None:
    later, sooner = record("Later", 2_000_000_000_000_000_000), record("<Sooner>", 1_000_000_000_000_000_000)
    body = Pages(folder).index([later, sooner]).body.decode()
    assert body.index("&lt;Sooner&gt;") < body.index("Later")
    assert '<time datetime="2001-09-09T01:46:40Z">' in body


def test_an_asset_is_immutable_under_the_hash_that_the_pages_name(folder: Path) -> None:
    pages = Pages(folder)
    body = pages.index([]).body.decode()
    version = body.partition("player.js?v=")[2].partition('"')[0]
    reply = pages.asset("player.js", request(version=version))
    assert reply is not None
    assert ("Cache-Control", "public, max-age=31536000, immutable") in reply.headers
    stale = pages.asset("player.js", request(version="other"))
    assert stale is not None
    assert ("Cache-Control", "no-cache") in stale.headers


def test_who_has_the_asset_does_not_get_it_again(folder: Path) -> None:
    pages = Pages(folder)
    reply = pages.asset("player.js", request())
    assert reply is not None
    tag = dict(reply.headers)["ETag"]
    again = pages.asset("player.js", request(if_none_match=f'"old", W/{tag}'))
    assert again is not None
    assert again.status is HTTPStatus.NOT_MODIFIED
    assert again.body == b""


def test_there_is_nothing_but_the_files_in_the_folder(folder: Path) -> None:
    assert Pages(folder).asset("../index.html", request()) is None


def test_an_incomplete_folder_is_told_at_the_start(folder: Path) -> None:
    (folder / "listen.html").unlink()
    with pytest.raises(RostraError, match=r"listen\.html"):
        Pages(folder)


def test_no_page_allows_inline_script(folder: Path) -> None:
    headers = dict(Pages(folder).problem(HTTPStatus.NOT_FOUND, "a", "b").headers)
    assert "script-src 'self';" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
