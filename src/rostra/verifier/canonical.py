"""Canonical JSON (RFC 8785) of what evidence is made of: texts, whole numbers, truths, lists and objects.

A number is whole, with its unit in its name, so that no two machines can write or read it differently.
"""

import json
from collections.abc import Iterable
from typing import Any, Final

from rostra.verifier.errors import FlawError

Json = None | bool | int | str | list["Json"] | dict[str, "Json"]
INTEGER_MAX: Final = 2**53 - 1  # what every reader of JSON holds exactly (RFC 8785 §3.2.2.3)
DEPTH_MAX: Final = 32


def canonical(value: Any) -> bytes:
    """The one way to write `value`. FlawError for what evidence must not hold."""
    _check([value], 0)
    try:
        return _WRITER.encode(value).encode()
    except UnicodeEncodeError as error:
        raise FlawError("A text holds half of a character.") from error


def parse_canonical(data: bytes) -> Json:
    """What `data` says. FlawError unless it is written in the one way."""
    try:
        value: Json = _READER.decode(data.decode())
    except (ValueError, RecursionError) as error:
        raise FlawError("An entry is no JSON.") from error
    if canonical(value) != data:
        raise FlawError("An entry is not written in the canonical way.")
    return value


def _check(values: Iterable[Any], depth: int) -> None:
    """One call for each list and object, not for each value: of a verification this is a tenth."""
    if depth > DEPTH_MAX:
        raise FlawError("An entry is nested too deeply.")
    for value in values:
        if isinstance(value, int):
            if not -INTEGER_MAX <= value <= INTEGER_MAX:
                raise FlawError("A number is too large to be read everywhere.")
        elif isinstance(value, dict):
            for name in value:
                if not isinstance(name, str) or not name.isascii():  # beyond it, RFC 8785 sorts as no library does
                    raise FlawError(f"{str(name)[:40]!r} is no name of a field.")
            _check(value.values(), depth + 1)
        elif isinstance(value, list):
            _check(value, depth + 1)
        elif value is not None and not isinstance(value, str):
            raise FlawError(f"Evidence holds no {type(value).__name__}.")


def _refuse(text: str) -> None:
    raise FlawError(f"{text[:40]} is no whole number.")


_WRITER: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)
_READER: Final = json.JSONDecoder(parse_float=_refuse, parse_constant=_refuse)
