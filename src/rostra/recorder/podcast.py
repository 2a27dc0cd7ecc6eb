"""The podcast feed: RSS 2.0 with Apple's namespace and that of Podcasting 2.0 (chapters, liveItem). Pure.

Written with the standard library: what a podcast's feed has beyond RSS is most of it, and feedgen knows nothing of
the podcast namespace.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Final
from xml.etree.ElementTree import Element, SubElement, indent, register_namespace, tostring

from rostra.core.messages import ConversationRecord
from rostra.core.units import SECOND_NS
from rostra.core.webvtt import MEDIA_TYPE as WEBVTT
from rostra.recorder.layout import CHAPTERS, PODCAST, REPLAY
from rostra.recorder.manifest import Manifest, has_transcript

OPUS_TYPE: Final = "audio/ogg; codecs=opus"
AAC_TYPE: Final = "audio/mp4"
ITEMS_MAX: Final = 200  # what podcast players fetch each hour; the page of an older recording stays
_PODCAST: Final = "https://podcastindex.org/namespace/1.0"
_ITUNES: Final = "http://www.itunes.com/dtds/podcast-1.0.dtd"
_ATOM: Final = "http://www.w3.org/2005/Atom"
# A recording's transcript under the names and types by which podcast players ask for it.
TRANSCRIPTS: Final = {
    "transcript.vtt": WEBVTT,
    "transcript.json": "application/json",
    "transcript.txt": "text/plain; charset=utf-8",
}
_PENDING: Final = frozenset({"scheduled"})
for _prefix, _namespace in (("podcast", _PODCAST), ("itunes", _ITUNES), ("atom", _ATOM)):
    register_namespace(_prefix, _namespace)


def feed(
    recordings: Iterable[Manifest], coming: Iterable[ConversationRecord], *, url: str, listen_url: str
) -> bytes:
    """The feed at `url`/feed.xml; live conversations and those to come are heard at `listen_url`."""
    rss = Element("rss", version="2.0")
    channel = SubElement(rss, "channel")
    _texts(channel, title="Rostra", link=listen_url, description="Live public audio conversations.", language="en")
    SubElement(channel, f"{{{_ATOM}}}link", href=f"{url}/feed.xml", rel="self", type="application/rss+xml")
    SubElement(channel, f"{{{_ITUNES}}}explicit").text = "false"
    SubElement(channel, f"{{{_PODCAST}}}medium").text = "podcast"
    for record in sorted(coming, key=lambda record: record.starts_ns):
        _live_item(channel, record, listen_url)
    replayable = (each for each in recordings if each.begun and each.replay in each.files)
    for manifest in sorted(replayable, key=lambda each: each.begins_ms, reverse=True)[:ITEMS_MAX]:
        _item(channel, manifest, url)
    indent(rss)
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(rss, encoding="unicode").encode()


def _live_item(channel: Element, record: ConversationRecord, listen_url: str) -> None:
    page = f"{listen_url}/c/{record.id}"
    item = SubElement(
        channel,
        f"{{{_PODCAST}}}liveItem",
        status="pending" if record.state in _PENDING else "live",
        start=_at(record.starts_ns).isoformat(timespec="seconds"),
        end=_at(record.ends_ns).isoformat(timespec="seconds"),
    )
    _texts(item, title=record.title, link=page)
    SubElement(item, "guid", isPermaLink="false").text = f"live:{record.id}"
    _enclosures(item, {AAC_TYPE: (f"{page}/live.mp4", 0), OPUS_TYPE: (f"{page}/live.ogg", 0)})
    SubElement(item, f"{{{_PODCAST}}}contentLink", href=page).text = record.title


def _item(channel: Element, manifest: Manifest, url: str) -> None:
    page = f"{url}/r/{manifest.id}"
    item = SubElement(channel, "item")
    began = format_datetime(_at(manifest.begins_ms * 1_000_000))
    _texts(item, title=manifest.title, link=page, pubDate=began)
    SubElement(item, "guid", isPermaLink="false").text = manifest.id
    enclosures = {OPUS_TYPE: (f"{page}/{REPLAY}", manifest.files[manifest.replay].bytes)}
    if PODCAST in manifest.files:
        enclosures = {AAC_TYPE: (f"{page}/{PODCAST}", manifest.files[PODCAST].bytes), **enclosures}
    _enclosures(item, enclosures)
    SubElement(item, f"{{{_ITUNES}}}duration").text = str(round(manifest.seconds))
    SubElement(item, f"{{{_PODCAST}}}chapters", url=f"{page}/{CHAPTERS}", type="application/json+chapters")
    if has_transcript(manifest):
        for name, media_type in TRANSCRIPTS.items():
            address, kind = f"{page}/{name}", media_type.partition(";")[0]
            SubElement(item, f"{{{_PODCAST}}}transcript", url=address, type=kind, language=manifest.language)


def _enclosures(item: Element, enclosures: Mapping[str, tuple[str, int]]) -> None:
    """Address and length (0: unknown) by type; the first is for players that look for nothing better."""
    for number, (media_type, (url, size)) in enumerate(enclosures.items()):
        if number == 0:
            SubElement(item, "enclosure", url=url, type=media_type, length=str(size))
        alternate = SubElement(item, f"{{{_PODCAST}}}alternateEnclosure", type=media_type)
        if size:
            alternate.set("length", str(size))
        if number == 0:
            alternate.set("default", "true")
        SubElement(alternate, f"{{{_PODCAST}}}source", uri=url)


def _texts(parent: Element, **texts: str) -> None:
    for name, text in texts.items():
        SubElement(parent, name).text = text


def _at(ns: int) -> datetime:
    return datetime.fromtimestamp(ns / SECOND_NS, UTC)
