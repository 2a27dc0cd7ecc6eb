"""Link cards: asked once, by a job, and never anything but a public address."""

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from PIL import Image

from bus_server import run
from rostra.site.cards.cards import give_card
from rostra.site.database.tables.posts import Status
from rostra.site.events import StatusEdited
from rostra.site.mastodon.entities.card import preview_cards
from rostra.site.outbound import Outbound
from site_kit import Kit, site_kit


@dataclass
class Paper:
    """A newspaper on loopback: what it answers by path, and who asked for what."""

    pages: dict[str, web.Response | str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    url: str = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        found = self.pages.get(request.path)
        if isinstance(found, str):
            return web.Response(text=found, content_type="text/html")
        return web.Response(status=404) if found is None else found


@asynccontextmanager
async def _paper() -> AsyncIterator[Paper]:
    paper = Paper()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", paper.answer)
    async with TestServer(app) as server:
        paper.url = str(server.make_url("")).rstrip("/")
        yield paper


async def _post(kit: Kit, account_id: int, url: str) -> int:
    async with kit.site.writing() as work:
        id_ = work.make_id()
        status = Status(
            id=id_,
            account_id=account_id,
            content=f'<p><a href="{escape(url)}">a link</a></p>',
            visibility="public",
            thread_id=id_,
            created_at=work.now,
        )
        work.session.add(status)
        await give_card(work, status)
    return id_


async def _card(kit: Kit, status_id: int) -> Any:
    async with kit.site.reading() as work:
        status = await work.session.get_one(Status, status_id)
        return (await preview_cards(work, [status.card_id])).get(status.card_id or 0)


def _picture() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (1200, 630), "red").save(buffer, "JPEG")
    return buffer.getvalue()


def test_a_link_gets_its_card_by_a_job_and_the_next_post_has_it_at_once(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with _paper() as paper, site_kit(database_url, tmp_path) as kit:
            paper.pages["/talk"] = (
                '<html lang="en"><meta property="og:title" content="The talk">'
                '<meta property="og:image" content="/a">'
                '<link type="application/json+oembed" href="/oembed">'
            )
            paper.pages["/a"] = web.Response(body=_picture(), content_type="image/jpeg")
            paper.pages["/oembed"] = web.json_response(
                {"type": "link", "author_name": "Ann", "provider_name": "Paper"}
            )
            ann = await kit.account("ann")
            first = await _post(kit, ann, f"{paper.url}/talk")
            assert await _card(kit, first) is None
            await kit.do_jobs()
            card = await _card(kit, first)
            assert (card["title"], card["url"], card["language"]) == ("The talk", f"{paper.url}/talk", "en")
            assert card["authors"] == [{"name": "Ann", "url": "", "account": None}]
            assert (card["width"], card["height"]) == (662, 348)
            assert (await kit.anonymous.get(card["image"])).headers["content-type"] == "image/jpeg"
            assert StatusEdited(first, ann) in kit.told.events
            second = await _post(kit, ann, f"{paper.url}/talk")
            assert await _card(kit, second) == card
            await kit.do_jobs()
            assert paper.asked == ["/talk", "/oembed", "/a"]
            kit.clock.pass_(days=15)
            await _post(kit, ann, f"{paper.url}/talk")
            await kit.do_jobs()
            assert paper.asked.count("/talk") == 2, "after a fortnight it is asked again"

    run(test)


@pytest.mark.parametrize(
    "page",
    [
        web.Response(status=500, text="<title>T</title>", content_type="text/html"),
        web.Response(body=b"%PDF", content_type="application/pdf"),
        web.Response(text="<p>nothing", content_type="text/html"),
        web.Response(body=b"packed", headers={"Content-Encoding": "gzip", "Content-Type": "text/html"}),
        web.Response(status=302, headers={"Location": "/talk"}),
        web.Response(status=302, headers={"Location": "file:///etc/passwd"}),
        web.Response(status=302, headers={"Location": "http://[::"}),
    ],
    ids=["failure", "pdf", "untitled", "packed", "loop", "file", "nonsense"],
)
def test_a_page_that_cannot_be_used_leaves_the_post_without_a_card(
    database_url: str, tmp_path: Path, page: web.Response
) -> None:
    async def test() -> None:
        async with _paper() as paper, site_kit(database_url, tmp_path) as kit:
            paper.pages["/talk"] = web.Response(
                status=page.status, headers=page.headers, body=page.body
            )  # one that was sent cannot be sent again
            status_id = await _post(kit, await kit.account("ann"), f"{paper.url}/talk")
            await kit.do_jobs()
            assert await _card(kit, status_id) is None

    run(test)


def test_no_address_that_is_not_public_is_asked_whatever_leads_there(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with _paper() as paper, site_kit(database_url, tmp_path, outbound=Outbound()) as kit:
            paper.pages["/talk"] = "<title>T</title>"
            port = paper.url.rpartition(":")[2]
            ann = await kit.account("ann")
            for url in (
                paper.url,
                f"http://localhost:{port}",
                f"http://[::ffff:127.0.0.1]:{port}",
                f"http://2130706433:{port}",
                f"http://0:{port}",
            ):
                await _post(kit, ann, f"{url}/talk")
            await kit.do_jobs()
            assert paper.asked == []

    run(test)


def test_a_redirect_to_what_may_not_be_reached_goes_nowhere(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with _paper() as door, _paper() as inside:
            only = int(door.url.rpartition(":")[2])
            outbound = Outbound(may_reach=lambda address, port: address.is_loopback and port == only)
            async with site_kit(database_url, tmp_path, outbound=outbound) as kit:
                door.pages["/talk"] = web.Response(status=302, headers={"Location": f"{inside.url}/secret"})
                inside.pages["/secret"] = "<title>secret</title>"
                status_id = await _post(kit, await kit.account("ann"), f"{door.url}/talk")
                await kit.do_jobs()
                assert (door.asked, inside.asked) == (["/talk"], [])
                assert await _card(kit, status_id) is None

    run(test)


def test_a_link_to_our_own_post_shows_what_may_be_shown_and_nobody_is_asked(
    database_url: str, tmp_path: Path
) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann = await kit.account("ann", display_name="Ann")
            told = await _post(kit, ann, "https://paper.example/")
            linking = await _post(kit, ann, f"http://localhost:3000/@ann/{told}?utm=1")
            card = await _card(kit, linking)
            assert (card["title"], card["description"]) == ("Ann (@ann@localhost:3000)", "a link")
            async with kit.site.writing() as work:
                (await work.session.get_one(Status, told)).visibility = "private"
            assert await _card(kit, linking) is None

    run(test)
