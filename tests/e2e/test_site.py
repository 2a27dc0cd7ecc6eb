"""The site as people use it: a newcomer announces a talk, others come, a ban and its lifting stay visible."""

import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from icalendar import Calendar
from person import Person, running_site
from PIL import Image
from playwright.sync_api import Browser, expect

from system import System


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running_site(tmp_path_factory.mktemp("site")) as started:
        yield started


def announces(ann: Person, picture: Path) -> str:
    """A newcomer joins, posts with a picture and announces a talk, whose address is returned."""
    ann.page.goto("/join")
    ann.can_use()
    ann.joins()
    ann.confirms()
    Image.new("RGB", (640, 360), (30, 90, 160)).save(picture)
    ann.page.goto("/compose")
    ann.can_use()
    ann.page.fill("#status", "Tonight we talk about rivers. #rivers")
    ann.page.get_by_text("Pictures, sound, video").click()
    ann.page.set_input_files("#picture_1", picture)
    ann.page.fill("#description_1", "A blue river")
    ann.page.locator("form.compose button.primary").click()
    expect(ann.page.get_by_role("img", name="A blue river")).to_be_visible()
    ann.can_use()
    ann.page.goto("/conversations/new")
    ann.can_use()
    ann.page.fill("#title", "An evening by the river")
    ann.page.fill("#starts", "2036-05-01T20:00")
    ann.page.fill("#time_zone", "Europe/Amsterdam")
    ann.page.get_by_role("button", name="Announce it").click()
    expect(ann.page.get_by_role("heading", name="An evening by the river")).to_be_visible()
    ann.can_use()
    return ann.page.url


def comes(bob: Person, talk: str) -> None:
    """Another one replies, wants to be reminded, and takes the calendar entry: in Dutch."""
    bob.joins()
    bob.confirms()
    bob.page.goto("/public")
    bob.can_use()
    bob.page.get_by_text("Tonight we talk about rivers").first.wait_for()
    announcement = bob.page.locator("article", has_text="An evening by the river").first
    announcement.locator("a:has(time)").first.click()
    bob.page.fill("#status", "Ik ben erbij.")
    bob.page.get_by_role("button", name="Reageren").or_(bob.page.get_by_role("button", name="Antwoorden")).click()
    expect(bob.page.locator(".said", has_text="Ik ben erbij.")).to_be_visible()
    bob.can_use()
    bob.page.goto(talk)
    bob.page.get_by_role("button", name="Herinner mij").click()
    expect(bob.page.get_by_text("Je hoort het een kwartier van tevoren")).to_be_visible()
    bob.can_use()
    entry = bob.page.get_by_role("link", name="Zet in je agenda").get_attribute("href")
    with urllib.request.urlopen(f"{entry}", timeout=10) as answer:
        (event,) = Calendar.from_ical(answer.read()).walk("VEVENT")
    assert event["SUMMARY"] == "An evening by the river"
    assert event["DTSTART"].dt.isoformat() == "2036-05-01T20:00:00+02:00"


def is_banned_and_comes_back(ada: Person, ann: Person, bob: Person) -> None:
    """A moderator suspends with a statement of reasons; an appeal brings the account back, whole."""
    ada.page.goto("/@ann")
    ada.page.get_by_label("More").first.click()
    ada.page.locator(".menu").get_by_role("link", name="Moderation").click()
    ada.can_use()
    ada.page.get_by_role("link", name="Decide", exact=True).click()
    ada.can_use()
    ada.page.select_option("#action", "suspend")
    ada.page.fill("#legal_ground", "No advertising")
    ada.page.fill("#explanation", "Your posts advertise a shipping company.")
    ada.page.fill("#facts", "An account posted advertisements.")
    ada.page.get_by_role("button", name="Decide").click()
    ada.can_use()
    bob.page.goto("/@ann")
    expect(bob.page.get_by_text("Dit account is geschorst.")).to_be_visible()
    expect(bob.page.get_by_text("Tonight we talk about rivers")).to_have_count(0)
    ann.page.goto(ann.letter(r"http\S+/appeal/\S+"))
    ann.can_use()
    ann.page.fill("#text", "I row; I sell nothing.")
    ann.page.get_by_role("button", name="Appeal").click()
    expect(ann.page.get_by_role("heading", name="We have your appeal")).to_be_visible()
    ada.page.goto("/moderation/appeals")
    ada.can_use()
    ada.page.get_by_label("Your answer").fill("You are right, and we are sorry.")
    ada.page.get_by_role("button", name="It was wrong: lift it").click()
    bob.page.goto("/@ann")
    expect(bob.page.get_by_text("Tonight we talk about rivers").first).to_be_visible()


@pytest.mark.timeout(300)  # three people, thirty pages, each looked at by axe
def test_a_newcomer_announces_a_talk_and_a_ban_and_its_lifting_stay_visible(
    browser: Browser, site: System, tmp_path: Path
) -> None:
    ada, ann, bob = (
        Person(browser, site, "ada"),
        Person(browser, site, "ann"),
        Person(browser, site, "bob", "nl-NL"),
    )
    owner_link = re.search(r"http\S+", site.rostra("owner").stdout.replace("\n", ""))
    assert owner_link is not None
    ada.joins(owner_link[0])
    ada.page.locator(".rest > summary").click()
    expect(ada.page.get_by_role("link", name="Moderation")).to_be_visible()
    comes(bob, announces(ann, tmp_path / "river.png"))
    is_banned_and_comes_back(ada, ann, bob)
    words = (
        ("en-GB", "Account suspended", "Lifted on"),
        ("nl-NL", "Account opgeschort", "Opgeheven op"),
    )
    for locale, suspended, lifted in words:
        stranger = Person(browser, site, "stranger", locale)
        stranger.page.goto("/transparency")
        expect(stranger.page.get_by_text("An account posted advertisements.")).to_be_visible()
        expect(stranger.page.get_by_text(suspended).first).to_be_visible()
        expect(stranger.page.get_by_text(lifted).first).to_be_visible()
        stranger.can_use()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280], ids=["phone", "desk"])
def test_what_everybody_sees_can_be_used_by_everybody(
    browser: Browser, site: System, scheme: str, width: int
) -> None:
    stranger = Person(browser, site, "stranger")
    stranger.page.set_viewport_size({"width": width, "height": 900})
    stranger.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    paths = (
        "/",
        "/public",
        "/conversations",
        "/search",
        "/login",
        "/join",
        "/password",
        "/notice",
        "/transparency",
    )
    for path in (*paths, "/about", "/about/rules", "/about/privacy", "/about/contact"):
        answer = stranger.page.goto(path)
        assert answer is not None
        assert answer.status == 200, path
        stranger.can_use()
        assert stranger.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
