"""A recording's page: its template is read once, filled in for each recording, served with its assets."""

from collections.abc import Mapping
from datetime import datetime
from importlib.resources import files
from typing import Final

from rostra.core.conversation import parse_timezone
from rostra.recorder.layout import PODCAST, REPLAY
from rostra.recorder.manifest import Manifest, has_transcript
from rostra.recorder.podcast import AAC_TYPE
from rostra.recorder.voices import VoiceAccount
from rostra.web.pages import PageFiles, escaped, filled

_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "chapters": "Chapters",
        "captions": "Captions",
        "transcript": "Transcript",
        "download": "Download",
        "gap": "{seconds:.1f} s are missing at {at}.",
        "voices": "How each voice arrived",
    },
    "nl": {
        "chapters": "Hoofdstukken",
        "captions": "Ondertiteling",
        "transcript": "Uitgeschreven tekst",
        "download": "Downloaden",
        "gap": "{seconds:.1f} s ontbreekt op {at}.",
        "voices": "Hoe elke stem aankwam",
    },
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
            "download": PODCAST if PODCAST in manifest.files else REPLAY,
            "download_word": words["download"],
            "voices_word": words["voices"],
            "captions_word": words["captions"],
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
        voices = "".join(_voice(account) for account in manifest.voices)
        filling = {"gaps": gaps, "chapters": chapters, "voices": voices, "aac": "", "track": "", "transcript": ""}
        if PODCAST in manifest.files:
            filling["aac"] = f'<source src="/r/{escaped(manifest.id)}/{PODCAST}" type="{AAC_TYPE}">'
        if has_transcript(manifest):
            address, language = f"/r/{escaped(manifest.id)}/transcript", escaped(manifest.language)
            track = f'<track kind="captions" srclang="{language}" src="{address}.vtt">'
            filling |= {"track": track, "transcript": f'<a href="{address}.txt">{words["transcript"]}</a> '}
        for name, text in filling.items():
            page = page.replace(f"<!--{name}-->", text, 1)
        return page


def _voice(account: VoiceAccount) -> str:
    """The sentence, and behind it every count."""
    counts = "".join(
        f"<tr><td>{escaped(hop.hop)}</td><td>{clock(max(0.0, hop.from_s))}</td>"
        f"<td>{escaped(', '.join(f'{name} {value:g}' for name, value in hop.counts.items() if value))}</td></tr>"
        for hop in account.hops
    )
    return (
        f'<details><summary>{escaped(account.sentence)}</summary><table class="counts">{counts}</table></details>'
    )


def clock(seconds: float) -> str:
    """h:mm:ss."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
