"""Streams as clients hear them, from a real server: each event once, to whom it concerns, while they may."""

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest
import uvicorn
from PIL import Image
from sqlalchemy import update
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from bus_server import run
from rostra.core.limits import STREAM_FRAMES_MAX, STREAMS_PER_ACCOUNT_MAX
from rostra.site.app import create_app
from rostra.site.attention.announcements import publish, react, withdraw
from rostra.site.database.tables.authorization import Token
from rostra.site.database.tables.graph import Follow, List, ListMember
from rostra.site.events import AccountClosed, TokenRevoked, decoded
from rostra.site.oauth.bearer import digest
from rostra.site.pages.refused import refused_page
from rostra.site.parts import ROUTERS
from rostra.site.streaming.feed import Feed
from rostra.site.streaming.streams import Frame, Listener, Stream
from rostra.site.timelines import filters
from site_kit import Kit, site_kit


@dataclass
class Events:
    """What a client of Server-Sent Events hears."""

    lines: AsyncIterator[str]

    async def line(self) -> str:
        async with asyncio.timeout(10):
            return await anext(self.lines)

    async def next(self) -> tuple[str, Any]:
        """The next event; comments are passed over."""
        while (line := await self.line()).startswith(":"):
            continue
        event, data = line, await self.line()
        assert (event[:7], data[:6], await self.line()) == ("event: ", "data: ", "")
        return event[7:], orjson.loads(data[6:]) if data[6:].startswith(("{", "[")) else data[6:]


@dataclass
class Served:
    """The site of a kit behind a real server."""

    kit: Kit
    url: str

    @asynccontextmanager
    async def hear(self, token: str, path: str, **query: str) -> AsyncIterator[Events]:
        client = httpx2.AsyncClient(base_url=self.url, headers={"Authorization": f"Bearer {token}"}, timeout=30)
        async with client, client.stream("GET", f"/api/v1/streaming/{path}", params=query) as answer:
            assert answer.status_code == 200, await answer.aread()
            assert answer.headers["content-type"].startswith("text/event-stream")
            events = Events(answer.aiter_lines())
            assert await events.line() == ":)"
            yield events

    @asynccontextmanager
    async def converse(self, token: str | None, query: str = "", **options: Any) -> AsyncIterator[ClientConnection]:
        url = self.url.replace("http", "ws") + "/api/v1/streaming" + query
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with connect(url, additional_headers=headers, **options) as socket:
            yield socket


async def _received(socket: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(10):
        message: dict[str, Any] = orjson.loads(await socket.recv())
    return message


@asynccontextmanager
async def _served(database_url: str, folder: Path) -> AsyncIterator[Served]:
    async with site_kit(database_url, folder) as kit:
        feed = Feed(kit.site)
        app = create_app(kit.site, ROUTERS, refused_page)
        server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off", access_log=False))
        async with asyncio.TaskGroup() as tasks:
            telling = tasks.create_task(feed.run(), name="feed")
            hearing = tasks.create_task(_hear(kit, feed), name="events")
            serving = tasks.create_task(server.serve(), name="server")
            while not server.started:  # noqa: ASYNC110 # uvicorn tells it in no other way
                await asyncio.sleep(0.01)
            port = server.servers[0].sockets[0].getsockname()[1]
            try:
                yield Served(kit, f"http://127.0.0.1:{port}")
            finally:
                server.should_exit = server.force_exit = True
                telling.cancel()
                hearing.cancel()
                await serving


async def _hear(kit: Kit, feed: Feed) -> None:
    async for payload in kit.told.hear():
        feed.hear(decoded(payload))


async def _post(client: httpx2.AsyncClient, status: str, **values: Any) -> dict[str, Any]:
    answer = await client.post("/api/v1/statuses", json={"status": status, **values})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def _follow(kit: Kit, account_id: int, target_id: int) -> None:
    async with kit.site.writing() as work:
        work.session.add(Follow(id=work.make_id(), account_id=account_id, target_id=target_id))


def test_a_reader_hears_a_post_its_edit_and_its_end_as_timelines_show_them(
    database_url: str, tmp_path: Path
) -> None:
    async def test() -> None:
        async with _served(database_url, tmp_path) as served:
            kit = served.kit
            ann, bob, cid = [await kit.account(name) for name in ("ann", "bob", "cid")]
            await _follow(kit, ann, bob)
            writer, stranger = kit.client(await kit.token(bob)), kit.client(await kit.token(cid))
            token = await kit.token(ann)
            async with served.hear(token, "user") as home, served.hear(token, "public/local") as public:
                posted = await _post(writer, "hello")
                event, heard = await home.next()
                assert (event, heard["id"], heard["favourited"]) == ("update", posted["id"], False)
                shown = (await kit.client(token).get(f"/api/v1/statuses/{posted['id']}")).json()
                assert heard == shown
                other = await _post(stranger, "from somebody else")
                await writer.put(f"/api/v1/statuses/{posted['id']}", json={"status": "hello again"})
                event, heard = await home.next()
                assert (event, heard["content"]) == ("status.update", "<p>hello again</p>")
                await writer.delete(f"/api/v1/statuses/{posted['id']}")
                assert await home.next() == ("delete", posted["id"])
                heard_publicly = [await public.next() for _ in range(4)]
                assert [event for event, _ in heard_publicly] == ["update", "update", "status.update", "delete"]
                assert heard_publicly[1][1]["id"] == other["id"]

    run(test)


def test_a_notification_is_heard_by_its_reader_alone(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with _served(database_url, tmp_path) as served:
            kit = served.kit
            ann, bob = await kit.account("ann"), await kit.account("bob")
            for_ann, for_bob = await kit.token(ann), await kit.token(bob)
            async with (
                served.hear(for_ann, "user/notification") as hers,
                served.hear(for_bob, "user") as his,
            ):
                mention = await _post(kit.client(for_bob), "@ann hello")
                event, heard = await hers.next()
                assert (event, heard["type"], heard["status"]["id"]) == ("notification", "mention", mention["id"])
                await kit.client(for_ann).post(f"/api/v1/statuses/{mention['id']}/favourite")
                assert (await his.next())[0] == "update"
                event, heard = await his.next()
                assert (event, heard["type"], heard["account"]["username"]) == ("notification", "favourite", "ann")

    run(test)


def test_hashtags_lists_and_media_are_streams_of_their_own(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with _served(database_url, tmp_path) as served:
            kit = served.kit
            ann, bob = await kit.account("ann"), await kit.account("bob")
            await _follow(kit, ann, bob)
            async with kit.site.writing() as work:
                row = List(id=work.make_id(), account_id=ann, title="x")
                work.session.add(row)
                await work.session.flush()
                work.session.add(ListMember(id=work.make_id(), list_id=row.id, account_id=bob))
            token, writer = await kit.token(ann), kit.client(await kit.token(bob))
            async with (
                served.hear(token, "hashtag", tag="Debate") as tagged,
                served.hear(token, "list", list=str(row.id)) as listed,
                served.hear(token, "public", only_media="true") as pictured,
            ):
                plain = await _post(writer, "plain")
                with_tag = await _post(writer, "tonight #debate")
                answer = await writer.post("/api/v2/media", files={"file": _picture()})
                with_picture = await _post(writer, "look", media_ids=[answer.json()["id"]])
                assert (await tagged.next())[1]["id"] == with_tag["id"]
                heard = [(await listed.next())[1]["id"] for _ in range(3)]
                assert heard == [plain["id"], with_tag["id"], with_picture["id"]]
                assert (await pictured.next())[1]["id"] == with_picture["id"]

    run(test)


def test_one_socket_carries_many_streams_and_says_what_it_does_not_understand(
    database_url: str, tmp_path: Path
) -> None:
    async def test() -> None:
        async with _served(database_url, tmp_path) as served:
            kit = served.kit
            ann = await kit.account("ann")
            token = await kit.token(ann)
            writer = kit.client(token)
            async with served.converse(token, "?stream=user") as socket:
                await socket.send('{"type":"subscribe","stream":"hashtag","tag":"x"}')
                for wrong, message in (
                    ('{"type":"subscribe","stream":"nonsense"}', "Unknown stream type"),
                    ('{"type":"subscribe","stream":"hashtag"}', "Missing tag name parameter"),
                    ('{"type":"subscribe","stream":"list","list":"7"}', "Record not found"),
                    ('{"type":"dance","stream":"user"}', "Unknown message type"),
                    ("[]", "Invalid message"),
                    ("{", "Invalid message"),
                    (b"bytes", "Invalid message"),
                ):
                    await socket.send(wrong)
                    answer = await _received(socket)
                    assert answer["error"] == message
                    assert answer["status"] in {400, 404}
                posted = await _post(writer, "hello #x")
                first, second = await _received(socket), await _received(socket)
                assert (first["stream"], second["stream"]) == (["user"], ["hashtag", "x"])
                assert first["event"] == "update"
                assert orjson.loads(first["payload"])["id"] == posted["id"]
                assert first["payload"] == second["payload"] or "favourited" in first["payload"]
                await socket.send('{"type":"unsubscribe","stream":"hashtag","tag":"x"}')
                await socket.send('{"type":"none"}')
                assert (await _received(socket))["status"] == 400
                await writer.delete(f"/api/v1/statuses/{posted['id']}")
                deleted = await _received(socket)
                assert deleted == {"stream": ["user"], "event": "delete", "payload": posted["id"]}

    run(test)


def test_a_token_comes_by_header_address_or_subprotocol_and_nobody_comes_without(
    database_url: str, tmp_path: Path
) -> None:
    async def test() -> None:
        async with _served(database_url, tmp_path) as served:
            kit = served.kit
            ann = await kit.account("ann")
            token, narrow = await kit.token(ann), await kit.token(ann, scopes="write")
            async with served.converse(None, f"?access_token={token}") as socket:
                assert socket.subprotocol is None
            async with served.converse(None, subprotocols=[token]) as socket:
                assert socket.subprotocol == token
            for wrong in (None, "wrong", await kit.token(None)):
                with pytest.raises(InvalidStatus) as refused:
                    await served.converse(wrong).__aenter__()
                assert refused.value.response.status_code == 401
            async with served.converse(narrow) as socket:
                await socket.send('{"type":"subscribe","stream":"user"}')
                assert (await _received(socket))["status"] == 401
            client = httpx2.AsyncClient(base_url=served.url)
            async with client:
                assert (await client.get("/api/v1/streaming/health")).text == "OK"
                assert (await client.get("/api/v1/streaming/user")).status_code == 401
                client.headers["Authorization"] = f"Bearer {token}"
                assert (await client.get("/api/v1/streaming/nonsense")).status_code == 404
                assert (await client.get("/api/v1/streaming/hashtag")).status_code == 400
                assert (await client.get("/api/v1/streaming/list?list=1")).status_code == 404
                client.headers["Authorization"] = f"Bearer {narrow}"
                assert (await client.get("/api/v1/streaming/user")).status_code == 401

    run(test)


def test_streams_end_at_once_when_the_account_is_closed_or_the_token_revoked(
    database_url: str, tmp_path: Path
) -> None:
    async def test() -> None:
        async with _served(database_url, tmp_path) as served:
            kit = served.kit
            ann = await kit.account("ann")
            hers, his = await kit.token(ann), await kit.token(await kit.account("bob"))
            async with served.converse(his) as socket:
                (token_id,) = kit.site.streams.token_ids()
                async with served.hear(hers, "user") as events:
                    async with kit.site.writing() as work:
                        work.tell(AccountClosed(ann))
                    with pytest.raises(StopAsyncIteration):
                        await events.line()
                async with kit.site.writing() as work:
                    work.tell(TokenRevoked(token_id))
                with pytest.raises(ConnectionClosed):
                    await _received(socket)
            await _gone(kit)

    run(test)


def test_streams_whose_end_the_bus_has_lost_are_found_when_it_is_looked_for_them(
    database_url: str, tmp_path: Path
) -> None:
    async def test() -> None:
        async with _served(database_url, tmp_path) as served:
            kit = served.kit
            hers, his = [await kit.token(await kit.account(name)) for name in ("ann", "bob")]
            async with served.hear(hers, "user") as ended, served.hear(his, "user") as kept:
                async with kit.site.writing() as work:
                    revoked = update(Token).where(Token.token_hash == digest(hers)).values(revoked_at=work.now)
                    await work.session.execute(revoked)
                await Feed(kit.site).end_strangers()
                with pytest.raises(StopAsyncIteration):
                    await ended.line()
                posted = await _post(kit.client(his), "hello")
                assert (await kept.next())[1]["id"] == posted["id"]

    run(test)


def test_a_client_that_goes_leaves_nothing_and_nobody_has_more_streams_than_a_person_needs(
    database_url: str, tmp_path: Path
) -> None:
    async def test() -> None:
        async with _served(database_url, tmp_path) as served:
            kit = served.kit
            token = await kit.token(await kit.account("ann"))
            async with served.hear(token, "user"), served.converse(token):
                assert len(kit.site.streams) == 2
                opened = [kit.site.streams.open(1, 1) for _ in range(STREAMS_PER_ACCOUNT_MAX)]
                assert all(opened)
                assert kit.site.streams.open(1, 1) is None
                for listener in opened:
                    assert listener is not None
                    kit.site.streams.close(listener)
            await _gone(kit)

    run(test)


async def _gone(kit: Kit) -> None:
    """Nobody listens any more: the kernel tells the server when it likes."""
    async with asyncio.timeout(10):
        while len(kit.site.streams):  # noqa: ASYNC110 # as above
            await asyncio.sleep(0.01)


def test_announcements_reach_everybody(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with _served(database_url, tmp_path) as served:
            kit = served.kit
            ann = await kit.account("ann")
            async with served.hear(await kit.token(ann), "user") as events:
                async with kit.site.writing() as work:
                    row = await publish(work, "Tonight at eight")
                event, heard = await events.next()
                assert (event, heard["content"]) == ("announcement", "<p>Tonight at eight</p>")
                async with kit.site.writing() as work:
                    await react(work, ann, row.id, "\N{PARTY POPPER}")
                event, heard = await events.next()
                assert (event, heard["count"], heard["announcement_id"]) == (
                    "announcement.reaction",
                    1,
                    str(row.id),
                )
                async with kit.site.writing() as work:
                    await withdraw(work, row.id)
                assert await events.next() == ("announcement.delete", str(row.id))

    run(test)


def test_direct_posts_are_heard_by_those_whom_they_are_for(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with _served(database_url, tmp_path) as served:
            kit = served.kit
            ann, bob, cid = [await kit.token(await kit.account(name)) for name in ("ann", "bob", "cid")]
            async with (
                served.hear(ann, "direct") as hers,
                served.hear(bob, "user") as his,
                served.hear(cid, "direct") as others,
            ):
                posted = await _post(kit.client(bob), "@ann psst", visibility="direct")
                event, heard = await hers.next()
                assert (event, heard["unread"], heard["last_status"]["id"]) == ("conversation", True, posted["id"])
                assert [each["username"] for each in heard["accounts"]] == ["bob"]
                assert (await his.next())[1]["id"] == posted["id"]
                second = await _post(kit.client(bob), "@cid psst", visibility="direct")
                assert (await others.next())[1]["last_status"]["id"] == second["id"]

    run(test)


def test_a_reader_with_filters_hears_what_they_leave(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with _served(database_url, tmp_path) as served:
            kit = served.kit
            ann, bob = await kit.account("ann"), await kit.account("bob")
            await _follow(kit, ann, bob)
            async with kit.site.writing() as work:
                for word, action in (("secret", "hide"), ("loud", "warn")):
                    keyword = filters.Keyword(None, word, whole_word=True)
                    await filters.create(
                        work, ann, title=word, contexts=["home"], action=action, keywords=[keyword]
                    )
            writer = kit.client(await kit.token(bob))
            async with served.hear(await kit.token(ann), "user") as events:
                await _post(writer, "a secret")
                await _post(writer, "a loud one")
                event, heard = await events.next()
                assert event == "update"
                assert [each["filter"]["title"] for each in heard["filtered"]] == ["loud"]

    run(test)


def test_a_filter_that_changes_is_told_to_the_clients_of_its_owner(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with _served(database_url, tmp_path) as served:
            kit = served.kit
            ann = await kit.account("ann")
            token = await kit.token(ann)
            async with served.hear(token, "user") as events, served.converse(token, "?stream=user") as socket:
                await _subscribed(kit, "user", 2)
                async with kit.site.writing() as work:
                    await filters.create(work, ann, title="x", contexts=["home"])
                assert await events.next() == ("filters_changed", "undefined")
                assert await _received(socket) == {"stream": ["user"], "event": "filters_changed"}

    run(test)


async def _subscribed(kit: Kit, name: str, count: int) -> None:
    """So many listen to the stream of that name: a WebSocket is not told when it does."""
    async with asyncio.timeout(10):
        while True:
            listening = [each for every in kit.site.streams._by_account.values() for each in every]  # noqa: SLF001
            if sum(stream.name == name for each in listening for stream in each.streams) == count:
                return
            await asyncio.sleep(0.01)


def test_a_listener_that_reads_too_slowly_is_closed() -> None:
    async def test() -> None:
        listener, stream = Listener(1, 1), Stream("public")
        for number in range(STREAM_FRAMES_MAX):
            listener.give(stream, Frame("delete", str(number)))
        assert not listener.is_closed
        listener.give(stream, Frame("delete", "one too many"))
        assert listener.is_closed
        assert await listener.next() is None

    run(test)


def _picture() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (20, 20)).save(buffer, "PNG")
    return buffer.getvalue()
