"""Somebody reads along: in the listening page while it is said, in the recording's page afterwards."""

import json
import re
from collections.abc import Iterator

import pytest
from listening import Listening
from playwright.sync_api import Browser, expect

from captioned import require_recognisers
from rostra.audio.recordings import two_cities
from system import System, free_port, running, wait_until


@pytest.fixture(scope="module")
def captioned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[System, str]]:
    require_recognisers()
    port = free_port()
    with running(tmp_path_factory.mktemp("reading"), captions="on", recorder_port=str(port)) as system:
        yield system, f"http://127.0.0.1:{port}"


def test_a_reader_turns_captions_on_chooses_their_size_and_finds_both_again(
    captioned: tuple[System, str], browser: Browser
) -> None:
    system, recordings = captioned
    announced = system.schedule("Read aloud", at="+2s", doors="2s", id="aloud")
    system.feed("aloud", str(two_cities()), "--seat", "anna")
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="en-GB", color_scheme="dark")
    listening = Listening(context.new_page())
    page = listening.page
    listening.open(announced["url"])
    expect(page.locator("#captions")).to_be_hidden()
    listening.press_listen()
    page.get_by_role("button", name="Captions").click(timeout=20_000)
    expect(page.locator("#captions")).to_contain_text("it was", timeout=40_000, ignore_case=True)
    expect(page.locator("#captions b").last).to_have_text("anna")
    assert page.locator("#captions").get_attribute("aria-live") == "off", "nobody hears each word twice"
    small = page.locator("#captions").evaluate("each => parseFloat(getComputedStyle(each).fontSize)")
    page.get_by_role("button", name="Text size").click()
    large = page.locator("#captions").evaluate("each => parseFloat(getComputedStyle(each).fontSize)")
    assert large > 1.2 * small
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing is wider than the phone"
    page.reload()
    expect(page.get_by_role("button", name="Captions")).to_have_attribute("aria-pressed", "true", timeout=10_000)
    assert [line for line in listening.console if line.startswith("error")] == []
    listening.press_listen()
    expect(page.locator("#captions")).to_have_text(re.compile(r"\w"), timeout=20_000)

    system.rostra("end", "aloud")
    manifest = system.folder / "data" / "recordings" / "aloud" / "recording.json"
    wait_until(
        lambda: manifest.exists() and "transcript.json" in json.loads(manifest.read_text())["files"],
        within_s=90,
        what="the transcript is made",
    )
    page.goto(f"{recordings}/r/aloud")
    page.get_by_role("button", name="Captions").click()
    page.evaluate(
        "async () => { const p = document.getElementById('replay'); p.currentTime = 2.5; await p.play(); }"
    )
    expect(page.locator("#captions")).to_contain_text("best of times", timeout=10_000)
    expect(page.locator("#captions b").first).to_have_text("anna")
    page.get_by_role("button", name="Captions").click()
    expect(page.locator("#captions")).to_be_hidden()
    context.close()
