"""One reading of what clients send: query, form, multipart or JSON, with arrays and nested names."""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Final, NewType
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
_OPTIONS: Final = DecodeOptions(list_limit=1000, parameter_limit=1000, depth=5)
_INTEGER_MAX: Final = 2**53 - 1  # what a JSON number holds exactly (RFC 8259 §6), and a database column too
_TRUE: Final = frozenset({"true", "1", "on", "t", "yes"})
_FALSE: Final = frozenset({"false", "0", "off", "f", "no", ""})


Id = NewType("Id", str)
PictureFile = NewType("PictureFile", UploadFile)
MediaFile = NewType("MediaFile", UploadFile)  # sound, video or a picture
# By name what a parameter is: `str`, `bool`, `int`, `datetime`, or one of the three above; `[str]` where there may
# be many, `{"name": str}` where there are names in it.
Fields = Mapping[str, Any]
_FILE_BYTES_MAX: Final = {PictureFile: MEDIA_PICTURE_BYTES_MAX, MediaFile: MEDIA_BYTES_MAX}


class Asked:
    """The parameters of a request, by name; nested ones are mappings and lists. Uploads are `UploadFile`s.

    Of a route that says what it asks for (`asks`), nothing else can be read, nor as something else.
    """

    def __init__(self, values: Mapping[str, Any], fields: Fields | None = None) -> None:
        self.values = values
        self._fields = fields

    def __contains__(self, name: str) -> bool:
        self._field(name)
        return name in self.values

    def _field(self, name: str, *kinds: Any) -> Any:
        """What the route says of `name`; None where it says nothing of any."""
        if self._fields is None:
            return None
        field = self._fields.get(name)
        assert field is not None, f"The route does not say that it asks for {name}."
        assert not kinds or field in kinds or type(field) in kinds, f"{name} is declared as {field}."
        return field

    def text(self, name: str, default: str = "") -> str:
        """The text, or `default` if it is absent or null."""
        self._field(name, str, int, Id, datetime)
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
        self._field(name, bool)
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
        self._field(name, int)
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
        self._field(name, Id)
        text = self.text(name)
        if not text:
            return None
        return parse_snowflake(text) or -1

    def ids(self, name: str) -> list[int]:
        return [parse_snowflake(text) or -1 for text in self.texts(name)]

    def texts(self, name: str) -> list[str]:
        """`name[]=a&name[]=b`, `name=a`, or JSON's array (wire rule 4)."""
        self._field(name, list)
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
        fields, value = self._field(name, dict), self.values.get(name)
        return Asked(value if isinstance(value, Mapping) else {}, fields)

    def items(self, name: str) -> "list[Asked]":
        """`name[][a]=…`, `name[0][a]=…`, or JSON's array of objects."""
        field, value = self._field(name, list), self.values.get(name)
        fields = field[0] if field else None
        if isinstance(value, Mapping):
            value = [value[key] for key in sorted(value, key=str)]
        items = value if isinstance(value, list) else []
        return [Asked(each, fields) for each in items if isinstance(each, Mapping)]

    def upload(self, name: str) -> UploadFile | None:
        self._field(name, *_FILE_BYTES_MAX)
        value = self.values.get(name)
        return value if isinstance(value, UploadFile) else None


async def read_asked(request: Request, fields: Fields | None, form_bytes_max: int) -> Asked:
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
                return Asked(values, fields)
            if kind.endswith("json"):
                parsed = orjson.loads(body)
                if not isinstance(parsed, dict):
                    raise RefusedError(HTTPStatus.BAD_REQUEST, "The body is no JSON object")
                values |= parsed
            else:
                values |= decode_query(body.decode(), _OPTIONS)
    except (orjson.JSONDecodeError, UnicodeDecodeError, MultiPartException, ValueError, IndexError) as error:
        raise RefusedError(HTTPStatus.BAD_REQUEST, "The body cannot be read") from error
    return Asked(values, fields)


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


class Asking:
    """Reads the parameters of a request: a dependency of its route, of which the OpenAPI tells (openapi.py)."""

    def __init__(self, fields: Fields | None, form_bytes_max: int) -> None:
        self.fields = fields
        self._form_bytes_max = form_bytes_max

    async def __call__(self, request: Request) -> AsyncIterator[Asked]:
        try:
            yield await read_asked(request, self.fields, self._form_bytes_max)
        finally:
            await request.close()


def asks(*several: Fields, **fields: Any) -> Any:
    """What a route reads.

    `asked: Annotated[Asked, asks(title=str, account_ids=[Id])]`
    """
    declared = {name: field for each in (*several, fields) for name, field in each.items()}
    uploads = sum(_FILE_BYTES_MAX[kind] for kind in _FILE_BYTES_MAX for field in declared.values() if field is kind)
    return Depends(Asking(declared, _BODY_BYTES_MAX + uploads))


# Of pages, whose forms say what they ask for: with the two pictures of a profile, or with what a post may bring.
Body = Annotated[Asked, Depends(Asking(None, _BODY_BYTES_MAX + 2 * MEDIA_PICTURE_BYTES_MAX))]
Upload = Annotated[Asked, Depends(Asking(None, _BODY_BYTES_MAX + MEDIA_BYTES_MAX + MEDIA_PICTURE_BYTES_MAX))]
