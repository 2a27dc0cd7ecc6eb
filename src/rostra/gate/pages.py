"""The stage page as bytes: read once, served from memory."""

from importlib.resources import files
from typing import Any, Final

from starlette.responses import Response

from rostra.web.pages import HTML, IMMUTABLE, SECURITY, PageFiles, embeddable, escaped, filled

_HEADERS: Final = dict([*SECURITY, ("Cache-Control", "no-store"), ("Permissions-Policy", "microphone=(self)")])


class Pages:
    def __init__(self) -> None:
        page_files = PageFiles(files("rostra.gate").joinpath("pages"))
        self._assets = page_files.assets
        self._stage = page_files.template("stage.html")

    def stage(self, conversation: dict[str, Any]) -> Response:
        """The page of a stage: the same for all; who somebody is stands behind the # of the link."""
        values = {name: escaped(conversation[name]) for name in ("id", "title", "language")}
        page = filled(self._stage, values | {"conversation_json": embeddable(conversation)})
        return Response(page, headers=_HEADERS, media_type=HTML)

    def asset(self, name: str, version: str | None) -> Response | None:
        """An asset, kept for ever by who asked for it by its hash; None if there is none."""
        asset = self._assets.get(name)
        if asset is None:
            return None
        cache = dict([IMMUTABLE]) if version == asset.digest else {"Cache-Control": "no-cache"}
        headers = dict(SECURITY) | cache | {"Access-Control-Allow-Origin": "*"}
        return Response(asset.body, headers=headers, media_type=asset.content_type)
