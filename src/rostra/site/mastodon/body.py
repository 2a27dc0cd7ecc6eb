"""One reading of what clients send: query, form, multipart or JSON, with arrays and nested names."""

from collections.abc import AsyncIterator, Callable, Mapping
from http import HTTPStatus
from typing import Annotated, Any, Final
from urllib.parse import quote

import orjson
from fastapi import Depends, Request
from qs_codec import DecodeOptions
from qs_codec import decode as decode_query
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException
from starlette.types import Message, Receive

from rostra.core.limits import MEDIA_BYTES_MAX, MEDIA_PICTURE_BYTES_MAX
from rostra.site.answers import RefusedError, invalid
from rostra.site.snowflake import parse_snowflake

_BODY_BYTES_MAX: Final = 1024 * 1024  # of everything but uploads: the longest post with its poll has 10 kB
_FORM_BYTES_MAX: Final = 2 * MEDIA_PICTURE_BYTES_MAX + _BODY_BYTES_MAX  # a profile with its two pictures
_UPLOAD_BYTES_MAX: Final = MEDIA_BYTES_MAX + MEDIA_PICTURE_BYTES_MAX + _BODY_BYTES_MAX  # a video and its thumbnail
_OPTIONS: Final = DecodeOptions(list_limit=1000, parameter_limit=1000, depth=5)
_INTEGER_MAX: Final = 2**53 - 1  # what a JSON number holds exactly (RFC 8259 §6), and a database column too
_TRUE: Final = frozenset({"true", "1", "on", "t", "yes"})
_FALSE: Final = frozenset({"false", "0", "off", "f", "no", ""})


class Asked:
    """The parameters of a request, by name; nested ones are mappings and lists. Uploads are `UploadFile`s."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = values

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def text(self, name: str, default: str = "") -> str:
        """The text, or `default` if it is absent or null."""
        value = self.values.get(name)
        if value is None:
            return default
        if isinstance(value, bool | int | float):
            return str(value)
        if not isinstance(value, str):
            raise invalid(f"{name} is no text")
        if "\0" in value:
            raise invalid(f"{name} holds a NUL, which no text does")  # PostgreSQL keeps none
        return value

    def optional_text(self, name: str) -> str | None:
        return self.text(name) if self.values.get(name) is not None else None

    def flag(self, name: str, *, default: bool = False) -> bool:
        flag = self.optional_flag(name)
        return default if flag is None else flag

    def optional_flag(self, name: str) -> bool | None:
        """`true`, `1`, `True`, JSON's true (wire rule 3); None if it is absent."""
        value = self.values.get(name)
        if value is None or isinstance(value, bool):
            return value
        folded = str(value).lower()
        if folded in _TRUE:
            return True
        if folded in _FALSE:
            return False
        raise invalid(f"{name} is neither true nor false")

    def integer(self, name: str, default: int = 0) -> int:
        value = self.values.get(name)
        if value is None or value == "":  # what is no text cannot be in a set
            return default
        try:
            number = int(str(value))
        except ValueError as error:
            raise invalid(f"{name} is no number") from error
        if abs(number) > _INTEGER_MAX:
            raise invalid(f"{name} is too large")
        return number

    def optional_id(self, name: str) -> int | None:
        """An id, or None if it is absent. One that cannot be an id is as one that does not exist."""
        text = self.text(name)
        if not text:
            return None
        return parse_snowflake(text) or -1

    def ids(self, name: str) -> list[int]:
        return [parse_snowflake(text) or -1 for text in self.texts(name)]

    def texts(self, name: str) -> list[str]:
        """`name[]=a&name[]=b`, `name=a`, or JSON's array (wire rule 4)."""
        value = self.values.get(name)
        if value is None:
            return []
        if isinstance(value, Mapping):
            value = list(value.values())
        elif not isinstance(value, list):
            value = [value]
        texts = [str(each) for each in value if isinstance(each, str | int | float)]
        if any("\0" in each for each in texts):
            raise invalid(f"{name} holds a NUL, which no text does")
        return texts

    def nested(self, name: str) -> "Asked":
        """`name[a]=…` or JSON's object; an empty one if it is absent."""
        value = self.values.get(name)
        return Asked(value if isinstance(value, Mapping) else {})

    def items(self, name: str) -> "list[Asked]":
        """`name[][a]=…`, `name[0][a]=…`, or JSON's array of objects."""
        value = self.values.get(name)
        if isinstance(value, Mapping):
            value = [value[key] for key in sorted(value, key=str)]
        return [Asked(each) for each in value or [] if isinstance(each, Mapping)] if isinstance(value, list) else []

    def upload(self, name: str) -> UploadFile | None:
        value = self.values.get(name)
        return value if isinstance(value, UploadFile) else None


async def read_asked(request: Request, form_bytes_max: int = _FORM_BYTES_MAX) -> Asked:
    """Query and body together; the body wins. RefusedError if it cannot be read or is too large.

    A form's uploads are on the disk from 1 MB on (Starlette's), until `request.close()`.
    """
    values: dict[str, Any] = dict(decode_query(request.url.query, _OPTIONS)) if request.url.query else {}
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        if kind == "multipart/form-data":
            bounded = Request(request.scope, _bounded(request.receive, form_bytes_max))
            request._form = form = await bounded.form(max_files=8, max_fields=1000)  # noqa: SLF001 # so close() closes it
            flat = {f"{name}": value for name, value in form.multi_items() if isinstance(value, UploadFile)}
            pairs = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
            values |= _nested(pairs) | {name.removesuffix("[]"): value for name, value in flat.items()}
        else:
            body = await _body(request)
            if not body:
                return Asked(values)
            if kind.endswith("json"):
                parsed = orjson.loads(body)
                if not isinstance(parsed, dict):
                    raise RefusedError(HTTPStatus.BAD_REQUEST, "The body is no JSON object")
                values |= parsed
            else:
                values |= decode_query(body.decode(), _OPTIONS)
    except (orjson.JSONDecodeError, UnicodeDecodeError, MultiPartException, ValueError, IndexError) as error:
        raise RefusedError(HTTPStatus.BAD_REQUEST, "The body cannot be read") from error
    return Asked(values)


def _nested(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """The fields of a multipart form with `a[b][]` read as in a query."""
    return dict(
        decode_query("&".join(f"{quote(name, safe='[]')}={quote(value)}" for name, value in pairs), _OPTIONS)
    )


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > _BODY_BYTES_MAX:
            raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is too large")
    return bytes(body)


def _bounded(receive: Receive, bytes_max: int) -> Receive:
    """`receive`, of which no more than `bytes_max` of the body are taken."""
    taken = 0

    async def bounded() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > bytes_max:
            raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is too large")
        return message

    return bounded


def _asking(form_bytes_max: int) -> Callable[[Request], AsyncIterator[Asked]]:
    async def asking(request: Request) -> AsyncIterator[Asked]:
        try:
            yield await read_asked(request, form_bytes_max)
        finally:
            await request.close()

    return asking


Body = Annotated[Asked, Depends(_asking(_FORM_BYTES_MAX))]
Upload = Annotated[Asked, Depends(_asking(_UPLOAD_BYTES_MAX))]  # where sound and video come in
