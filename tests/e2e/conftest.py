"""One Chromium for each file of browser tests: Playwright keeps an event loop running as long as it lives."""

from collections.abc import Iterator

import pytest
from listening import Listening, chromium
from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def listening(browser: Browser) -> Iterator[Listening]:
    context = browser.new_context(viewport={"width": 1100, "height": 900}, locale="en-GB")
    yield Listening(context.new_page())
    context.close()
