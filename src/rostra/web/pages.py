"""Page files: read once, each asset under an address that holds its hash, templates filled in one pass."""

import html
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

import msgspec

from rostra.core.errors import RostraError

HTML: Final = "text/html; charset=utf-8"
CONTENT_TYPES: Final[Mapping[str, str]] = {
    "css": "text/css; charset=utf-8",
    "html": HTML,
    "ico": "image/vnd.microsoft.icon",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "mp3": "audio/mpeg",
    "ogg": "audio/ogg",
    "png": "image/png",
    "svg": "image/svg+xml",
    "webm": "audio/webm",
    "webmanifest": "application/manifest+json",
    "woff2": "font/woff2",
}
# No inline script or style. Players and stage pages go on at other machines, so they may connect to any origin.
_DIRECTIVES: Final[Mapping[str, str]] = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self' http: https:",
    "media-src": "'self' blob: http: https:",
    "worker-src": "'self'",
    "manifest-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'self'",
}


def policy(changes: Mapping[str, str]) -> str:
    """The Content-Security-Policy of all pages with some directives changed or added."""
    return "; ".join(f"{directive} {value}" for directive, value in {**_DIRECTIVES, **changes}.items())


SECURITY: Final = (("Content-Security-Policy", policy({})), ("Referrer-Policy", "no-referrer"))
IMMUTABLE: Final = ("Cache-Control", "public, max-age=31536000, immutable")
REVALIDATE: Final = ("Cache-Control", "no-cache")
_json = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Asset:
    content_type: str
    body: bytes
    digest: str


class PageFiles:
    """A folder of templates with a folder `assets`, and the assets that all pages share.

    RostraError if a file is missing or of an unknown type.
    """

    def __init__(self, folder: Traversable) -> None:
        self._folder = folder
        try:
            self.assets = dict([*_assets(files("rostra.web")), *_assets(folder)])
        except OSError as error:
            raise RostraError(f"The page files are not complete: {error}.") from error

    def template(self, name: str) -> str:
        """The page with a content hash behind the address of each asset."""
        try:
            text = self._folder.joinpath(name).read_text(encoding="utf-8")
        except OSError as error:
            raise RostraError(f"The page files are not complete: {error}.") from error
        for asset, content in self.assets.items():
            for quote in ('"', "'"):
                address = f"/assets/{asset}"
                text = text.replace(f"{address}{quote}", f"{address}?v={content.digest}{quote}")
        return text


def _assets(folder: Traversable) -> Iterator[tuple[str, Asset]]:
    for file in folder.joinpath("assets").iterdir():
        if file.is_file():
            suffix = file.name.rpartition(".")[2]
            if suffix not in CONTENT_TYPES:
                raise RostraError(f"The type of the page file {file.name} is not known.")
            body = file.read_bytes()
            yield file.name, Asset(CONTENT_TYPES[suffix], body, sha256(body).hexdigest()[:16])


def filled(template: str, values: Mapping[str, str]) -> str:
    """The template with each `{{name}}` as text; one pass, so that a value with braces in it stays what it is."""
    parts = template.split("{{")
    written = [parts[0]]
    for part in parts[1:]:
        name, closing, rest = part.partition("}}")
        written.append(values[name] + rest if closing and name in values else "{{" + part)
    return "".join(written)


def escaped(value: object) -> str:
    return html.escape(str(value))


def embeddable(value: object) -> str:
    """JSON that cannot end the script element it stands in (HTML §4.12.1.3)."""
    text = _json.encode(value).decode()
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
