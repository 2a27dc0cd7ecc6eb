"""The recordings that are shipped in the package (provenance: src/rostra/data/README.md)."""

from pathlib import Path
from typing import Final

_DATA: Final = Path(__file__).resolve().parent.parent / "data"


def two_cities() -> Path:
    """44.4 s of read speech, FLAC, 48 kHz mono: the opening of "A Tale of Two Cities"."""
    return _DATA / "two_cities.flac"
