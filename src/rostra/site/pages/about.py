"""What the site says of itself: what it is, its rules, what it keeps of people, whom to write to."""

from fastapi import APIRouter, Response

from rostra.site.moderation import rules
from rostra.site.pages.browser import TheBrowser

router = APIRouter(prefix="/about", include_in_schema=False)


@router.get("")
async def show_about(browser: TheBrowser) -> Response:
    return browser.page("about/about.html")


@router.get("/rules")
async def show_rules(browser: TheBrowser) -> Response:
    async with browser.site.reading() as work:
        found = await rules.in_order(work)
    texts = [row.translations.get(browser.language, {}) for row in found]
    told = [
        (text.get("text") or row.text, text.get("hint") or row.hint) for row, text in zip(found, texts, strict=True)
    ]
    return browser.page("about/rules.html", rules=told)


@router.get("/privacy")
async def show_privacy(browser: TheBrowser) -> Response:
    return browser.page("about/privacy.html")


@router.get("/contact")
async def show_contact(browser: TheBrowser) -> Response:
    return browser.page("about/contact.html")
