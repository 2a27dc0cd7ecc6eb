"""A recording's page: its template is read once, filled in for each recording, served with its assets."""

from collections.abc import Mapping
from datetime import datetime
from importlib.resources import files
from typing import Final

from rostra.core.conversation import parse_timezone
from rostra.recorder.manifest import Manifest
from rostra.web.pages import PageFiles, escaped, filled

_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {"chapters": "Chapters", "download": "Download", "gap": "{seconds:.1f} s are missing at {at}."},
    "nl": {"chapters": "Hoofdstukken", "download": "Downloaden", "gap": "{seconds:.1f} s ontbreekt op {at}."},
}


class Pages:
    """The page of `files`; RostraError if one is missing."""

    def __init__(self) -> None:
        page_files = PageFiles(files("rostra.recorder").joinpath("pages"))
        self.assets = page_files.assets
        self._recording = page_files.template("recording.html")

    def recording(self, manifest: Manifest, *, home: str) -> str:
        """The page of a finished recording; `home` is where the brand leads."""
        words = _WORDS.get(manifest.language, _WORDS["en"])
        began = datetime.fromtimestamp(manifest.begins_ms / 1000, parse_timezone(manifest.timezone))
        values = {
            "id": manifest.id,
            "title": manifest.title,
            "language": manifest.language,
            "home": home,
            "began_iso": began.isoformat(timespec="seconds"),
            "began": f"{began:%Y-%m-%d %H:%M %Z}",
            "length": clock(manifest.seconds),
            "chapters_word": words["chapters"],
            "download_word": words["download"],
        }
        page = filled(self._recording, {name: escaped(value) for name, value in values.items()})
        missing = [words["gap"].format(seconds=g.seconds, at=clock(g.at_s)) for g in manifest.gaps if g.at_s >= 0]
        gaps = "".join(f'<p class="gaps">{escaped(sentence)}</p>' for sentence in missing)
        chapters = "".join(
            f'<li><a href="/r/{escaped(manifest.id)}/replay.opus#t={chapter.start_time:g}" '
            f'data-start="{chapter.start_time:g}"><time>{clock(chapter.start_time)}</time>'
            f"<span>{escaped(chapter.title)}</span></a></li>"
            for chapter in manifest.chapters
        )
        return page.replace("<!--gaps-->", gaps, 1).replace("<!--chapters-->", chapters, 1)


def clock(seconds: float) -> str:
    """h:mm:ss."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
