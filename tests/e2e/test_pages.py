"""The site's pages in a real browser: without scripts, with a passkey, by everybody, in a stranger's article."""

import re
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from person import Person, running_site
from PIL import Image
from playwright.sync_api import Browser, expect

from system import System

MEMBERS = (
    "/", "/compose", "/@ann", "/notifications", "/bookmarks", "/favourites", "/requests", "/scheduled",
    "/search?q=rivers", "/settings/profile", "/settings/preferences", "/settings/account", "/settings/security",
    "/settings/security/code", "/settings/sessions", "/settings/filters", "/nothing-here",
)  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running_site(tmp_path_factory.mktemp("site")) as started:
        yield started


@pytest.fixture(scope="module")
def ann(browser: Browser, site: System, tmp_path_factory: pytest.TempPathFactory) -> Person:
    """A member who has posted what a page can hold."""
    person = Person(browser, site, "ann")
    person.joins()
    person.confirms()
    picture = tmp_path_factory.mktemp("pictures") / "river.png"
    Image.new("RGB", (640, 360), (30, 90, 160)).save(picture)
    person.page.goto("/compose")
    person.page.fill("#status", "Tonight we talk about #rivers")
    person.page.get_by_text("Pictures, sound, video").click()
    person.page.set_input_files("#picture_1", picture)
    person.page.fill("#description_1", "A blue river")
    person.page.locator("form.compose button.primary").click()
    person.page.goto("/compose")
    person.page.fill("#status", "When?")
    person.page.get_by_text("A poll").click()
    person.page.fill("#option_0", "Eight")
    person.page.fill("#option_1", "Nine")
    person.page.locator("form.compose button.primary").click()
    expect(person.page.get_by_text("Eight")).to_be_visible()
    return person


# Each language, scheme and width with each of the others.
@pytest.mark.parametrize(
    ("locale", "scheme", "width"),
    [("en", "light", 360), ("en", "dark", 1280), ("nl", "dark", 360), ("nl", "light", 1280)],
)
def test_what_members_see_can_be_used_by_everybody(ann: Person, locale: str, scheme: str, width: int) -> None:
    ann.page.set_viewport_size({"width": width, "height": 900})
    ann.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    cookie = {"name": "language", "value": locale, "url": ann.url}
    ann.page.context.add_cookies([cookie])  # type: ignore[list-item]
    ann.page.goto("/@ann")
    post = ann.page.get_attribute(".byline .when > a", "href") or ""
    number = post.rpartition("/")[2]
    for path in (*MEMBERS, post, f"{post}/history", f"/posts/{number}/edit", f"/posts/{number}/delete"):
        ann.page.goto(path)
        assert ann.page.get_attribute("html", "lang") == locale
        ann.can_use()
        assert ann.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


def test_a_press_changes_the_post_in_its_place(ann: Person) -> None:
    ann.page.context.clear_cookies(name="language")
    ann.page.goto("/@ann")
    star = ann.page.locator("article", has_text="Tonight we talk").first.get_by_role("button", name="Favour")
    expect(star).to_have_attribute("aria-pressed", "false")
    ann.page.evaluate("window.still = true")
    star.click()
    expect(star).to_have_attribute("aria-pressed", "true")
    assert ann.page.evaluate("window.still"), "the page was not loaded anew"


def test_everything_is_done_without_scripts(browser: Browser, site: System, ann: Person) -> None:
    bob = Person(browser, site, "bob", java_script_enabled=False)
    bob.joins()
    bob.confirms()
    bob.page.goto("/public")
    bob.page.locator("article", has_text="Tonight we talk").get_by_role("button", name="Favour").click()
    star = bob.page.locator("article", has_text="Tonight we talk").get_by_role("button", name="Favour")
    expect(star).to_have_attribute("aria-pressed", "true")
    bob.page.locator("article", has_text="When?").get_by_label("Nine").check()
    bob.page.get_by_role("button", name="Vote").click()
    expect(bob.page.get_by_text("(your vote)")).to_be_visible()
    bob.page.goto("/@ann")
    bob.page.get_by_role("button", name="Follow").click()
    expect(bob.page.get_by_role("button", name="Unfollow")).to_be_visible()
    bob.page.goto("/compose")
    bob.page.fill("#status", "@ann I am there")
    bob.page.locator("form.compose button.primary").click()
    bob.page.get_by_role("button", name="Nederlands").click()
    expect(bob.page.get_by_role("button", name="Uitloggen")).to_be_visible()
    ann.page.goto("/notifications")
    expect(ann.page.get_by_text("I am there")).to_be_visible()


def test_a_passkey_is_added_and_lets_in(browser: Browser, site: System) -> None:
    eva = Person(browser, site, "eva")
    authenticator = eva.page.context.new_cdp_session(eva.page)
    authenticator.send("WebAuthn.enable")
    authenticator.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    eva.joins()
    eva.confirms()
    eva.page.goto("/settings/security")
    eva.page.fill("#name", "My telephone")
    eva.page.get_by_role("button", name="Add a passkey").click()
    expect(eva.page.get_by_text("My telephone")).to_be_visible()
    eva.page.get_by_role("button", name="Log out").click()
    eva.page.goto("/login")
    eva.page.get_by_role("button", name="Log in with a passkey").click()
    expect(eva.page.get_by_role("button", name="Log out")).to_be_visible()


@pytest.fixture
def newspaper(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A web server that is not ours: its folder and address."""
    handler = partial(_Quiet, directory=str(tmp_path))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    serving = Thread(target=server.serve_forever, daemon=True)
    serving.start()
    yield tmp_path, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    serving.join()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Requests are no news."""


def test_a_newspaper_quotes_a_post(browser: Browser, ann: Person, newspaper: tuple[Path, str]) -> None:
    folder, address = newspaper
    ann.page.goto("/@ann")
    post = ann.page.locator("article", has_text="Tonight we talk").first
    ann.page.goto(post.locator(".when > a").first.get_attribute("href") or "")
    ann.page.get_by_text("Put it on your own page").click()
    quotation = ann.page.input_value("#embed")
    (folder / "article.html").write_text(f"<!doctype html><p>She wrote:</p>{quotation}", encoding="utf-8")
    for scripts in (False, True):
        page = browser.new_context(java_script_enabled=scripts, locale="en-GB").new_page()
        page.goto(f"{address}/article.html")
        if scripts:
            frame = page.frame_locator("iframe")
            expect(frame.get_by_text("Tonight we talk about")).to_be_visible()
            expect(frame.get_by_role("img", name="A blue river")).to_be_visible()
            expect(page.locator("blockquote")).to_be_hidden()
        else:
            expect(page.locator("blockquote")).to_contain_text("Tonight we talk about #rivers")
            assert re.search(r"— ann \(@ann\) \d+ \w+ \d{4}", page.locator("blockquote").inner_text())
        page.context.close()
