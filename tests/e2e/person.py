"""Somebody with a browser and a letter box, for the browser tests of the site."""

import email
import re
from collections.abc import Iterator
from contextlib import contextmanager
from email import policy
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from system import System, free_port, running, wait_until

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
PASSWORD = "a river runs through it"  # noqa: S105 # of people who exist only in a test


@contextmanager
def running_site(folder: Path) -> Iterator[System]:
    """A whole system with a site that is called by a name: an IP address has no passkeys."""
    port = free_port()
    settings = {
        "sites": "1",
        "site_port": str(port),
        "site_url": f"http://localhost:{port}",
        "rate_limits": "false",
    }
    with running(folder, **settings) as started:
        yield started


class Person:
    """Somebody with a browser and a letter box."""

    def __init__(self, browser: Browser, site: System, name: str, locale: str = "en-GB", **context: Any) -> None:
        """`context` are Playwright's options of a browser context."""
        self.name, self.address = name, f"{name}@example.com"
        self._mail = site.folder / "data" / "mail"
        self.url = f"http://localhost:{site.environment['ROSTRA_SITE_PORT']}"
        options = {"base_url": self.url, "viewport": {"width": 390, "height": 800}, "locale": locale} | context
        self.page: Page = browser.new_context(**options).new_page()

    def joins(self, page: str = "/join") -> None:
        """At the page for everybody, or at the first owner's link; logged in from then on."""
        self.page.goto(page)
        self.page.fill("#username", self.name)
        self.page.fill("#email", self.address)
        self.page.fill("#password", PASSWORD)
        for tick in self.page.locator("input[type=checkbox]").all():
            tick.check()
        self.page.locator("main form button.primary").click()

    def confirms(self) -> None:
        self.page.goto(self.letter(r"http\S+/confirm\S+"))
        self.page.locator("main form button").click()

    def letter(self, pattern: str) -> str:
        """What the newest letter to this person with `pattern` in it says there."""

        def found() -> str:
            for file in sorted(self._mail.glob("*.eml"), reverse=True):
                letter = email.message_from_bytes(file.read_bytes(), policy=policy.default)
                if self.address not in letter["To"]:
                    continue
                match = re.search(pattern, letter.get_body(("plain",)).get_content())
                if match:
                    return match[0]
            return ""

        return str(wait_until(found, within_s=20, what=f"a letter to {self.name} with {pattern}"))

    def can_use(self) -> None:
        """This page by WCAG 2.2 AA, as far as a machine can tell."""
        result = Axe().run(self.page, options={"runOnly": {"type": "tag", "values": RULES}})
        assert result.violations_count == 0, f"{self.page.url}\n{result.generate_report()}"
