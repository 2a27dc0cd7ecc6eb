"""What surrounds every answer: its number, what other origins may read, and how often one may still ask."""

import secrets
from typing import TYPE_CHECKING, Final

import structlog
from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rostra.site.answers import invalid, not_found
from rostra.site.rates import Allowance, Rates, address_key, of_account, of_address

if TYPE_CHECKING:
    from rostra.site.work import Site

# What clients in browsers read from other origins (wire rule 23); nothing of it depends on a cookie.
_OPEN: Final = (
    "/api/",
    "/oauth/token",
    "/oauth/revoke",
    "/oauth/userinfo",
    "/.well-known/",
    "/nodeinfo/",
    "/media/",
)
_EXPOSED: Final = (
    "Link", "X-RateLimit-Reset", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-Request-Id",
)  # fmt: skip


class Envelope:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._open = CORSMiddleware(
            app, allow_origins=["*"], allow_methods=["*"], allow_headers=["*"], expose_headers=list(_EXPOSED)
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        number = secrets.token_hex(8)

        async def enveloped(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = number
                allowance: Allowance | None = scope.get("state", {}).get("allowance")
                for name, value in allowance.headers.items() if allowance else ():
                    headers.setdefault(name, value)
            await send(message)

        app = self._open if scope["path"].startswith(_OPEN) else self._app
        with structlog.contextvars.bound_contextvars(request=number):
            await app(scope, receive, enveloped)


async def admit(connection: HTTPConnection) -> None:
    """A dependency of every route; a WebSocket's counts by itself, since its refusals are written by hand."""
    if connection.scope["type"] != "http":
        return
    count_asking(connection)
    if "\0" in connection.scope["path"]:  # no name and no id holds a NUL, and PostgreSQL takes none
        raise not_found()
    if b"%00" in connection.scope["query_string"]:
        raise invalid("A parameter holds a NUL, which no text does")


def count_asking(connection: HTTPConnection) -> None:
    """RefusedError (429) for an address that asks too often."""
    site: Site = connection.app.state.site
    if not site.settings.rate_limits:
        return
    key = address_key("" if connection.client is None else connection.client.host)
    has_token = "authorization" in connection.headers
    for rate in of_address(connection.scope.get("method", "GET"), connection.url.path, has_token=has_token):
        _remember(connection, _rates(connection).take(rate, key, site.clock()))


def count_account(request: Request, account_id: int) -> None:
    """Called once it is known whose token came. RefusedError (429) for an account that asks too often."""
    site: Site = request.app.state.site
    if not site.settings.rate_limits:
        return
    for rate in of_account(request.method, request.url.path):
        _remember(request, _rates(request).take(rate, str(account_id), site.clock()))


def _rates(connection: HTTPConnection) -> Rates:
    rates: Rates = connection.app.state.rates
    return rates


def _remember(connection: HTTPConnection, allowance: Allowance) -> None:
    """The last is the strictest, and what the answer tells."""
    connection.state.allowance = allowance
