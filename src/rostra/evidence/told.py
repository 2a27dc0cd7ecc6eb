"""A process's report of itself as evidence has it: whole numbers, and nothing of any person."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from rostra.core.messages import Message
from rostra.verifier.canonical import Json

_MICRO: Final = 1_000_000
# Who listens and since when each one waits (numbers that tickets and places carry), and what the envelope has.
_LEFT_OUT: Final = frozenset(
    {"type", "seen", "several", "waiting", "at_ns", "edge", "stage", "gate", "recorder", "site", "captioner", "url"}
)


def told(report: Message | None) -> dict[str, Json]:
    """Fractions become millionths, and their names end in `_u`. Nothing is told of what has not reported yet."""
    if report is None:
        return {}
    fields = msgspec.structs.asdict(report)
    return _whole({name: value for name, value in fields.items() if name not in _LEFT_OUT})


def _whole(fields: Mapping[str, Any]) -> dict[str, Json]:
    whole: dict[str, Json] = {}
    for name, value in fields.items():
        if isinstance(value, float):
            whole[f"{name}_u"] = round(value * _MICRO)
        else:
            whole[name] = _one(value)
    return whole


def _one(value: Any) -> Json:
    if isinstance(value, Mapping):
        return _whole({str(name): each for name, each in value.items()})
    if isinstance(value, list | tuple | set | frozenset):
        return [round(each * _MICRO) if isinstance(each, float) else _one(each) for each in value]
    if value is None or isinstance(value, bool | int | str):
        return value
    return str(value)
