"""Sound and video through FFmpeg: what an upload is; made anew as MP4 or MP3, which every browser plays."""

import asyncio
import shutil
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from rostra.core.errors import BadInputError
from rostra.core.limits import (
    MEDIA_BYTES_MAX,
    MEDIA_KEPT_PIXELS_MAX,
    MEDIA_PIXELS_MAX,
    MEDIA_SOUND_DURATION_MAX_S,
    MEDIA_VIDEO_DURATION_MAX_S,
    MEDIA_VIDEO_RATE_MAX,
)
from rostra.site.media.pictures import frame_meta
from rostra.site.media.sandbox import Limits, ProgramError, run
from rostra.site.media.store import Store

# Containers only: no playlists, no lists of files, nothing that names another file or an address.
_CONTAINERS: Final = "mov,mp4,matroska,webm,ogg,flac,mp3,wav,aac,gif,avi"
_ENTRIES: Final = (
    "format=duration,bit_rate,format_name:"
    "stream=codec_type,codec_name,width,height,pix_fmt,avg_frame_rate,channels,sample_rate,bit_rate,duration:"
    "stream_disposition=attached_pic"
)
_LOOK: Final = Limits(seconds=20, cpu_s=10, memory_bytes=1024**3, file_bytes=0)
_MAKE: Final = Limits(
    seconds=480,  # less than the ten minutes for which a job is claimed
    cpu_s=900,
    memory_bytes=3 * 1024**3,
    file_bytes=2 * MEDIA_BYTES_MAX,
)
_THREADS: Final = "2"
_THUMBNAIL_HEIGHT_MAX: Final = 360
_INVALID: Final = "Validation failed: File content type is invalid, File is invalid"


@dataclass(frozen=True, slots=True)
class Film:
    """What an upload is: `kind` as the API names it, and what was found in it."""

    kind: str  # video, gifv, audio
    duration_s: float
    video: dict[str, Any] | None
    sound: dict[str, Any] | None
    meta: dict[str, Any]


async def look(source: Path) -> Film:
    """What is in the file. BadInputError if it is neither sound nor video, or more than we take."""
    command = [
        *(_program("ffprobe"), "-v", "error", "-format_whitelist", _CONTAINERS, "-protocol_whitelist", "file"),
        *("-of", "json", "-show_entries", _ENTRIES, f"file:{source}"),
    ]
    try:
        found = orjson.loads(await run(command, _LOOK))
    except (ProgramError, orjson.JSONDecodeError) as error:
        raise BadInputError(_INVALID) from error
    return film_of(found)


def film_of(found: dict[str, Any]) -> Film:
    """What ffprobe's account means. BadInputError for what we do not take."""
    streams: list[dict[str, Any]] = found.get("streams", [])
    pictures = [each for each in streams if each.get("codec_type") == "video" and not _is_cover(each)]
    sounds = [each for each in streams if each.get("codec_type") == "audio"]
    video, sound = next(iter(pictures), None), next(iter(sounds), None)
    about: dict[str, Any] = found.get("format", {})
    duration_s = float(about.get("duration") or (video or sound or {}).get("duration") or 0)
    if video is not None:
        _check_video(video, duration_s)
        kind = "gifv" if about.get("format_name") == "gif" else "video"
    elif sound is not None:
        if duration_s > MEDIA_SOUND_DURATION_MAX_S:
            raise BadInputError(
                f"Validation failed: File is longer than {MEDIA_SOUND_DURATION_MAX_S // 3600} hours"
            )
        kind = "audio"
    else:
        raise BadInputError(_INVALID)
    return Film(kind, duration_s, video, sound, _meta(about, video, sound, duration_s))


async def make(store: Store, source: Path, film: Film) -> tuple[str, str | None]:
    """The names of the new file, and of a still of a video. BadInputError if FFmpeg cannot make them."""
    with ExitStack() as drafts:
        target = drafts.enter_context(store.draft())
        still = drafts.enter_context(store.draft())
        opened = [
            *(_program("ffmpeg"), "-nostdin", "-v", "error", "-y", "-threads", _THREADS),
            *("-format_whitelist", _CONTAINERS, "-protocol_whitelist", "file", "-i", f"file:{source}"),
            *("-map_metadata", "-1", "-map_chapters", "-1", "-sn", "-dn"),
        ]
        try:
            if film.video is None:
                await run([*opened, "-vn", *_SOUND, f"file:{target}"], _MAKE)
                return await asyncio.to_thread(store.adopt, target, "mp3"), None
            await run([*opened, *_video(film), f"file:{target}"], _MAKE)
            thumbnail = (
                f"scale='min(iw,640)':'min(ih,{_THUMBNAIL_HEIGHT_MAX})':force_original_aspect_ratio=decrease"
            )
            await run([*opened, "-an", "-frames:v", "1", "-vf", thumbnail, *_STILL, f"file:{still}"], _MAKE)
        except ProgramError as error:
            raise BadInputError(f"The file could not be made anew: {error}") from error
        return await asyncio.to_thread(store.adopt, target, "mp4"), await asyncio.to_thread(
            store.adopt, still, "png"
        )


_SOUND: Final = ("-c:a", "libmp3lame", "-q:a", "2", "-f", "mp3")
_STILL: Final = ("-c:v", "png", "-f", "image2", "-update", "1")


def _video(film: Film) -> list[str]:
    """MP4 with H.264 and AAC. What is so already is copied, which takes a hundredth of the time."""
    assert film.video is not None
    pixels = film.video["width"] * film.video["height"]
    if (
        film.video["codec_name"] == "h264"
        and film.video.get("pix_fmt") == "yuv420p"
        and pixels <= MEDIA_KEPT_PIXELS_MAX
    ):
        picture = ["-c:v", "copy"]
    else:
        scale = min(1.0, (MEDIA_KEPT_PIXELS_MAX / pixels) ** 0.5)
        size = f"scale=trunc(iw*{scale:.6f}/2)*2:trunc(ih*{scale:.6f}/2)*2"  # H.264 wants even sides
        picture = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "23", "-pix_fmt", "yuv420p", "-vf", size]
    if film.sound is None or film.kind == "gifv":
        sound = ["-an"]
    elif film.sound["codec_name"] == "aac":
        sound = ["-c:a", "copy"]
    else:
        sound = ["-c:a", "aac", "-b:a", "128k", "-ac", "2"]
    return ["-map", "0:v:0", "-map", "0:a:0?", *picture, *sound, "-movflags", "+faststart", "-f", "mp4"]


def _check_video(video: dict[str, Any], duration_s: float) -> None:
    width, height = video.get("width") or 0, video.get("height") or 0
    if width < 2 or height < 2:
        raise BadInputError(_INVALID)
    if width * height > MEDIA_PIXELS_MAX:
        raise BadInputError(f"Validation failed: {width}x{height} videos are not supported")
    if _rate(video) > MEDIA_VIDEO_RATE_MAX:
        raise BadInputError(f"Validation failed: {_rate(video):.0f}fps videos are not supported")
    if duration_s > MEDIA_VIDEO_DURATION_MAX_S:
        raise BadInputError(f"Validation failed: File is longer than {MEDIA_VIDEO_DURATION_MAX_S // 60} minutes")


def _is_cover(stream: dict[str, Any]) -> bool:
    """The picture of a record, which makes no video of it."""
    return bool(stream.get("disposition", {}).get("attached_pic"))


def _rate(video: dict[str, Any]) -> float:
    above, _, below = str(video.get("avg_frame_rate", "0/0")).partition("/")
    return float(above) / float(below) if float(below or 0) else 0.0


def _meta(
    about: dict[str, Any], video: dict[str, Any] | None, sound: dict[str, Any] | None, duration_s: float
) -> dict[str, Any]:
    """As Mastodon tells it (wire rule 14)."""
    hundredths = round(duration_s * 100)
    length = (
        f"{hundredths // 360_000}:{hundredths // 6000 % 60:02d}:{hundredths // 100 % 60:02d}.{hundredths % 100:02d}"
    )
    bitrate = int(about.get("bit_rate") or 0)
    meta: dict[str, Any] = {"length": length, "duration": duration_s}
    original: dict[str, Any] = {"duration": duration_s, "bitrate": bitrate}
    if sound is not None:
        meta["audio_encode"] = sound.get("codec_name", "")
        meta["audio_bitrate"] = f"{sound.get('sample_rate', 0)} Hz"
        meta["audio_channels"] = {1: "mono", 2: "stereo"}.get(
            sound.get("channels", 0), f"{sound.get('channels', 0)}"
        )
    if video is not None:
        frame = frame_meta(video["width"], video["height"])
        meta |= {"fps": round(_rate(video)), **frame}
        original = {
            "width": frame["width"],
            "height": frame["height"],
            "frame_rate": video["avg_frame_rate"],
        } | original
    meta["original"] = original
    return meta


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise BadInputError(f"This site takes no sound and no video: {name} is not installed.")
    return found
