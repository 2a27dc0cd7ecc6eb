"""People speak from their browsers: two with real speech as their microphones, a third listens."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from listening import FLAGS
from playwright.sync_api import Browser, Locator, Page, expect

from hearing import ffmpeg_hears
from machine import require
from rostra.rehearsal.listener import Listener
from states import wait_for_state
from system import System, free_ports, running, wait_until
from voices import part, strength

# Every connection that the page makes; and, sampled each 20 ms, for how many ms no packet has come on any:
# a gate sends one each 20 ms. What the page says of itself is no measure.
KEEP_PEERS = """
window.peers = [];
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...options) { super(...options); window.peers.push(this); }
};
"""
WATCH_PACKETS = """
() => {
  window.without_ms = [];
  let came_ms = performance.now();
  setInterval(async () => {
    for (const peer of window.peers) {
      for (const { type, packetsReceived } of (await peer.getStats()).values()) {
        if (type !== "inbound-rtp" || packetsReceived === peer.heard) continue;
        peer.heard = packetsReceived;
        came_ms = performance.now();
      }
    }
    window.without_ms.push(performance.now() - came_ms);
  }, 20);
}
"""


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    gates = free_ports(2)
    with running(tmp_path_factory.mktemp("stage"), gates="2", recorders="0", gate_port=str(gates)) as started:
        yield started


class People:
    """People with a browser each, because a Chromium has one file for a microphone."""

    def __init__(self, browser: Browser) -> None:
        self._type = browser.browser_type
        self._browsers: list[Browser] = []
        self.said: list[str] = []

    def comes(self, url: str, name: str, microphone: Path) -> Page:
        """Somebody at the door of the stage."""
        capture = f"--use-file-for-fake-audio-capture={microphone}"
        devices = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", capture]
        browser = self._type.launch(executable_path=require("chromium"), args=[*FLAGS, *devices])
        self._browsers.append(browser)
        page = browser.new_context(viewport={"width": 1000, "height": 1000}, locale="en-GB").new_page()
        page.add_init_script(KEEP_PEERS)
        page.on("pageerror", lambda error: self.said.append(f"{name}: {error}"))
        page.goto(url)
        expect(page.locator("body[data-ready=yes]")).to_be_visible()
        page.fill("#name", name)
        return page

    def go(self) -> None:
        for browser in self._browsers:
            browser.close()


@pytest.fixture
def people(browser: Browser) -> Iterator[People]:
    came = People(browser)
    yield came
    came.go()
    assert came.said == []


def goes_on_stage(page: Page) -> None:
    page.click("#enter")
    expect(page.locator("#you")).to_contain_text("You are", timeout=10_000)


def row(page: Page, name: str) -> Locator:
    """The line about somebody with a seat or a hand up."""
    return page.locator("#people li, #hands li").filter(has_text=name)


@pytest.mark.alone
def test_p1_two_people_in_browsers_are_heard_from_the_announced_instant_on(
    system: System, people: People, tmp_path: Path
) -> None:
    (ann_file, ann_said), (bob_file, bob_said) = part(tmp_path, 4), part(tmp_path, 24)
    announced = system.schedule("Two people", at="+14s", doors="14s", id="two")
    guest = json.loads(system.rostra("invite", "two", "--name", "Bob", "--json").stdout)
    ann = people.comes(announced["host_url"], "Ann", ann_file)
    bob = people.comes(guest["url"], "Bob", bob_file)
    goes_on_stage(ann)
    goes_on_stage(bob)
    expect(row(ann, "Bob")).to_have_count(1)
    expect(row(bob, "Ann")).to_contain_text("Host")
    wait_for_state(system, "two", "live")
    assert abs(system.state("two")["starts_ms"] / 1000 - time.time()) < 3
    heard = bytearray()
    Listener(announced["url"], rendition="webm-64", sink=heard.extend).listen(seconds=13)
    expect(ann.locator("#you")).to_have_text("You are on the air.")
    expect(ann.locator("#state")).to_have_text("Live")
    expect(row(ann, "Bob")).not_to_contain_text("away")
    decoded = ffmpeg_hears(bytes(heard), tmp_path / "two.webm").samples
    assert strength(decoded, ann_said) > 0.4
    assert strength(decoded, bob_said) > 0.4


def test_p8_hands_mute_green_room_and_hand_over_work_by_clicking(
    system: System, people: People, tmp_path: Path
) -> None:
    announced = system.schedule("Clicking", at="+3s", doors="3s", id="clicking")
    ann = people.comes(announced["host_url"], "Ann", part(tmp_path, 4)[0])
    goes_on_stage(ann)
    stage_url = announced["host_url"].partition("#")[0]
    dan = people.comes(stage_url, "Dan", part(tmp_path, 24)[0])  # no invitation: the crowd's way
    dan.get_by_role("button", name="Raise my hand").click()
    expect(dan.locator("#problem")).to_contain_text("Your hand is up")
    expect(row(ann, "Dan")).to_be_visible()
    ann.screenshot(path=str(tmp_path / "hand.png"), full_page=True)
    row(ann, "Dan").get_by_role("button", name="Let up").click()
    expect(dan.locator("#you")).to_contain_text("You are on the air", timeout=10_000)
    expect(row(ann, "Dan")).to_have_attribute("data-speaking", "true", timeout=10_000)

    row(ann, "Dan").get_by_role("button", name="Mute").click()
    expect(dan.locator("#you")).to_have_text("You are muted.")
    expect(row(ann, "Dan")).to_have_attribute("data-speaking", "false")
    dan.get_by_role("button", name="Speak").click()
    expect(row(ann, "Dan")).to_have_attribute("data-speaking", "true", timeout=10_000)

    row(ann, "Dan").get_by_role("button", name="Behind the stage").click()
    expect(dan.locator("#you")).to_contain_text("You are behind the stage")
    row(ann, "Dan").get_by_role("button", name="On the air").click()
    expect(dan.locator("#you")).to_have_text("You are on the air.")

    ann.on("dialog", lambda dialog: dialog.accept())
    row(ann, "Dan").get_by_role("button", name="Hand over hosting").click()
    expect(row(dan, "Dan")).to_contain_text("Host")
    expect(row(dan, "Ann")).to_contain_text("Co-host")
    dan.on("dialog", lambda dialog: dialog.accept())
    row(dan, "Ann").get_by_role("button", name="Remove").click()
    expect(ann.locator("#problem")).to_contain_text("A host has taken your seat away")
    expect(row(dan, "Ann")).to_have_count(0)


@pytest.mark.alone
def test_p6_a_gate_is_killed_and_its_speakers_go_on_in_under_two_seconds(
    system: System, people: People, tmp_path: Path
) -> None:
    announced = system.schedule("A gate dies", at="+3s", doors="3s", id="gate-dies")
    ann = people.comes(announced["host_url"], "Ann", part(tmp_path, 4, seconds=20)[0])
    goes_on_stage(ann)
    expect(ann.locator("#you")).to_have_text("You are on the air.", timeout=10_000)
    listener = Listener(announced["url"], rendition="webm-64")
    ann.evaluate(WATCH_PACKETS)
    ann.wait_for_timeout(1_000)
    system.kill("gate-1")
    report = listener.listen(seconds=8)
    assert (report.missing_chunks, report.missed_chunks) == (0, 0), report
    without_ms = ann.evaluate("() => Math.max(...window.without_ms)")
    assert 100 < without_ms < 2_000, "the gate is gone, and another is there"
    expect(ann.locator("#you")).to_have_text("You are on the air.")
    expect(row(ann, "Ann")).to_have_count(1)
    wait_until(lambda: len(system.status()["gates"]) == 2, within_s=20, what="gate-1 is back")


def test_a_host_who_reloads_the_page_has_the_same_seat(system: System, people: People, tmp_path: Path) -> None:
    announced = system.schedule("Reload", at="+2s", doors="2s", id="reload")
    ann = people.comes(announced["host_url"], "Ann", part(tmp_path, 4)[0])
    goes_on_stage(ann)
    ann.reload()
    expect(row(ann, "Ann")).to_contain_text("you")
    goes_on_stage(ann)
    expect(row(ann, "Ann")).to_have_count(1)
    expect(row(ann, "Ann")).to_contain_text("Host")
