"""Web push: what a subscription wants reaches its service, sealed for it alone; what is gone is forgotten."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import http_ece
import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02

from bus_server import run
from rostra.site.attention import vapid
from rostra.site.attention.notify import notify
from rostra.site.database.tables.graph import Follow
from site_kit import Kit, site_kit

_SECRET = bytes(range(16))


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


@dataclass
class Service:
    """A push service on loopback, and the client behind it."""

    status: int = 201
    pushed: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    async def answer(self, request: web.Request) -> web.Response:
        self.pushed.append(({name.lower(): value for name, value in request.headers.items()}, await request.read()))
        return web.Response(status=self.status)

    def subscription(self, **changed: Any) -> dict[str, Any]:
        point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        keys = {"p256dh": _text(point), "auth": _text(_SECRET)}
        return {"endpoint": f"{self.url}/send/1", "keys": keys, "standard": True} | changed

    def opened(self, sealed: bytes) -> Any:
        return orjson.loads(
            http_ece.decrypt(sealed, private_key=self.key, auth_secret=_SECRET, version="aes128gcm")
        )


@asynccontextmanager
async def _service() -> AsyncIterator[Service]:
    service = Service()
    app = web.Application()
    app.router.add_post("/{path:.*}", service.answer)
    async with TestServer(app) as server:
        service.url = str(server.make_url("")).rstrip("/")
        yield service


async def _tell(kit: Kit, kind: str, account_id: int, from_id: int) -> None:
    async with kit.site.writing() as work:
        await notify(work, kind, [account_id], from_id=from_id)
    await kit.do_jobs()


def test_a_notification_is_pushed_sealed_and_signed_in_the_language_of_its_reader(
    database_url: str, tmp_path: Path
) -> None:
    async def test() -> None:
        async with _service() as service, site_kit(database_url, tmp_path) as kit:
            ann, bob = await kit.account("ann"), await kit.account("bob", display_name="Bob")
            client = kit.client(await kit.token(ann))
            answer = await client.post(
                "/api/v1/push/subscription",
                json={"subscription": service.subscription(), "data": {"alerts": {"follow": True}}},
            )
            assert answer.status_code == 200
            entity = answer.json()
            assert (entity["alerts"]["follow"], entity["alerts"]["mention"], entity["policy"]) == (
                True,
                False,
                "all",
            )
            assert entity["server_key"] == vapid.public_key(kit.site.settings)
            await _tell(kit, "follow", ann, bob)
            await _tell(kit, "admin.sign_up", ann, bob)  # not asked for
            ((headers, body),) = service.pushed
            message = service.opened(body)
            assert (message["title"], message["notification_type"]) == ("Bob follows you", "follow")
            assert (headers["content-encoding"], headers["ttl"]) == ("aes128gcm", "172800")
            assert Vapid02.verify(headers["authorization"])
            assert f"k={entity['server_key']}" in headers["authorization"].replace("=\n", "")

    run(test)


def test_one_subscription_a_client_changed_replaced_and_deleted(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann = await kit.person("ann")
            service = Service(url="https://push.example")
            path = "/api/v1/push/subscription"
            assert (await ann.get(path)).status_code == 404
            assert (await ann.put(path, json={})).status_code == 404
            for endpoint in ("https://push.example/1", "https://push.example/2"):
                wanted = {"subscription": service.subscription(endpoint=endpoint)}
                assert (await ann.post(path, json=wanted)).status_code == 200
            changed = await ann.put(path, data={"data[alerts][poll]": "1", "data[policy]": "followed"})
            entity = (await ann.get(path)).json()
            assert changed.json() == entity
            assert (entity["endpoint"], entity["alerts"]["poll"]) == ("https://push.example/2", True)
            assert entity["policy"] == "followed"
            assert (await ann.delete(path)).json() == {}
            assert (await ann.get(path)).status_code == 404
            other = await kit.person("bob", scopes="read write")
            assert (await other.get(path)).status_code == 403

    run(test)


@pytest.mark.parametrize(
    "changed",
    [
        {"endpoint": "file:///etc/passwd"},
        {"endpoint": ""},
        {"keys": {"p256dh": "AAAA", "auth": _text(_SECRET)}},
        {"keys": {"p256dh": "é", "auth": ""}},
        {"keys": "none"},
    ],
)
def test_what_cannot_work_is_refused(database_url: str, tmp_path: Path, changed: dict[str, Any]) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            wanted = {"subscription": Service(url="https://push.example").subscription(**changed)}
            answer = await (await kit.person("ann")).post("/api/v1/push/subscription", json=wanted)
            assert answer.status_code == 422

    run(test)


def test_a_policy_of_followed_pushes_what_comes_from_those_only(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with _service() as service, site_kit(database_url, tmp_path) as kit:
            ann, bob, cid = [await kit.account(name) for name in ("ann", "bob", "cid")]
            async with kit.site.writing() as work:
                work.session.add(Follow(id=work.make_id(), account_id=ann, target_id=bob))
            wanted = {
                "subscription": service.subscription(),
                "data": {"alerts": {"follow": True}, "policy": "followed"},
            }
            await kit.client(await kit.token(ann)).post("/api/v1/push/subscription", json=wanted)
            await _tell(kit, "follow", ann, bob)
            await _tell(kit, "follow", ann, cid)
            assert [service.opened(body)["title"] for _, body in service.pushed] == ["bob follows you"]

    run(test)


def test_a_service_that_is_busy_is_tried_again_and_one_that_has_forgotten_us_is_forgotten(
    database_url: str, tmp_path: Path
) -> None:
    async def test() -> None:
        async with _service() as service, site_kit(database_url, tmp_path) as kit:
            ann, bob = await kit.account("ann"), await kit.account("bob")
            client = kit.client(await kit.token(ann))
            wanted = {"subscription": service.subscription(), "data": {"alerts": {"follow": True}}}
            await client.post("/api/v1/push/subscription", json=wanted)
            service.status = 503
            await _tell(kit, "follow", ann, bob)
            service.status = 410
            kit.clock.pass_(minutes=1)
            await kit.do_jobs()
            assert len(service.pushed) == 2
            assert (await client.get("/api/v1/push/subscription")).status_code == 404

    run(test)


def test_clients_of_before_rfc_8291_get_the_older_form(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with _service() as service, site_kit(database_url, tmp_path) as kit:
            ann, bob = await kit.account("ann"), await kit.account("bob")
            wanted = {"subscription": service.subscription(standard=False), "data": {"alerts": {"follow": True}}}
            await kit.client(await kit.token(ann)).post("/api/v1/push/subscription", json=wanted)
            await _tell(kit, "follow", ann, bob)
            ((headers, body),) = service.pushed
            keys = dict(part.split("=", 1) for part in headers["crypto-key"].split(";"))
            salt = headers["encryption"].removeprefix("salt=")
            opened = http_ece.decrypt(
                body,
                salt=urlsafe_b64decode(salt + "=="),
                private_key=service.key,
                dh=urlsafe_b64decode(keys["dh"] + "=="),
                auth_secret=_SECRET,
                version="aesgcm",
            )
            assert orjson.loads(opened)["notification_type"] == "follow"
            assert keys["p256ecdsa"] == vapid.public_key(kit.site.settings)
            assert headers["authorization"].startswith("WebPush ")

    run(test)
