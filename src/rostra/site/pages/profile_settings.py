"""Settings of what others see of somebody, and of how they read and write."""

from http import HTTPStatus
from typing import Any, Final
from zoneinfo import available_timezones

from fastapi import APIRouter, Response

from rostra.site.answers import RefusedError
from rostra.site.database.tables.people import Account
from rostra.site.mastodon.body import Asked
from rostra.site.mastodon.entities.account import accounts
from rostra.site.pages.browser import Browser, Member, MembersForm, remember_language
from rostra.site.pages.languages import LANGUAGES
from rostra.site.pages.refusals import told
from rostra.site.people import lookup, profile
from rostra.site.people.profile import Changes
from rostra.site.timelines import filters

router = APIRouter(prefix="/settings", include_in_schema=False)
_FILTER_CONTEXTS: Final = ("home", "notifications", "public", "thread", "account")


@router.get("")
async def begin(browser: Member) -> Response:
    return browser.go("/settings/profile")


@router.get("/profile")
async def show_profile(browser: Member) -> Response:
    return await _profile_page(browser)


@router.post("/profile")
async def change_profile(form: MembersForm) -> Response:
    browser, asked = form.browser, form.asked
    fields = [
        (asked.text(f"name_{n}").strip(), asked.text(f"value_{n}").strip()) for n in range(profile.FIELDS_MAX)
    ]
    uploads = {name: asked.upload(name) for name in ("avatar", "header")}
    chosen: dict[str, Any] = {name: file for name, file in uploads.items() if file is not None and file.filename}
    changes = Changes(
        display_name=asked.text("display_name"),
        note=asked.text("note"),
        fields=[each for each in fields if any(each)],
        avatar_description=asked.text("avatar_description"),
        header_description=asked.text("header_description"),
        locked=asked.flag("locked"),
        bot=asked.flag("bot"),
        discoverable=asked.flag("discoverable"),
        indexable=asked.flag("indexable"),
        hide_collections=asked.flag("hide_collections"),
        **chosen,
    )
    try:
        await profile.change(browser.site, browser.account_id, changes)
        for picture in ("avatar", "header"):
            if asked.flag(f"remove_{picture}") and picture not in chosen:
                await profile.remove_picture(browser.site, browser.account_id, picture)
    except RefusedError as error:
        if error.status != HTTPStatus.UNPROCESSABLE_ENTITY:
            raise
        return await _profile_page(browser, told(browser.gettext, error.message), asked)
    return browser.go("/settings/profile", "saved")


@router.get("/preferences")
async def show_preferences(browser: Member) -> Response:
    zones = sorted(
        zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "posix/", "right/"))
    )
    return browser.page("settings/preferences.html", zones=["UTC", *zones])


@router.post("/preferences")
async def change_preferences(form: MembersForm) -> Response:
    browser, asked = form.browser, form.asked
    locale, zone = asked.text("locale"), asked.text("time_zone")
    changes = Changes(
        privacy=asked.text("privacy"), sensitive=asked.flag("sensitive"), language=asked.text("language")
    )
    await profile.change(browser.site, browser.account_id, changes)
    async with browser.site.writing() as work:
        user = await lookup.user(work, browser.account_id)
        if locale in LANGUAGES:
            user.locale = locale
            remember_language(browser, locale)
        if zone in available_timezones():
            user.time_zone = zone
    return browser.go("/settings/preferences", "saved")


@router.get("/filters")
async def show_filters(browser: Member) -> Response:
    return await _filters_page(browser)


@router.post("/filters")
async def add_filter(form: MembersForm) -> Response:
    browser, asked = form.browser, form.asked
    words = [line.strip() for line in asked.text("keywords").splitlines() if line.strip()]
    try:
        async with browser.site.writing() as work:
            await filters.create(
                work,
                browser.account_id,
                title=asked.text("title"),
                contexts=[each for each in _FILTER_CONTEXTS if each in asked.texts("contexts")],
                action="hide" if asked.flag("hide") else "warn",
                keywords=[filters.Keyword(None, word, whole_word=True) for word in words],
            )
    except RefusedError as error:
        return await _filters_page(browser, told(browser.gettext, error.message))
    return browser.go("/settings/filters", "saved")


@router.post("/filters/{filter_id}/remove")
async def remove_filter(form: MembersForm, filter_id: int) -> Response:
    async with form.browser.site.writing() as work:
        await filters.remove(work, form.browser.account_id, filter_id)
    return form.browser.go("/settings/filters", "deleted")


async def _profile_page(browser: Browser, error: str = "", asked: Asked | None = None) -> Response:
    async with browser.site.reading() as work:
        account = await lookup.account(work, browser.account_id)
        (person,) = await accounts(work, [account])
    return browser.page(
        "settings/profile.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK,
        person=person,
        values=_values(account, asked),
        error=error,
    )


def _values(account: Account, asked: Asked | None) -> dict[str, Any]:
    """What the form is filled with: what is kept, or what was sent and refused."""
    fields = [(each["name"], each["value"]) for each in account.fields]
    values: dict[str, Any] = {"display_name": account.display_name, "note": account.note}
    if asked is not None:
        fields = [(asked.text(f"name_{n}"), asked.text(f"value_{n}")) for n in range(profile.FIELDS_MAX)]
        values = {name: asked.text(name) for name in values}
    blanks = [("", "")] * (profile.FIELDS_MAX - len(fields))
    return values | {"fields": [*fields, *blanks]}


async def _filters_page(browser: Browser, error: str = "") -> Response:
    async with browser.site.reading() as work:
        found = await filters.filters(work, browser.account_id)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK
    return browser.page("settings/filters.html", status=status, filters=found, error=error)
