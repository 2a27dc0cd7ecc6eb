"""A person listens in a browser to a whole evening, while machines die."""

import time
from pathlib import Path

import pytest
from listening import PAUSE_MS_MAX, Listening
from playwright.sync_api import Browser, expect

from rostra.audio.recordings import two_cities
from rostra.verifier.checks.receipts import parse_shown
from system import System

RECORDING = str(two_cities())


@pytest.mark.alone
def test_p1_p2_hold_music_countdown_and_the_recording_at_the_announced_instant(
    system: System, evening: str, listening: Listening
) -> None:
    announced = system.schedule(at="+7s", id=evening)
    system.feed(evening, RECORDING)
    listening.open(announced["url"])
    expect(listening.page.locator("#state")).to_have_text("Doors are open")
    expect(listening.page.locator("#clock")).to_have_text("00:05", timeout=4_000)
    listening.press_listen()
    listening.wait("r.started && r.level > 0.02", within_s=5)
    expect(listening.page.locator("#status")).to_have_text("Sound is on.")
    listening.wait("r.state === 'live'", within_s=10)
    shown_at_ms = listening.samples()[-1].at_ms
    listening.hear(3)
    samples = listening.samples()
    assert 0 <= shown_at_ms - announced["starts_ms"] <= 1_000, "the page turns live when the sound does"
    music = [each.level for each in samples if each.started and each.at_ms < announced["starts_ms"]][10:]
    assert min(music) > 0.005, "hold music is never silence"
    assert listening.longest_pause_ms() < PAUSE_MS_MAX
    expect(listening.page.locator("#listeners")).to_have_text("1 listener", timeout=8_000)
    assert [line for line in listening.console if line.startswith("error")] == []


@pytest.mark.alone
def test_p6_an_edge_killed_in_mid_sentence_is_not_heard(system: System, evening: str, listening: Listening) -> None:
    announced = system.schedule(at="+1s", id=evening)
    system.feed(evening, RECORDING)
    listening.open(announced["url"])
    listening.press_listen()
    listening.wait("r.state === 'live' && r.level > 0", within_s=10)
    for _ in range(2):
        listening.hear(1.5)
        since_ms = listening.samples()[-1].at_ms
        for name in ("edge-1", "edge-2"):  # one of them is ours; the other is up again before it dies
            system.kill(name)
            listening.hear(2.0)
        assert listening.longest_pause_ms(since_ms=since_ms) < PAUSE_MS_MAX
    assert listening.rostra()["resumed"] >= 1


@pytest.mark.alone
@pytest.mark.parametrize(("victim", "pause_ms_max"), [("bus", 1_000), ("stage", 1_000)])
def test_p6_a_killed_bus_or_stage_is_a_pause_of_at_most_a_second(
    system: System, evening: str, listening: Listening, victim: str, pause_ms_max: float
) -> None:
    announced = system.schedule(at="+1s", id=evening)
    system.feed(evening, RECORDING)
    listening.open(announced["url"])
    listening.press_listen()
    listening.wait("r.state === 'live' && r.level > 0", within_s=10)
    listening.hear(1.5)
    before = listening.samples()[-1]
    system.kill(system.active_stage(evening) if victim == "stage" else "bus")
    killed_ms = time.time() * 1000
    listening.hear(5)
    after = listening.samples()[-1]
    assert listening.longest_pause_ms(since_ms=killed_ms - 100) <= pause_ms_max
    assert after.time_s - before.time_s > 4, "nothing was skipped over and the sound goes on"
    assert after.state == "live"


def test_the_end_is_shown_when_it_is_heard_and_the_page_lets_go(
    system: System, evening: str, listening: Listening
) -> None:
    announced = system.schedule(at="+1s", id=evening)
    system.feed(evening, RECORDING)
    listening.open(announced["url"])
    listening.press_listen()
    listening.wait("r.state === 'live'", within_s=10)
    system.rostra("end", evening)
    expect(listening.page.locator("#notice")).to_contain_text("The conversation has ended", timeout=5_000)
    listening.wait("r.state === 'ended'", within_s=10)
    expect(listening.page.locator("#listen")).to_be_hidden()
    expect(listening.page.locator("#about")).to_have_text("Thank you for listening.")


def test_who_comes_before_the_doors_open_hears_music_when_they_do(
    system: System, evening: str, listening: Listening
) -> None:
    announced = system.schedule(at="+30s", doors="24s", id=evening)
    listening.open(announced["url"])
    expect(listening.page.locator("#clock-label")).to_have_text("Doors open in")
    listening.press_listen()
    expect(listening.page.locator("#status")).to_contain_text("still closed")
    listening.wait("r.started && r.level > 0.02", within_s=15)
    assert listening.samples()[-1].state == "doors_open"


def test_a_start_that_is_moved_is_shown_to_those_who_wait(
    system: System, evening: str, listening: Listening
) -> None:
    announced = system.schedule(at="+20s", id=evening)
    listening.open(announced["url"])
    listening.press_listen()
    listening.wait("r.started", within_s=5)
    system.rostra("reschedule", evening, "--at", "+10m")
    expect(listening.page.locator("#status")).to_contain_text("The start has been moved", timeout=5_000)
    assert listening.page.locator("#clock").inner_text().startswith(("09:", "10:"))


# So that a minute of the player's count need not be waited for.
LATER = """
const steady = performance.now.bind(performance);
window.later = 0;
performance.now = () => steady() + window.later;
"""


def test_p9_a_listener_who_wants_that_testifies_each_minute_and_is_told_that_nobody_keeps_it(
    system: System, evening: str, listening: Listening
) -> None:
    announced = system.schedule(at="+5m", id=evening)
    page = listening.page
    page.add_init_script(LATER)
    listening.open(announced["url"])
    listening.press_listen()
    listening.wait("r.started && r.seq > 0", within_s=30)
    page.locator("#details summary").click()
    page.get_by_label("Let my player testify to what I hear").check()
    listening.hear(1)
    page.evaluate("window.later = 61_000")
    save = page.get_by_role("button", name="Save my receipts")
    save.wait_for(timeout=20_000)
    with page.expect_download() as saved:
        save.click()
    (shown,) = parse_shown(Path(saved.value.path()).read_bytes())
    assert shown.promise is None
    expect(page.get_by_text("No record is kept here.")).to_be_visible()
    assert shown.receipt.heard["chunks"] > 0
    assert shown.receipt.heard["first_sound_ms"] < 30_000
    errors = [line for line in listening.console if line.startswith("error")]
    assert [line for line in errors if "404" not in line] == [], "only that it is nowhere kept"


def test_everything_is_reached_by_keyboard_and_said_to_a_screen_reader(
    system: System, evening: str, browser: Browser
) -> None:
    announced = system.schedule(at="+1h", doors="1h", id=evening)
    context = browser.new_context(viewport={"width": 320, "height": 640}, locale="nl-NL")
    page = context.new_page()
    page.goto(announced["url"])
    expect(page.locator("#state")).to_have_text("De deuren zijn open")
    names = []
    for _ in range(8):
        page.keyboard.press("Tab")
        names.append(
            page.evaluate(
                "() => document.activeElement.getAttribute('aria-label') ?? document.activeElement.innerText"
            )
        )
    assert [name.strip() for name in names] == [
        "Direct naar de speler",
        "Rostra",
        "English",
        "Luister",
        "Geluid uit",
        "Volume",
        "Technische gegevens",
        "Ogg",
    ]
    assert page.evaluate("() => document.documentElement.scrollWidth <= 320"), (
        "no sideways scrolling on a small phone"
    )
    page.get_by_role("button", name="English").click()
    expect(page.locator("#state")).to_have_text("Doors are open")
    page.keyboard.press("Escape")
    page.evaluate("() => document.activeElement.blur()")
    page.keyboard.press("Space")
    page.wait_for_function("() => window.rostra.started", timeout=5_000)
    context.close()


def test_pages_for_people_in_every_other_case(system: System, evening: str, browser: Browser) -> None:
    system.schedule("<script>alert(1)</script> & more", at="+1h", id=evening)
    context = browser.new_context(locale="en-GB")
    page = context.new_page()
    said: list[str] = []
    page.on("dialog", lambda dialog: said.append(dialog.message))
    page.goto(f"{system.url}/c/{evening}")
    expect(page.locator("h1")).to_have_text("<script>alert(1)</script> & more")
    page.goto(f"{system.url}/")
    expect(page.get_by_role("link", name="<script>alert(1)</script> & more")).to_be_visible()
    answer = page.goto(f"{system.url}/c/nobody")
    assert answer is not None
    assert answer.status == 404
    expect(page.locator("h1")).to_be_visible()
    assert said == []
    context.close()
