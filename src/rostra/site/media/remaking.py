"""A program of its own: decodes one picture and writes it anew, without anything but its pixels.

Run under limits (sandbox.py), by path and with `-I`, so that it imports nothing of ours and reads no environment: a
decoder that is led astray has a short life, little memory, and nothing to find. Asked and answered in JSON.
"""

import io
import json
import sys
from pathlib import Path
from typing import Any

from blurhash_rs import blurhash_encode
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

_FORMATS = ["JPEG", "PNG", "GIF", "WEBP", "AVIF"]
_QUALITY = 90
_BLURHASH_SIDE = 64  # it has 4x3 waves: more pixels change nothing


def main() -> None:
    asked = json.loads(sys.argv[1])
    try:
        answer = _remade(asked)
    except UnidentifiedImageError:
        answer = {"refused": "unknown"}
    except (MemoryError, Image.DecompressionBombError):
        answer = {"refused": "large"}
    except (OSError, SyntaxError, ValueError, EOFError):
        answer = {"refused": "broken"}  # Pillow's decoders raise any of these on what is truncated or lies
    sys.stdout.write(json.dumps(answer))


def _remade(asked: dict[str, Any]) -> dict[str, Any]:
    """`{"source", "still", "…_max", "copies": [{"target", "pixels" | "cover"}]}` → what was written."""
    with Image.open(asked["source"], formats=_FORMATS) as opened:
        if Path(asked["source"]).stat().st_size > asked["bytes_max"]:
            return {"refused": "heavy"}
        width, height = opened.size
        if width * height > asked["pixels_max"] or max(width, height) > asked["side_max"]:
            return {"refused": "large"}
        if asked["still"] is False and opened.format == "GIF" and getattr(opened, "n_frames", 1) > 1:
            return {"refused": "animated"}
        opened.load()
        lossless = opened.format in {"PNG", "GIF"}
        image = _plain(ImageOps.exif_transpose(opened))
    copies = [_copy(image, lossless=lossless, **copy) for copy in asked["copies"]]
    tiny = image.convert("RGB")
    tiny.thumbnail((_BLURHASH_SIDE, _BLURHASH_SIDE))
    return {"copies": copies, "blurhash": blurhash_encode(tiny, x_components=4, y_components=3)}


def _plain(image: Image.Image) -> Image.Image:
    """In sRGB, with or without alpha; whatever else the file said is left behind."""
    profile = image.info.get("icc_profile")
    if image.mode.startswith("I"):
        image = image.point(lambda value: value / 256).convert("L")  # 16 bits of grey
    has_alpha = image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info
    target = "RGBA" if has_alpha else "RGB"
    if profile and image.mode in {"RGB", "RGBA", "CMYK", "L"}:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            made = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode=target)
        except (ImageCms.PyCMSError, ValueError):  # a profile that lies is as none
            made = None
        if made is not None:
            image = made
    image = image.convert(target)
    bare = Image.new(target, image.size)
    bare.paste(image)
    return bare


def _copy(
    image: Image.Image, *, lossless: bool, target: str, pixels: int | None = None, cover: list[int] | None = None
) -> dict[str, Any]:
    """Write a copy of at most so many `pixels`, or one that fills the width and height of `cover`."""
    if cover:
        copy = ImageOps.fit(image, (cover[0], cover[1]), Image.Resampling.LANCZOS)
    else:
        assert pixels is not None
        scale = min(1.0, (pixels / (image.width * image.height)) ** 0.5)
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        copy = image.resize(size, Image.Resampling.LANCZOS) if size != image.size else image
    if lossless or copy.mode == "RGBA":
        extension = "png"
        copy.save(target, "PNG")
    else:
        extension = "jpg"
        copy.save(target, "JPEG", quality=_QUALITY, optimize=True, progressive=True)
    return {
        "extension": extension,
        "width": copy.width,
        "height": copy.height,
        "bytes": Path(target).stat().st_size,
    }


if __name__ == "__main__":
    main()
