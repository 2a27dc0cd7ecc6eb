"""The waiting room in real browsers: true places, music, and sound without another tap (promise P2)."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from listening import Listening
from playwright.sync_api import Browser, BrowserContext, expect

from system import System, running

ASKS_AGAIN_S = 25  # who cannot be told how long it takes asks each 15 s, a quarter more or less


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system with one place."""
    folder = tmp_path_factory.mktemp("small") / "rostra"
    with running(folder, edge_workers="1", recorders="0", edge_listeners_max="1") as system:
        yield system


@pytest.fixture
def person(browser: Browser) -> Iterator["People"]:
    people = People(browser)
    yield people
    for context in people.contexts:
        context.close()


class People:
    """Each call is another person with a browser profile of their own."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self.contexts: list[BrowserContext] = []

    def __call__(self, url: str, *, locale: str = "en-GB", **options: object) -> Listening:
        context = self._browser.new_context(locale=locale, **options)  # type: ignore[arg-type]
        self.contexts.append(context)
        listening = Listening(context.new_page())
        listening.open(url)
        return listening


def hears(listening: Listening, within_s: float) -> None:
    listening.wait("r.started && r.status === 'playing' && r.level > 0.01", within_s=within_s)


def test_p2_one_listens_two_wait_with_true_places_and_the_next_one_hears_sound_without_a_tap(
    small: System, person: People, tmp_path: Path
) -> None:
    url = small.schedule(at="+1h", doors="1h", id="one-place")["url"]
    first, second, third = person(url), person(url), person(url)
    first.press_listen()
    hears(first, 10)
    second.press_listen()
    second.wait("r.number === 1 && r.music", within_s=10)
    third.press_listen()
    third.wait("r.number === 2 && r.music", within_s=10)
    expect(third.page.locator("#waiting-place")).to_have_text("You are number 2 of 2 who wait.")
    expect(third.page.locator("#waiting-time")).to_contain_text("Nobody can tell")
    expect(third.page.locator("#status")).to_have_text("You wait for a place. You need not do anything.")
    third.shoot(tmp_path / "waiting.png")

    second.page.reload()
    second.page.wait_for_function("() => window.rostra")
    second.press_listen()
    second.wait("r.number === 1", within_s=10)  # not behind the third

    first.page.get_by_role("button", name="Stop listening").click()
    hears(second, ASKS_AGAIN_S)
    assert second.rostra()["number"] == 0
    expect(second.page.locator("#waiting")).to_be_hidden()
    third.wait("r.number === 1", within_s=ASKS_AGAIN_S)

    second.page.reload()  # whoever is in stays in, and need not wait again
    second.page.wait_for_function("() => window.rostra")
    second.press_listen()
    hears(second, 10)
    for listening in (first, second, third):
        assert [line for line in listening.console if line.startswith("error")] == []


def test_the_waiting_room_on_a_dark_telephone_in_dutch(small: System, person: People, tmp_path: Path) -> None:
    url = small.schedule(at="+1h", doors="1h", id="telephone")["url"]
    inside = person(url)
    inside.press_listen()
    inside.wait("r.started || r.number > 0", within_s=10)
    waiting = person(url, locale="nl-NL", viewport={"width": 390, "height": 844}, color_scheme="dark")
    waiting.page.get_by_role("button", name="Luister", exact=True).click()
    waiting.wait("r.number > 0 && r.music", within_s=10)
    expect(waiting.page.locator("#waiting-place")).to_contain_text("U bent nummer")
    waiting.shoot(tmp_path / "waiting-dark.png")
    speaking = waiting.page.get_by_role("button", name="Lees mijn plaats voor")
    speaking.click()
    expect(speaking).to_have_attribute("aria-pressed", "true")
    waiting.page.get_by_role("button", name="Stop met luisteren").click()
    expect(waiting.page.locator("#waiting")).to_be_hidden()
    assert waiting.rostra()["music"] is False
