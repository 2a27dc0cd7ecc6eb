"""The renditions: the flavours that a stage makes of one mix and that an edge offers."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Rendition:
    """One quality of the programme in one container.

    `mime` is what a browser's Media Source and an HTTP Content-Type both understand (RFC 6381 codecs
    parameter); `bitrate_bps` is the codec's nominal rate, without the container's overhead.
    """

    name: str
    mime: str
    bitrate_bps: int


# The order is that of preference for a player that understands all of them. `webm-32` and `webm-16` are the
# steps down of the ladder (P4); Ogg is for radios and desktop players, MP4 for Apple's.
RENDITIONS: Final[Mapping[str, Rendition]] = MappingProxyType(
    {
        rendition.name: rendition
        for rendition in (
            Rendition("webm-64", 'audio/webm; codecs="opus"', 64_000),
            Rendition("webm-32", 'audio/webm; codecs="opus"', 32_000),
            Rendition("webm-16", 'audio/webm; codecs="opus"', 16_000),
            Rendition("ogg-64", 'audio/ogg; codecs="opus"', 64_000),
            Rendition("mp4-96", 'audio/mp4; codecs="mp4a.40.2"', 96_000),
        )
    }
)


_LEAST_BPS: Final = {
    container: min(each.bitrate_bps for each in RENDITIONS.values() if each.name.startswith(f"{container}-"))
    for container in (name.partition("-")[0] for name in RENDITIONS)
}


def is_within(cap_kbps: int, rendition: Rendition) -> bool:
    """Whether a cap (0: none) allows a rendition; of each container it allows at least the smallest.

    A browser that can play one container only must not be left without sound.
    """
    bps = rendition.bitrate_bps
    return not cap_kbps or bps <= 1000 * cap_kbps or bps == _LEAST_BPS[rendition.name.partition("-")[0]]


def renditions_within(cap_kbps: int, offered: Collection[str]) -> list[Rendition]:
    """Those of `offered` that a cap allows."""
    return [each for each in RENDITIONS.values() if each.name in offered and is_within(cap_kbps, each)]
