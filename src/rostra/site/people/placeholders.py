"""The pictures of those who have none: a head and shoulders, and a plain ground; drawn once."""

from functools import cache
from io import BytesIO

from PIL import Image, ImageDraw

_GROUND = (214, 219, 226)
_FIGURE = (146, 155, 168)


@cache
def avatar() -> bytes:
    picture = Image.new("RGB", (400, 400), _GROUND)
    draw = ImageDraw.Draw(picture)
    draw.ellipse((130, 80, 270, 220), _FIGURE)
    draw.ellipse((60, 250, 340, 530), _FIGURE)
    return _png(picture)


@cache
def header() -> bytes:
    return _png(Image.new("RGB", (1500, 500), _GROUND))


def _png(picture: Image.Image) -> bytes:
    file = BytesIO()
    picture.convert("P", palette=Image.Palette.ADAPTIVE, colors=16).save(file, "PNG", optimize=True)
    return file.getvalue()
