"""The site as one ASGI application: its parts, and what holds for all of them."""

from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Annotated, Final

import structlog
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from rostra.core.errors import BadInputError
from rostra.site.answers import Json, RefusedError
from rostra.site.database.engine import BusyError
from rostra.site.envelope import Envelope, admit
from rostra.site.mastodon.openapi import describe
from rostra.site.rates import Rates
from rostra.site.work import Site

_log = structlog.get_logger()
_API: Final = ("/api/", "/.well-known/", "/nodeinfo")  # what clients read, whatever they say they accept


async def the_site(request: Request) -> Site:
    """Asynchronous, though it waits for nothing: FastAPI sends what is not to a thread, for a millisecond."""
    return _site_of(request)


def _site_of(request: Request) -> Site:
    site: Site = request.app.state.site
    return site


TheSite = Annotated[Site, Depends(the_site)]


RefusedPage = Callable[[Request, Site, RefusedError], Awaitable[Response]]


def create_app(site: Site, routers: Sequence[APIRouter], refused_page: RefusedPage) -> FastAPI:
    """`refused_page` is what a person gets who asked for what cannot be had."""
    app = FastAPI(
        title=site.settings.title,
        version="1",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        dependencies=[Depends(admit)],
    )
    app.add_middleware(Envelope)
    app.state.site = site
    app.state.rates = Rates()
    app.state.refused_page = refused_page
    for router in routers:
        describe(router)
        app.include_router(router)
    app.add_exception_handler(RefusedError, _refused)
    app.add_exception_handler(BadInputError, _bad_input)
    app.add_exception_handler(BusyError, _busy)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(Exception, _failed)
    return app


def _wants_page(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "") and not request.url.path.startswith(_API)


async def _answer(request: Request, refused: RefusedError) -> Response:
    """The refusal in the form that its asker reads."""
    path = request.url.path
    if _wants_page(request):
        refused_page: RefusedPage = request.app.state.refused_page
        return await refused_page(request, _site_of(request), refused)
    if path.startswith((*_API, "/oauth/")):
        body: dict[str, object] = {"error": refused.code or refused.message}
        if refused.code:
            body["error_description"] = refused.message
        if refused.details is not None:
            body["details"] = refused.details
        return Json(body, status_code=refused.status, headers=refused.headers)
    problem = {
        "type": "about:blank",
        "title": refused.status.phrase,
        "status": refused.status,
        "detail": refused.message,
    }
    return Json(problem, status_code=refused.status, headers=refused.headers, media_type="application/problem+json")


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedError)
    return await _answer(request, error)


async def _busy(request: Request, error: Exception) -> Response:
    _log.warning("request.busy", path=request.url.path, reason=str(error))
    busy = RefusedError(
        HTTPStatus.SERVICE_UNAVAILABLE, "Too many ask at once. Try again in a moment.", headers={"Retry-After": "2"}
    )
    return await _answer(request, busy)


async def _bad_input(request: Request, error: Exception) -> Response:
    return await _answer(request, RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)))


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    message = "Record not found" if status == HTTPStatus.NOT_FOUND else status.phrase
    return await _answer(request, RefusedError(status, message, headers=error.headers))


async def _unreadable(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return await _answer(request, RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, f"{where}: {first['msg']}"))


async def _failed(request: Request, error: Exception) -> Response:
    _log.error("request.failed", path=request.url.path, exc_info=error)
    return await _answer(
        request, RefusedError(HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong on our side.")
    )
