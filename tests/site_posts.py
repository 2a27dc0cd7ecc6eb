"""People of the tests who post, over the API."""

from typing import Any

import httpx2
from sqlalchemy import select

from rostra.site.database.tables.attention import Notification
from rostra.site.database.tables.media import MediaAttachment
from site_kit import Kit

POSTS = "/api/v1/statuses"


async def post(client: httpx2.AsyncClient, status: str = "hello", **values: Any) -> dict[str, Any]:
    answer = await client.post(POSTS, json={"status": status, **values})
    assert answer.status_code == 200, answer.text
    entity: dict[str, Any] = answer.json()
    return entity


async def get(client: httpx2.AsyncClient, path: str) -> Any:
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def act(client: httpx2.AsyncClient, status: dict[str, Any], verb: str, **values: Any) -> dict[str, Any]:
    answer = await client.post(f"{POSTS}/{status['id']}/{verb}", data=values)
    assert answer.status_code == 200, answer.text
    entity: dict[str, Any] = answer.json()
    return entity


async def picture(kit: Kit, username: str) -> int:
    async with kit.site.writing() as work:
        row = MediaAttachment(
            id=work.make_id(),
            account_id=await account_id(kit, username),
            kind="image",
            state="ready",
            file=f"aa/{username}.png",
            description="a picture",
            created_at=work.now,
        )
        work.session.add(row)
    return row.id


async def account_id(kit: Kit, username: str) -> int:
    found = await get(kit.anonymous, f"/api/v1/accounts/lookup?acct={username}")
    return int(found["id"])


async def notified(kit: Kit, username: str) -> list[str]:
    async with kit.site.reading() as work:
        query = select(Notification.kind).where(Notification.account_id == await account_id(kit, username))
        return list(await work.session.scalars(query.order_by(Notification.id)))


async def follow(kit: Kit, who: httpx2.AsyncClient, username: str) -> None:
    answer = await who.post(f"/api/v1/accounts/{await account_id(kit, username)}/follow")
    assert answer.status_code == 200, answer.text


def ids(entities: list[dict[str, Any]]) -> list[str]:
    return [each["id"] for each in entities]
