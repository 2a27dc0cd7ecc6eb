"""What happens to a listener's browser: it goes on, or says in words what is wrong and what it does about it."""

import os
import signal
from collections.abc import Iterator

import pytest
from listening import PAUSE_MS_MAX, Listening
from playwright.sync_api import Browser, expect

from system import System, running

# The managed source of Apple's phones, as far as Chromium can act it: it opens only where remote playback is
# disabled, and it asks for data only now and then. (The real one has been run by nobody here.)
APPLE = """
  delete HTMLMediaElement.prototype.captureStream;
  delete AbortSignal.any;
  const Plain = window.MediaSource;
  window.ManagedMediaSource = class extends Plain {
    streaming = false;
    constructor() {
      super();
      this.addEventListener("sourceopen", (event) => {
        if (!document.getElementById("audio").disableRemotePlayback) event.stopImmediatePropagation();
      });
      setInterval(() => {
        this.streaming = !this.streaming;
        this.dispatchEvent(new Event(this.streaming ? "startstreaming" : "endstreaming"));
      }, 300);
    }
  };
  delete window.MediaSource;
"""

# No sound without a tap. (Chromium's own policy cannot be used: each question of Playwright counts as a tap.)
STRICT = """
  const play = HTMLMediaElement.prototype.play;
  let tapped = false;
  addEventListener("click", () => { tapped = true; }, { capture: true });
  HTMLMediaElement.prototype.play = function () {
    return tapped ? play.call(this) : Promise.reject(new DOMException("no tap", "NotAllowedError"));
  };
"""


@pytest.fixture(scope="module")
def waiting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a conversation whose doors are open; nothing is killed in its system."""
    with running(tmp_path_factory.mktemp("mishaps") / "rostra", recorders="0") as system:
        yield system.schedule(at="+1h", doors="1h", id="waiting")["url"]


def hears_music(listening: Listening, *, level: bool = True) -> None:
    """Who has missed some seconds meanwhile is told so for a while, with the sound on."""
    playing = "r.started && ['playing', 'moved'].includes(r.status)"
    listening.wait(playing + (" && r.level > 0.01" if level else ""), within_s=20)
    second_s = listening.rostra()["time_s"] + 1
    listening.wait(f"{playing} && r.time_s > {second_s}", within_s=3)


@pytest.mark.alone
def test_p6_a_planned_move_is_not_heard_nor_seen_and_leaves_one_stream(
    system: System, evening: str, listening: Listening
) -> None:
    listening.open(system.schedule(at="+1h", doors="1h", id=evening)["url"])
    listening.press_listen()
    hears_music(listening)
    since_ms = listening.samples()[-1].at_ms
    for name in ("edge-1", "edge-2"):  # one of them is ours; the other is up again before it goes
        os.kill(system.pid(name), signal.SIGTERM)
        listening.hear(2.5)
    assert listening.rostra()["resumed"] >= 1
    assert listening.longest_pause_ms(since_ms=since_ms) < PAUSE_MS_MAX
    listening.wait_for_streams(1)
    expect(listening.page.locator("#status")).to_have_text("Sound is on.")


def test_p6_after_an_edge_died_unheard_the_page_does_not_complain(
    system: System, evening: str, listening: Listening
) -> None:
    listening.open(system.schedule(at="+1h", doors="1h", id=evening)["url"])
    listening.press_listen()
    hears_music(listening)
    for name in ("edge-1", "edge-2"):
        system.kill(name)
        listening.hear(2)
    assert listening.rostra()["resumed"] >= 1
    listening.wait_for_streams(1)
    expect(listening.page.locator("#status")).to_have_text("Sound is on.")


def test_when_the_whole_platform_is_gone_the_page_says_so_and_comes_back_by_itself(
    system: System, evening: str, listening: Listening
) -> None:
    listening.open(system.schedule(at="+1h", doors="1h", id=evening)["url"])
    listening.press_listen()
    hears_music(listening)
    system.die()
    expect(listening.page.locator("#status")).to_contain_text("Trying again in", timeout=15_000)
    system.start()
    hears_music(listening)
    expect(listening.page.locator("#status")).to_have_text("Sound is on.", timeout=30_000)
    listening.wait_for_streams(1)


def test_a_phone_without_network_says_so_and_goes_on_when_it_is_back(
    system: System, evening: str, listening: Listening
) -> None:
    listening.open(system.schedule(at="+1h", doors="1h", id=evening)["url"])
    listening.press_listen()
    hears_music(listening)
    listening.page.context.set_offline(True)  # forbids new connections only: the old one must be cut, too
    system.kill("edge-1")
    system.kill("edge-2")
    expect(listening.page.locator("#status")).to_have_text(
        "You are offline. Waiting for the network…", timeout=10_000
    )
    listening.page.context.set_offline(False)
    hears_music(listening)


@pytest.mark.alone
def test_a_managed_source_is_served_by_its_rules(waiting: str, listening: Listening) -> None:
    listening.page.add_init_script(APPLE)
    listening.open(waiting)
    listening.press_listen()
    hears_music(listening, level=False)
    listening.hear(2)
    # The acted source gives its first buffer late on a busy machine: it may run dry once, and then holds more.
    assert listening.longest_pause_ms() < 2 * PAUSE_MS_MAX
    assert listening.rostra()["stalls"] <= 1


def test_without_media_source_the_browsers_own_player_plays(waiting: str, listening: Listening) -> None:
    listening.page.add_init_script("delete window.MediaSource; delete window.ManagedMediaSource;")
    listening.open(waiting)
    expect(listening.page.locator("#plain")).to_be_hidden()
    listening.press_listen()
    expect(listening.page.locator("#plain")).to_be_visible()
    listening.page.wait_for_function("() => document.getElementById('plain').currentTime > 0.5", timeout=10_000)


def test_without_script_the_browsers_own_player_is_there(waiting: str, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(waiting)
    expect(page.locator("#plain")).to_be_visible(timeout=10_000)
    context.close()


def test_a_decoder_that_gives_up_gets_another_stream(waiting: str, listening: Listening) -> None:
    listening.open(waiting)
    listening.press_listen()
    hears_music(listening)
    listening.page.evaluate("() => document.getElementById('audio').dispatchEvent(new Event('error'))")
    listening.wait("!r.started", within_s=2)
    hears_music(listening)
    listening.wait_for_streams(1)


def test_sound_that_the_system_stops_is_shown_as_stopped_and_starts_again_at_the_live_edge(
    waiting: str, listening: Listening
) -> None:
    listening.open(waiting)
    listening.press_listen()
    hears_music(listening)
    heard = listening.rostra()["seq"]
    listening.page.evaluate("() => document.getElementById('audio').pause()")
    expect(listening.page.get_by_role("button", name="Listen", exact=True)).to_be_visible()
    listening.hear(2)
    listening.wait_for_streams(0)  # who does not listen costs nothing
    listening.press_listen()
    hears_music(listening)
    assert listening.rostra()["seq"] >= heard + 20


def test_a_page_that_slept_jumps_to_the_live_edge(waiting: str, listening: Listening) -> None:
    listening.open(waiting)
    listening.press_listen()
    hears_music(listening)
    listening.page.evaluate("() => { const until = performance.now() + 8000; while (performance.now() < until); }")
    hears_music(listening)
    listening.wait("r.buffered_s < 4", within_s=3)


def test_a_browser_that_wants_a_tap_says_so_and_gets_its_tap(waiting: str, listening: Listening) -> None:
    listening.page.add_init_script(STRICT)
    listening.open(f"{waiting}?autoplay")
    expect(listening.page.locator("#status")).to_contain_text("wants a tap", timeout=10_000)
    listening.wait_for_streams(0)
    listening.press_listen()
    hears_music(listening)
