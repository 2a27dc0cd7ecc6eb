"""One Chromium for each file of browser tests: Playwright keeps an event loop running as long as it lives."""

from collections.abc import Iterator
from secrets import token_hex

import pytest
from listening import Listening, chromium
from playwright.sync_api import Browser

from states import everybody_is_back
from system import System, running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def listening(browser: Browser) -> Iterator[Listening]:
    context = browser.new_context(viewport={"width": 1100, "height": 900}, locale="en-GB")
    yield Listening(context.new_page())
    context.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """One system for each file: whoever dies in a test is back before the next one."""
    with running(tmp_path_factory.mktemp("shared"), recorders="0") as started:
        yield started


@pytest.fixture
def evening() -> str:
    """The id of a conversation that no other test has."""
    return f"evening-{token_hex(4)}"


@pytest.fixture
def system(shared: System, evening: str) -> Iterator[System]:
    everybody_is_back(shared)
    yield shared
    for feed in shared.feeds:
        feed.kill()
        feed.wait()
    shared.feeds.clear()
    shared.rostra("end", evening, check=False)
