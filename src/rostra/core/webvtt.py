"""WebVTT (W3C): cues with the name of who speaks, written so that no text can break the file."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

MEDIA_TYPE: Final = "text/vtt; charset=utf-8"
GAP: Final = "[…]"  # what is written where something was said that was not recognised
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]+|\s+")


@dataclass(frozen=True, slots=True)
class Cue:
    """What `name` said between two seconds."""

    start_s: float
    end_s: float
    name: str
    text: str


def one_line(text: str) -> str:
    """`text` without controls, surrogates and line breaks; each run of spaces is one."""
    return _CONTROL.sub(" ", text).strip()


def webvtt(cues: Iterable[Cue]) -> str:
    """A WebVTT file. Cues whose text is empty are left out; one that ends before it begins lasts a millisecond."""
    blocks = ["WEBVTT\n"]
    for cue in cues:
        text, name = _escaped(cue.text), _escaped(cue.name)
        if text:
            start_ms = max(0, round(cue.start_s * 1000))
            end_ms = max(start_ms + 1, round(cue.end_s * 1000))
            voiced = f"<v {name}>{text}" if name else text
            blocks.append(f"{_timestamp(start_ms)} --> {_timestamp(end_ms)}\n{voiced}\n")
    return "\n".join(blocks)


def _escaped(text: str) -> str:
    """Nothing of `text` is a tag, an entity, an arrow or an end of the cue (WebVTT §4.2.2)."""
    return one_line(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _timestamp(ms: int) -> str:
    seconds, ms = divmod(ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}.{ms:03}"
