"""Ledgers over HTTP: their files and reports, for anybody, and a way in for entries of registered probes."""

from asyncio import to_thread
from collections import deque
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Final

from babel import negotiate_locale
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import Route

from rostra.core.conversation import parse_id
from rostra.core.errors import BadInputError
from rostra.core.limits import PROBE_ENTRIES_WAITING_MAX
from rostra.report.wording import LANGUAGES
from rostra.reporting import VERDICT_FILE, page_file
from rostra.verifier.checks.probes import PROBE
from rostra.verifier.entry import Sealed, parse_entry, signature_of
from rostra.verifier.errors import FlawError
from rostra.verifier.signatures import AtOnce
from rostra.verifier.source import NAMES
from rostra.verifier.tiles import CHECKPOINT, ENTRY_BYTES_MAX
from rostra.web.serving import problem
from rostra.witness.reports import Reports

BODY_BYTES_MAX: Final = ENTRY_BYTES_MAX
_TYPES: Final = {
    CHECKPOINT: "text/plain; charset=utf-8",
    "key": "text/plain; charset=utf-8",
    VERDICT_FILE: "application/json",
}
_PAGE: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}


class Web:
    """`probes` are the public keys of who may say something, by name; what they say waits in `arrived`."""

    def __init__(self, folder: Path, probes: Mapping[str, bytes], reports: Reports) -> None:
        self._folder = folder
        self._reports = reports
        self.probes = probes
        self.arrived: deque[tuple[bytes, Sealed]] = deque()

    @property
    def application(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/ledgers/entries", self.take, methods=["POST"]),
                Route("/ledgers/{conversation}/report", self.choose),
                Route("/ledgers/{conversation}/report.{language}.html", self.report),
                Route("/ledgers/{conversation}/{name:path}", self.file),
            ],
            exception_handlers={HTTPException: problem, BadInputError: problem},
        )

    async def choose(self, request: Request) -> Response:
        """The stable address of a report: to the page in the reader's language."""
        wanted = request.headers.get("accept-language", "").replace(",", ";").replace(" ", "").split(";")
        language = negotiate_locale([each for each in wanted if each], LANGUAGES, sep="-") or LANGUAGES[0]
        return RedirectResponse(page_file(language), HTTPStatus.SEE_OTHER, {"Vary": "Accept-Language"})

    async def report(self, request: Request) -> Response:
        """The page as of the newest checkpoint, or of a minute ago while the evening goes on."""
        language = request.path_params["language"]
        path = self._ledger(request) / page_file(language)
        if language not in LANGUAGES or not await to_thread(path.parent.is_dir):
            raise HTTPException(HTTPStatus.NOT_FOUND, "There is no such report.")
        await self._reports.renew(path.parent)
        if not await to_thread(path.is_file):
            raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, "No report can be made yet.", {"Retry-After": "30"})
        return FileResponse(path, media_type="text/html", headers={"Cache-Control": "no-cache", **_PAGE})

    def _ledger(self, request: Request) -> Path:
        try:
            return self._folder / parse_id(request.path_params["conversation"])
        except BadInputError as error:
            raise HTTPException(HTTPStatus.NOT_FOUND, str(error)) from error

    def file(self, request: Request) -> Response:
        """In a thread: a slow disk holds up its reader only."""
        name = request.path_params["name"]
        path = self._ledger(request) / name
        if not NAMES.fullmatch(name) or not path.is_file():
            raise HTTPException(HTTPStatus.NOT_FOUND, "The ledger has no such file.")
        is_final = name.startswith("tile/") and ".p/" not in name
        headers = {"Cache-Control": "max-age=31536000, immutable" if is_final else "no-cache"}
        return FileResponse(path, media_type=_TYPES.get(name, "application/octet-stream"), headers=headers)

    async def take(self, request: Request) -> Response:
        """202: it will be in every ledger that is open. Numbers and order are judged there."""
        data = await request.body()
        try:
            sealed = parse_entry(data)
            key = self.probes.get(sealed.entry.who)
            if key is None:
                raise HTTPException(HTTPStatus.FORBIDDEN, f"{sealed.entry.who[:80]!r} is no registered probe.")
            if sealed.entry.kind != PROBE:  # of nobody's limits, changes or keys, and not of its own
                raise HTTPException(HTTPStatus.FORBIDDEN, "A probe says what it found, and nothing else.")
            AtOnce().take(signature_of(sealed, key))
        except FlawError as flaw:
            raise HTTPException(HTTPStatus.BAD_REQUEST, str(flaw)) from flaw
        if len(self.arrived) >= PROBE_ENTRIES_WAITING_MAX:
            raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, "Too many entries wait.", {"Retry-After": "10"})
        self.arrived.append((data, sealed))
        return Response(status_code=HTTPStatus.ACCEPTED)
