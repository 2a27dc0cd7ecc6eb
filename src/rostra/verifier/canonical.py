"""Canonical JSON (RFC 8785) of what evidence is made of: texts, whole numbers, truths, lists and objects.

A number is whole, with its unit in its name, so that no two machines can write or read it differently.
"""

import json
from typing import Any, Final

from rostra.verifier.errors import FlawError

INTEGER_MAX: Final = 2**53 - 1  # what every reader of JSON holds exactly (RFC 8785 §3.2.2.3)
DEPTH_MAX: Final = 32

Json = None | bool | int | str | list["Json"] | dict[str, "Json"]


def canonical(value: Any) -> bytes:
    """The one way to write `value`. FlawError for what evidence must not hold."""
    _check(value, 0)
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise FlawError("A text holds half of a character.") from error


def parse_canonical(data: bytes) -> Json:
    """What `data` says. FlawError unless it is written in the one way."""
    try:
        value: Json = json.loads(data, parse_float=_refuse, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise FlawError("An entry is no JSON.") from error
    if canonical(value) != data:
        raise FlawError("An entry is not written in the canonical way.")
    return value


def _check(value: Any, depth: int) -> None:
    if depth > DEPTH_MAX:
        raise FlawError("An entry is nested too deeply.")
    if isinstance(value, dict):
        for name, each in value.items():
            if not isinstance(name, str) or not name.isascii():  # beyond it, RFC 8785 sorts as no library does
                raise FlawError(f"{str(name)[:40]!r} is no name of a field.")
            _check(each, depth + 1)
    elif isinstance(value, list):
        for each in value:
            _check(each, depth + 1)
    elif isinstance(value, int):
        if abs(value) > INTEGER_MAX:
            raise FlawError("A number is too large to be read everywhere.")
    elif value is not None and not isinstance(value, str):
        raise FlawError(f"Evidence holds no {type(value).__name__}.")


def _refuse(text: str) -> None:
    raise FlawError(f"{text[:40]} is no whole number.")
