"""Requests that make no sense, to all of the API: each gets an answer, none is our fault. More: test_openapi.py."""

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from site_kit import site_kit

_TRIES: Final = 3  # of each operation
_WEIRD: Final = (
    "", " ", "0", "-1", "1.5", "9" * 19, "9" * 40, "x" * 5_000, "é", "\u0000", "\ud7ff\u202e", "%", "%2e%2e", "..",
    "'\"<script>", "null", "[]", "{}", "true", "2026-13-45", "public", "authorization_code", "client_credentials",
)  # fmt: skip
_NAMES: Final = (
    "id", "id[]", "ids[]", "acct", "q", "type", "limit", "offset", "max_id", "since_id", "min_id", "comment",
    "duration", "languages[]", "fields_attributes", "fields_attributes[0][name]", "fields_attributes[][value]",
    "source", "source[privacy]", "display_name", "note", "locked", "avatar", "username", "email", "password",
    "agreement", "locale", "reason", "client_name", "redirect_uris", "scopes", "grant_type", "client_id",
    "client_secret", "code", "token", "domain", "status", "spoiler_text", "sensitive", "media_ids[]",
    "media_attributes[][id]", "poll", "poll[options][]", "poll[expires_in]", "choices[]", "scheduled_at",
    "visibility", "in_reply_to_id", "language", "title", "context[]", "keywords_attributes[][keyword]",
    "filter_action", "expires_in", "account_ids[]", "name", "types[]", "resource", "order", "timeline[]",
    "home[last_read_id]", "text", "category", "rule_ids[]", "report_id", "data[alerts][follow]",
    "subscription[endpoint]", "subscription[keys][auth]", "focus", "description",
)  # fmt: skip
_BODIES: Final = ("application/json", "multipart/form-data", "multipart/form-data; boundary=x", "text/plain", "")


def _path(template: str, chance: random.Random, known: list[str]) -> str:
    while "{" in template:
        before, _, rest = template.partition("{")
        value = chance.choice([*known, *known, *_WEIRD]).replace("/", "")
        template = before + (quote(value) or "x") + rest.partition("}")[2]
    return template


def _sent(chance: random.Random, known: list[str]) -> dict[str, Any]:
    """What a request carries: parameters in one of the ways in which clients send them, or no sense at all."""
    values = {name: chance.choice([*known, *_WEIRD]) for name in chance.sample(_NAMES, 8)}
    match chance.randrange(5):
        case 0:
            shapes = [lambda v: v, lambda v: [v], lambda v: {"a": v}, lambda _: None, lambda _: 5, lambda _: True]
            return {"json": {name.removesuffix("[]"): chance.choice(shapes)(v) for name, v in values.items()}}
        case 1:
            return {"data": values}
        case 2:
            return {"params": values}
        case 3:
            return {"content": b'[{"a": 1}]', "headers": {"Content-Type": "application/json"}}
        case _:
            return {"content": chance.randbytes(40), "headers": {"Content-Type": chance.choice(_BODIES)}}


def _operations(schema: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for path, methods in schema["paths"].items():
        if "/streaming" not in path:  # an answer that does not end
            yield from ((method.upper(), path) for method in methods)


def test_nothing_that_is_sent_is_a_failure_of_ours(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        chance = random.Random(2026)
        async with site_kit(database_url, tmp_path, password_grant=True) as kit:
            owner = await kit.person("ann", role="owner", scopes="read write follow push admin:read admin:write")
            bob = await kit.account("bob")
            post = await kit.client(await kit.token(bob)).post("/api/v1/statuses", json={"status": "#hello"})
            known = [str(bob), post.json()["id"]]
            app = kit.anonymous._transport.app  # type: ignore[attr-defined] # noqa: SLF001 # it describes itself
            asked = 0
            for method, path in _operations(app.openapi()):
                for _ in range(_TRIES):
                    client = chance.choice([owner, owner, owner, kit.anonymous])
                    address, sent = _path(path, chance, known), _sent(chance, known)
                    answer = await client.request(method, address, **sent)
                    assert answer.status_code < 500, f"{method} {address} {sent}"
                    asked += 1
            assert asked >= 500

    asyncio.run(test())
