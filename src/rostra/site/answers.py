"""How the site says no, and yes: JSON as Mastodon's API has it, problem details (RFC 9457) elsewhere, or a page."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
from starlette.responses import Response

from rostra.core.errors import RostraError


class RefusedError(RostraError):
    """A request that cannot be met. Caught by app.py, which answers in the form that the asker reads.

    `details` are Mastodon's: `{field: [{"error": "ERR_BLANK", "description": …}]}`.
    """

    def __init__(
        self,
        status: HTTPStatus,
        message: str,
        *,
        details: Mapping[str, Any] | None = None,
        code: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.details = details
        self.code = code  # OAuth's error code (RFC 6749 §5.2), where there is one
        self.headers = dict(headers or {})


def not_found() -> RefusedError:
    """What Mastodon says for everything that is not there, or not for you."""
    return RefusedError(HTTPStatus.NOT_FOUND, "Record not found")


def invalid(message: str, *, details: Mapping[str, Any] | None = None) -> RefusedError:
    return RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, message, details=details)


def forbidden(message: str = "This action is not allowed") -> RefusedError:
    return RefusedError(HTTPStatus.FORBIDDEN, message)


class Json(Response):
    """JSON written by orjson, which also takes fragments that were written before."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return orjson.dumps(content)
