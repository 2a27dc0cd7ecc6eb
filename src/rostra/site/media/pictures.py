"""Makes pictures anew: attachments, portraits, thumbnails. What it cannot use is refused with the reason."""

import asyncio
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from rostra.core.errors import BadInputError
from rostra.core.limits import (
    MEDIA_KEPT_PIXELS_MAX,
    MEDIA_PICTURE_BYTES_MAX,
    MEDIA_PIXELS_MAX,
    MEDIA_PREVIEW_PIXELS_MAX,
    MEDIA_SIDE_MAX,
)
from rostra.site.media.sandbox import Limits, ProgramError, run
from rostra.site.media.store import Store
from rostra.site.work import Site

_PROGRAM: Final = str(Path(__file__).with_name("remaking.py"))
_LIMITS: Final = Limits(seconds=30, cpu_s=20, memory_bytes=1536 * 1024**2, file_bytes=64 * 1024**2)


class NoPictureError(BadInputError):
    """It is none that we know, or it moves. Caught by who tries next whether it is sound or video."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A copy to be made: of at most so many pixels, or cut to fill `cover` (width, height)."""

    pixels: int | None = None
    cover: tuple[int, int] | None = None


WHOLE: Final = Shape(pixels=MEDIA_KEPT_PIXELS_MAX)
PREVIEW: Final = Shape(pixels=MEDIA_PREVIEW_PIXELS_MAX)
AVATAR: Final = Shape(cover=(400, 400))
HEADER: Final = Shape(cover=(1500, 500))


@dataclass(frozen=True, slots=True)
class Copy:
    """One that was made: its name in the store."""

    name: str
    width: int
    height: int

    @property
    def meta(self) -> dict[str, Any]:
        return frame_meta(self.width, self.height)


@dataclass(frozen=True, slots=True)
class Picture:
    copies: tuple[Copy, ...]
    blurhash: str


def frame_meta(width: int, height: int) -> dict[str, Any]:
    """A size as the API tells it (wire rule 14)."""
    return {"width": width, "height": height, "size": f"{width}x{height}", "aspect": width / height}


async def remake(site: Site, source: Path, shapes: Sequence[Shape], *, still: bool = True) -> Picture:
    """Copies of the picture in `source`, in the store. `still`: of one that moves, the first frame will do.

    BadInputError with the reason if it is broken, too large, or (NoPictureError) no picture.
    """
    store = Store(site.settings.media)
    with ExitStack() as drafts:
        targets = [drafts.enter_context(store.draft()) for _ in shapes]
        asked = {
            "source": str(source),
            "still": still,
            "bytes_max": MEDIA_PICTURE_BYTES_MAX,
            "pixels_max": MEDIA_PIXELS_MAX,
            "side_max": MEDIA_SIDE_MAX,
            "copies": [
                {"target": str(target), "pixels": shape.pixels, "cover": shape.cover}
                for target, shape in zip(targets, shapes, strict=True)
            ],
        }
        try:
            async with site.remaking:
                command = [sys.executable, "-I", _PROGRAM, orjson.dumps(asked).decode()]
                answer = orjson.loads(await run(command, _LIMITS))
        except (ProgramError, orjson.JSONDecodeError) as error:
            raise BadInputError("Validation failed: File could not be processed") from error
        _refuse(answer.get("refused"))
        return Picture(
            tuple(
                [
                    Copy(
                        await asyncio.to_thread(store.adopt, target, copy["extension"]),
                        copy["width"],
                        copy["height"],
                    )
                    for target, copy in zip(targets, answer["copies"], strict=True)
                ]
            ),
            answer["blurhash"],
        )


def _refuse(why: str | None) -> None:
    match why:
        case None:
            return
        case "unknown" | "animated":
            raise NoPictureError("Validation failed: File content type is invalid, File is invalid")
        case "heavy":
            limit = MEDIA_PICTURE_BYTES_MAX >> 20
            raise BadInputError(f"Validation failed: File file size must be less than {limit} MB")
        case "large":
            raise BadInputError(f"Validation failed: File has more than {MEDIA_PIXELS_MAX} pixels")
        case _:
            raise BadInputError("Validation failed: File is broken")
