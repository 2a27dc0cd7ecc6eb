"""A person who listens in headless Chromium: what they hear is measured in the page itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Request, sync_playwright

from machine import require

# Nobody hears a fifth of a second; on a quiet machine it is none (benchmarks/kills.py keeps the figures).
PAUSE_MS_MAX = 200

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]

# Every 20 ms: the page's clock, the position of the sound, its level, the state shown. Kept for two minutes.
WATCH = """
() => {
  const seen = window.seen = [];
  setInterval(() => {
    const r = window.rostra;
    seen.push([Date.now(), r.time_s, r.level, r.state, r.started, r.stalls]);
    if (seen.length > 6000) seen.shift();
  }, 20);
}
"""


@dataclass(frozen=True)
class Sample:
    at_ms: float
    time_s: float
    level: float
    state: str
    started: bool
    stalls: int


class Listening:
    """One page, from the moment it is opened."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.console: list[str] = []
        page.on("console", lambda message: self.console.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.console.append(f"error: {error}"))
        self.streams: list[Request] = []
        page.on("request", lambda request: "/stream?" in request.url and self.streams.append(request))
        self._over: list[Request] = []
        page.on("requestfinished", self._finish)
        page.on("requestfailed", self._finish)

    def _finish(self, request: Request) -> None:
        self._over.append(request)

    def open(self, url: str) -> None:
        self.page.goto(url)
        self.page.evaluate(WATCH)

    def press_listen(self) -> None:
        self.page.get_by_role("button", name="Listen", exact=True).click()

    def wait(self, expression: str, *, within_s: float) -> None:
        self.page.wait_for_function(
            f"() => {{ const r = window.rostra; return {expression}; }}", timeout=within_s * 1000
        )

    def wait_for_streams(self, count: int) -> None:
        """Until the page reads so many streams: what becomes of a request is told a moment after it has."""
        for _ in range(100):
            streams_open = sum(request not in self._over for request in self.streams)
            if streams_open == count:
                return
            self.hear(0.1)
        raise AssertionError(f"{streams_open} streams are open, not {count}.")

    def hear(self, seconds: float) -> None:
        self.page.wait_for_timeout(seconds * 1000)

    def samples(self) -> list[Sample]:
        return [Sample(*each) for each in self.page.evaluate("() => window.seen")]

    def longest_pause_ms(self, *, since_ms: float = 0) -> float:
        """The longest time in which the sound did not move on, once it had started."""
        samples = [each for each in self.samples() if each.started and each.at_ms >= since_ms and each.time_s > 0]
        longest, moved_at = 0.0, samples[0].at_ms
        for before, after in pairwise(samples):
            if after.time_s > before.time_s:
                longest = max(longest, after.at_ms - moved_at - 20)
                moved_at = after.at_ms
        return longest

    def shoot(self, path: Path) -> None:
        self.page.screenshot(path=str(path))

    def rostra(self) -> dict[str, Any]:
        return dict(
            self.page.evaluate("() => Object.fromEntries(Object.keys(rostra).map((key) => [key, rostra[key]]))")
        )


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=require("chromium"), args=FLAGS, headless=True)
        try:
            yield browser
        finally:
            browser.close()
