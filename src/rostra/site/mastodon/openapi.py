"""What a route asks for, as its OpenAPI has it: from the same declaration that its parameters are read by."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from fastapi import APIRouter
from fastapi.routing import APIRoute

from rostra.site.mastodon.body import Asking, Fields, Id, MediaFile, PictureFile

_SCHEMAS: Final = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    datetime: {"type": "string", "format": "date-time"},
    Id: {"type": "string", "pattern": "^[0-9]{1,19}$"},
    PictureFile: {"type": "string", "format": "binary"},
    MediaFile: {"type": "string", "format": "binary"},
}
_IN_A_FORM: Final = "application/x-www-form-urlencoded"


def describe(router: APIRouter) -> None:
    """Have the OpenAPI tell what each route asks for."""
    for route in router.routes:
        if isinstance(route, APIRoute) and route.include_in_schema:
            for fields in _asked(route):
                route.openapi_extra = _described(route.methods or set(), fields)


def _asked(route: APIRoute) -> Iterator[Fields]:
    for dependant in route.dependant.dependencies:
        if isinstance(dependant.call, Asking) and dependant.call.fields:
            yield dependant.call.fields


def _described(methods: set[str], fields: Fields) -> dict[str, Any]:
    if methods <= {"GET", "HEAD", "DELETE"}:
        return {"parameters": [_parameter(name, field) for name, field in fields.items()]}
    schema = _schema(dict(fields))
    has_files = any(field is kind for field in fields.values() for kind in (PictureFile, MediaFile))
    kinds = ["multipart/form-data"] if has_files else ["application/json", _IN_A_FORM]
    return {"requestBody": {"content": {kind: {"schema": schema} for kind in kinds}}}


def _parameter(name: str, field: Any) -> dict[str, Any]:
    suffix = "[]" if isinstance(field, list) else ""
    return {"name": f"{name}{suffix}", "in": "query", "schema": _schema(field)}


def _schema(field: Any) -> dict[str, Any]:
    match field:
        case [item]:
            return {"type": "array", "items": _schema(item)}
        case dict():
            return {"type": "object", "properties": {name: _schema(each) for name, each in field.items()}}
        case _:
            return _SCHEMAS[field]
