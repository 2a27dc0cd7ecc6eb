"""uvicorn behind a `Front`, on a port that the processes of one machine may share."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

import structlog
import uvicorn
from starlette.requests import Request
from starlette.responses import Response

from rostra.web.front import Front

_log = structlog.get_logger()


class Server(uvicorn.Server):
    """uvicorn without its own signal handlers: whoever started this process stops it."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(application: Any, host: str, port: int, front: Front) -> None:
    """Serve until cancelled. A port that is in use is no reason to stop what else the process does."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            listening.bind((host, port))
        except OSError as error:
            _log.error("web.unavailable", host=host, port=port, error=str(error))
            return
        config = uvicorn.Config(
            application,
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            http=front.protocol(),
            proxy_headers=False,  # `Front` knows whom to believe
            timeout_graceful_shutdown=1,
        )
        await Server(config).serve(sockets=[listening])


async def problem(_: Request, error: Exception) -> Response:
    """Problem details (RFC 9457)."""
    status = HTTPStatus(getattr(error, "status_code", HTTPStatus.INTERNAL_SERVER_ERROR))
    detail = getattr(error, "detail", None) or str(error)
    body = {"type": "about:blank", "title": status.phrase, "status": status, "detail": detail}
    return Response(
        json.dumps(body), status, getattr(error, "headers", None) or {}, media_type="application/problem+json"
    )
