"""`rostra witness cosign`: a cosigner over HTTP (C2SP tlog-witness)."""

import time
from http import HTTPStatus
from typing import Final

import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rostra.witness.cosigner import Cosigner

BODY_BYTES_MAX: Final = 65_536  # a proof has 63 lines, a checkpoint a few hundred bytes
_log = structlog.get_logger()


class Cosigning:
    """Each request is answered without waiting for anything: so what is compared is what is then written."""

    def __init__(self, cosigner: Cosigner) -> None:
        self._cosigner = cosigner

    @property
    def application(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/add-checkpoint", self.add, methods=["POST"]),
                Route("/{origin}/checkpoint", self.latest),
            ]
        )

    async def add(self, request: Request) -> Response:
        body = await request.body()
        try:
            answer = self._cosigner.add(body, now_s=int(time.time()))
        except OSError as error:
            _log.error("cosignature.unwritten", error=str(error))
            return Response("It cannot be kept now.\n", HTTPStatus.SERVICE_UNAVAILABLE, media_type="text/plain")
        _log.info("checkpoint.answered", status=answer.status.value)
        return Response(answer.text, answer.status, media_type=answer.media_type)

    async def latest(self, request: Request) -> Response:
        note = self._cosigner.latest(request.path_params["origin"])
        if note is None:
            return Response("Nothing was cosigned of this log.\n", HTTPStatus.NOT_FOUND, media_type="text/plain")
        return Response(note, media_type="text/plain")
