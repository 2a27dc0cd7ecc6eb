"""The pages as bytes: read once at the start, filled in when something changes, served from memory."""

import html
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from importlib.resources.abc import Traversable
from typing import Any, Final

from rostra.core.messages import ConversationRecord
from rostra.core.units import SECOND_NS
from rostra.edge.http import Reply, Request
from rostra.web.pages import HTML, IMMUTABLE, REVALIDATE, SECURITY, PageFiles, embeddable, filled

_PAGE_HEADERS: Final = (*SECURITY, ("Cache-Control", "max-age=1"), ("Vary", "Accept"))


class Pages:
    """The page files of `folder`. RostraError if one is missing or of an unknown type."""

    def __init__(self, folder: Traversable, *, stage_url: str = "", replay_url: str = "") -> None:
        """`stage_url` and `replay_url` are where people ask to speak and hear it again; empty: nowhere."""
        self._elsewhere = {"stage": stage_url, "replay": replay_url}
        page_files = PageFiles(folder)
        self._assets = page_files.assets
        self._index = page_files.template("index.html")
        self._listen = page_files.template("listen.html")
        self._problem = page_files.template("problem.html")

    def index(self, records: Iterable[ConversationRecord]) -> Reply:
        """What is on now and what comes, the next first."""
        coming = sorted(records, key=lambda record: (record.starts_ns, record.id))
        items = "".join(_item(record) for record in coming)
        return _page(HTTPStatus.OK, self._index.replace("<!--conversations-->", f"<ul>{items}</ul>"))

    def listen(self, state: Mapping[str, Any]) -> Reply:
        """The listening page of a conversation whose object `state` this is: the same bytes for all."""
        values = {name: html.escape(str(state[name])) for name in ("id", "title", "language")}
        for name, url in self._elsewhere.items():
            path = {"stage": "stage", "replay": "r"}[name]
            values[f"{name}_url"] = html.escape(f"{url}/{path}/{state['id']}") if url else ""
        values["state_json"] = embeddable(state)
        return _page(HTTPStatus.OK, filled(self._listen, values))

    def problem(self, status: HTTPStatus, title: str, detail: str) -> Reply:
        values = {"title": html.escape(title), "detail": html.escape(detail)}
        return _page(status, filled(self._problem, values))

    def asset(self, name: str, request: Request) -> Reply | None:
        """An asset, or that the client has it already (RFC 9110 §13.1.2); None if there is none."""
        asset = self._assets.get(name)
        if asset is None:
            return None
        tag = f'"{asset.digest}"'
        cache = IMMUTABLE if request.query.get("v") == asset.digest else REVALIDATE
        headers = (*SECURITY, ("ETag", tag), cache, ("Access-Control-Allow-Origin", "*"))
        known = {candidate.strip().removeprefix("W/") for candidate in request.if_none_match.split(",")}
        if tag in known or "*" in known:
            return Reply(HTTPStatus.NOT_MODIFIED, asset.content_type, b"", headers)
        return Reply(HTTPStatus.OK, asset.content_type, asset.body, headers)


def _page(status: HTTPStatus, text: str) -> Reply:
    return Reply(status, HTML, text.encode(), _PAGE_HEADERS)


def _item(record: ConversationRecord) -> str:
    starts = datetime.fromtimestamp(record.starts_ns // SECOND_NS, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return (
        f'<li data-state="{html.escape(record.state)}"><a href="/c/{html.escape(record.id)}" '
        f'lang="{html.escape(record.language)}">{html.escape(record.title)}</a> '
        f'<time datetime="{starts}">{starts[:16].replace("T", " ")} UTC</time></li>'
    )
