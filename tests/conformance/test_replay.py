"""A finished recording against the world: players seek in it, podcast players find it, what is gone says so."""

import json
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from xml.etree.ElementTree import Element, fromstring

import numpy as np
import pytest

from machine import require
from rostra.audio.recordings import two_cities
from rostra.core.units import SAMPLE_RATE_HZ
from rostra.recorder import layout
from rostra.recorder.manifest import read_manifest
from states import wait_for_state
from system import System, free_port, running, wait_until

pytestmark = pytest.mark.timeout(300)  # masters are made behind all others, and the suite is busy
PODCAST = "{https://podcastindex.org/namespace/1.0}"


@dataclass
class Served:
    system: System
    url: str

    def get(self, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
        """Status, headers (names in lower case) and body."""
        request = urllib.request.Request(
            self.url + path, headers={k.replace("_", "-"): v for k, v in headers.items()}
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read()
        except HTTPError as error:
            with error:
                return error.code, {k.lower(): v for k, v in error.headers.items()}, error.read()

    def json(self, path: str) -> dict[str, Any]:
        return dict(json.loads(self.get(path)[2]))


def is_mastered(system: System, conversation: str) -> bool:
    manifest = read_manifest(system.folder / "data" / "recordings" / conversation)
    return manifest is not None and layout.PODCAST in manifest.files


def record(system: System, **seconds: float) -> None:
    """These conversations at the same time, each so long."""
    feeds = {}
    for conversation in seconds:
        system.schedule("Twee steden & <meer>", at="+1s", id=conversation, language="nl")
        feeds[conversation] = system.feed(conversation, str(two_cities()), stderr=subprocess.DEVNULL)
    for conversation, length_s in sorted(seconds.items(), key=lambda each: each[1]):
        wait_for_state(system, conversation, "live")
        with pytest.raises(subprocess.TimeoutExpired):
            feeds[conversation].wait(length_s)
        system.rostra("end", conversation)
    for conversation in seconds:
        wait_until(lambda name=conversation: is_mastered(system, name), within_s=90, what="it is mastered")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    port = free_port()
    with running(tmp_path_factory.mktemp("replay"), recorder_port=str(port)) as system:
        record(system, evening=12, regretted=1)
        yield Served(system, f"http://127.0.0.1:{port}")


def test_ranges_of_the_replay_are_the_bytes_of_the_file(served: Served) -> None:
    status, headers, whole = served.get("/r/evening/replay.opus")
    assert (status, headers["content-type"], headers["accept-ranges"]) == (200, "audio/ogg; codecs=opus", "bytes")
    for asked, first, end in (
        ("1000-1999", 1_000, 2_000),
        ("5000-", 5_000, len(whole)),
        ("-100", -100, len(whole)),
    ):
        status, headers, part = served.get("/r/evening/replay.opus", Range=f"bytes={asked}")
        assert status == HTTPStatus.PARTIAL_CONTENT
        assert part == whole[first:end]
        assert headers["content-range"].endswith(f"/{len(whole)}")
    assert served.get("/r/evening/replay.opus", Range=f"bytes={len(whole)}-")[0] == 416
    tag = headers["etag"]
    assert served.get("/r/evening/replay.opus", Range="bytes=0-9", If_Range=tag)[0] == 206
    assert served.get("/r/evening/replay.opus", Range="bytes=0-9", If_Range='"other"')[0] == 200


@pytest.mark.parametrize("name", ["replay.opus", "replay.m4a"])
@pytest.mark.parametrize("start_s", [0, 5, 9])
def test_ffmpeg_seeks_in_the_replay_and_hears_what_the_file_has_there(
    served: Served, start_s: int, name: str
) -> None:
    command = [require("ffmpeg"), "-v", "warning", "-xerror", "-ss", str(start_s), "-t", "2"]
    raw = ["-f", "f32le", "-ac", "1", "-ar", "48000", "-"]
    done = subprocess.run(
        [*command, "-i", f"{served.url}/r/evening/{name}", *raw], capture_output=True, timeout=30, check=True
    )
    assert done.stderr == b""
    heard = np.frombuffer(done.stdout, np.float32)
    assert abs(len(heard) - 2 * SAMPLE_RATE_HZ) <= 960
    file = served.system.folder / "data" / "recordings" / "evening" / name
    whole = subprocess.run(
        [command[0], "-v", "error", "-i", str(file), *raw], capture_output=True, check=True
    ).stdout
    there = np.frombuffer(whole, np.float32)[start_s * SAMPLE_RATE_HZ :][: len(heard)]
    settled = slice(SAMPLE_RATE_HZ // 5, None)  # a decoder converges after a seek (RFC 7845 §4.6)
    assert np.corrcoef(heard[settled], there[settled])[0, 1] > 0.99


def test_the_page_needs_no_inline_script_and_says_the_title_as_it_is(served: Served) -> None:
    status, headers, body = served.get("/r/evening")
    page = body.decode()
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "script-src 'self'" in headers["content-security-policy"]
    assert "<h1>Twee steden &amp; &lt;meer&gt;</h1>" in page
    assert 'src="/r/evening/replay.opus"' in page
    assert "Hoofdstukken" in page
    assert "<script>" not in page
    assert "style=" not in page
    assert "{{" not in page
    for address in ("/assets/recording.js", "/assets/recording.css", "/assets/rostra.css", "/assets/mark.svg"):
        assert served.get(address)[0] == 200


def test_page_file_and_command_say_how_each_voice_arrived(served: Served) -> None:
    page, manifest = served.get("/r/evening")[2].decode(), served.json("/r/evening/recording.json")
    feed, mix = manifest["voices"]
    assert [hop["hop"] for hop in (*feed["hops"], *mix["hops"])] == ["stage", "mix"]
    assert feed["hops"][0]["counts"]["frames"] > 400
    assert feed["hops"][0]["counts"]["lost"] == 0
    assert "Hoe elke stem aankwam" in page
    for voice in (feed, mix):
        assert f"<summary>{voice['sentence']}</summary>" in page
        assert voice["sentence"] in " ".join(served.system.rostra("recording", "show", "evening").stdout.split())


def test_chapters_and_the_manifest_are_as_podcasting_2_and_the_disk_have_them(served: Served) -> None:
    chapters, manifest = served.json("/r/evening/chapters.json"), served.json("/r/evening/recording.json")
    assert chapters["version"] == "1.2.0"
    assert chapters["chapters"][0] == {"startTime": 0.0, "title": "Twee steden & <meer>"}
    assert manifest["gaps"] == []
    assert manifest["chapters"] == chapters["chapters"]
    assert manifest["seconds"] > 11


def test_the_feed_has_what_was_what_is_on_and_what_comes(served: Served) -> None:
    served.system.schedule("Tomorrow", at="+1h", id="tomorrow")
    served.system.schedule("Now", at="+10m", doors="10m", id="now")

    def channel() -> Element | None:
        found = fromstring(served.get("/feed.xml")[2]).find("channel")  # noqa: S314 # our own
        return found if found is not None and len(found.findall(f"{PODCAST}liveItem")) == 2 else None

    feed = wait_until(channel, within_s=15, what="both conversations are in the feed")
    (item,) = (each for each in feed.findall("item") if "/r/evening" in each.find("link").text)
    enclosure = item.find("enclosure")
    _, headers, podcast = served.get("/r/evening/replay.m4a")
    assert enclosure.get("url") == f"{served.url}/r/evening/replay.m4a"
    assert (enclosure.get("type"), headers["content-type"]) == ("audio/mp4", "audio/mp4")
    assert int(enclosure.get("length")) == len(podcast)
    assert {
        each.get("type"): (each.get("default"), each.find(f"{PODCAST}source").get("uri"))
        for each in item.findall(f"{PODCAST}alternateEnclosure")
    } == {
        "audio/mp4": ("true", f"{served.url}/r/evening/replay.m4a"),
        "audio/ogg; codecs=opus": (None, f"{served.url}/r/evening/replay.opus"),
    }
    assert item.find(f"{PODCAST}chapters").get("url") == f"{served.url}/r/evening/chapters.json"
    live = {each.find("title").text: each for each in feed.findall(f"{PODCAST}liveItem")}
    assert live["Tomorrow"].get("status") == "pending"
    address = live["Now"].find("enclosure").get("url")
    assert address == f"{served.system.url}/c/now/live.mp4"
    wait_until(lambda: _sounds(address), within_s=10, what="the live enclosure is sound")


def _sounds(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return bool(answer.read(8)[4:] == b"ftyp")
    except HTTPError:
        return False


@pytest.mark.parametrize(
    "path",
    ["/r/nobody", "/r/nobody/replay.opus", "/r/evening/journal.jsonl", "/r/evening/lock", "/r/%2e%2e/lock", "/x"],
)
def test_what_is_not_there_is_a_problem_with_details(served: Served, path: str) -> None:
    status, headers, body = served.get(path)
    assert (status, headers["content-type"]) == (404, "application/problem+json")
    assert json.loads(body)["status"] == 404


def test_a_recording_that_was_deleted_is_gone(served: Served) -> None:
    assert served.get("/r/regretted/replay.opus")[0] == 200
    served.system.rostra("recording", "delete", "regretted", "--why", "a guest has asked")
    for path in ("/r/regretted", "/r/regretted/replay.opus"):
        status, headers, _ = served.get(path)
        assert (status, headers["content-type"]) == (410, "application/problem+json")
    assert not Path(served.system.folder / "data" / "recordings" / "regretted").exists()
