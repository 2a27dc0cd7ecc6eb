"""Recordings over HTTP: a page, the replay with byte ranges, chapters, and the podcast feed."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from rostra.core.conversation import parse_id
from rostra.core.errors import BadInputError
from rostra.core.messages import ConversationRecord
from rostra.recorder import archive, layout
from rostra.recorder.manifest import Manifest, read_manifest
from rostra.recorder.pages import Pages
from rostra.recorder.podcast import AAC_TYPE, OPUS_TYPE, TRANSCRIPTS, feed
from rostra.recorder.transcript import as_json, as_text, as_webvtt
from rostra.web.front import Front
from rostra.web.pages import HTML, IMMUTABLE, REVALIDATE, SECURITY
from rostra.web.serving import problem

_TYPES: Final = {
    layout.REPLAY: OPUS_TYPE,
    layout.PODCAST: AAC_TYPE,
    layout.CHAPTERS: "application/json+chapters",
    layout.MANIFEST: "application/json",
}
_FEED_S: Final = 2.0  # so long the feed is the same for all: it is made of every recording's manifest


@dataclass(frozen=True, slots=True)
class WebSettings:
    """Where recordings are served; `url` is how the world reaches that, `listen_url` the edges."""

    host: str
    port: int
    url: str
    listen_url: str
    front: Front = field(default_factory=lambda: Front(body_bytes_max=0))  # nothing here takes a body


class Web:
    """Answers from the folder of recordings. Its methods run in threads: a slow disk holds up its reader only."""

    def __init__(
        self, folder: Path, settings: WebSettings, coming: Callable[[], Sequence[ConversationRecord]]
    ) -> None:
        self._folder = folder
        self._settings = settings
        self._coming = coming
        self._pages = Pages()
        self._feed: tuple[float, bytes] | None = None

    @property
    def application(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/r/{conversation}", self.page),
                Route("/r/{conversation}/{name}", self.file),
                Route("/feed.xml", self.feed),
                Route("/assets/{name}", self.asset),
            ],
            middleware=[
                Middleware(
                    CORSMiddleware,
                    allow_origins=["*"],
                    allow_headers=["Range"],
                    expose_headers=["Content-Range", "Accept-Ranges"],
                )
            ],
            exception_handlers={HTTPException: problem, BadInputError: problem},
        )

    def page(self, request: Request) -> Response:
        _, manifest = self._recording(request)
        page = self._pages.recording(manifest, home=self._settings.listen_url)
        return Response(page, headers=dict([*SECURITY, REVALIDATE]), media_type=HTML)

    def file(self, request: Request) -> Response:
        folder, manifest = self._recording(request)
        name = request.path_params["name"]
        if name in TRANSCRIPTS:
            return _transcript(folder, manifest, name)
        path = folder / (manifest.replay if name == layout.REPLAY else name)
        if name == layout.PODCAST and manifest.replay == layout.COPY:
            detail = "It is made in the minutes after the conversation's end; replay.opus is there already."
            raise HTTPException(HTTPStatus.NOT_FOUND, detail, {"Retry-After": "60"})
        if name not in _TYPES or not path.exists():
            files = ", ".join([*_TYPES, *TRANSCRIPTS])
            raise HTTPException(HTTPStatus.NOT_FOUND, f"This recording has no such file: {files}.")
        attached = f"{manifest.id}{Path(name).suffix}" if "download" in request.query_params else None
        return FileResponse(path, media_type=_TYPES[name], filename=attached, headers=dict([REVALIDATE]))

    def feed(self, _: Request) -> Response:
        now_s = time.monotonic()
        if self._feed is None or now_s - self._feed[0] > _FEED_S:
            self._feed = (
                now_s,
                feed(
                    self._manifests(), self._coming(), url=self._settings.url, listen_url=self._settings.listen_url
                ),
            )
        return Response(self._feed[1], headers={"Cache-Control": "max-age=10"}, media_type="application/rss+xml")

    def asset(self, request: Request) -> Response:
        asset = self._pages.assets.get(request.path_params["name"])
        if asset is None:
            raise HTTPException(HTTPStatus.NOT_FOUND, "There is no such asset.")
        cache = IMMUTABLE if request.query_params.get("v") == asset.digest else REVALIDATE
        return Response(asset.body, headers=dict([*SECURITY, cache]), media_type=asset.content_type)

    def _recording(self, request: Request) -> tuple[Path, Manifest]:
        """The folder of the recording that is asked for. HTTPException if it is not there, not yet, or no more."""
        try:
            conversation = parse_id(request.path_params["conversation"])
        except BadInputError as error:
            raise HTTPException(HTTPStatus.NOT_FOUND, str(error)) from error
        if archive.is_deleted(self._folder, conversation):
            raise HTTPException(HTTPStatus.GONE, "This recording has been deleted.")
        manifest = read_manifest(self._folder / conversation)
        if manifest is None:
            begun = (self._folder / conversation / layout.JOURNAL).exists()
            soon = "It is there some seconds after the conversation's end."
            detail = soon if begun else "There is no such recording."
            raise HTTPException(HTTPStatus.NOT_FOUND, detail, {"Retry-After": "10"} if begun else None)
        return self._folder / conversation, manifest

    def _manifests(self) -> Iterator[Manifest]:
        for folder in archive.folders(self._folder):
            with suppress(BadInputError):  # `rostra fsck` tells of it
                manifest = read_manifest(folder)
                if manifest is not None:
                    yield manifest


def _transcript(folder: Path, manifest: Manifest, name: str) -> Response:
    """What was said. HTTPException if nobody has understood anything of it."""
    try:
        made = archive.best_transcript(folder, manifest)
    except OSError as error:
        raise HTTPException(HTTPStatus.NOT_FOUND, "The transcript is gone.") from error
    if made is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, "This recording has no transcript.")
    write = {"transcript.vtt": as_webvtt, "transcript.txt": as_text, "transcript.json": as_json}[name]
    return Response(write(made), headers=dict([REVALIDATE]), media_type=TRANSCRIPTS[name])
