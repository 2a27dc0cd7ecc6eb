"""For everybody: the form for a notice (art. 16), what was decided (transparency), and statements as data."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final

from fastapi import APIRouter, Response

from rostra.site.answers import Json, RefusedError, invalid
from rostra.site.app import TheSite
from rostra.site.mastodon.body import Asked, Body
from rostra.site.moderation import letters, reports, transparency, words
from rostra.site.moderation.targets import Target, resolve
from rostra.site.pages.browser import AnyForm, Browser, TheBrowser
from rostra.site.pages.languages import N_
from rostra.site.snowflake import parse_snowflake
from rostra.site.work import Work

router = APIRouter(include_in_schema=False)
_ADDRESSES_MAX: Final = 20
_ADDRESS_LENGTH_MAX: Final = 2000
_NAME_LENGTH_MAX: Final = 200
_EMAIL_LENGTH_MAX: Final = 254


@router.get("/notice")
async def begin_notice(browser: TheBrowser, asked: Body) -> Response:
    """`url` is the page that somebody came from: filled in if there is something on it that can be reported."""
    url = asked.text("url")[:_ADDRESS_LENGTH_MAX]
    async with browser.site.reading() as work:
        found = await resolve(work, url)
    return _notice_page(browser, {"addresses": "" if found is None else url}, HTTPStatus.OK)


@router.post("/notice")
async def give_notice(form: AnyForm) -> Response:
    browser, asked = form.browser, form.asked
    try:
        notifier = _notifier(browser, asked)
        async with browser.site.writing() as work:
            made = await reports.notice(
                work,
                notifier,
                await _targets(work, asked.text("addresses")),
                category="legal" if asked.text("kind", "legal") == "legal" else "other",
                comment=asked.text("comment").strip(),
                good_faith=asked.flag("good_faith"),
                child_abuse=asked.flag("child_abuse"),
            )
    except RefusedError as error:
        return _notice_page(browser, asked.values, error.status, problem=error)
    return browser.page("moderation/noticed.html", reports=made, email=notifier.email)


async def _targets(work: Work, addresses: str) -> list[Target]:
    """RefusedError (422) that names the first address at which there is nothing of this site."""
    lines = [line.strip() for line in addresses.splitlines() if line.strip()]
    if len(lines) > _ADDRESSES_MAX:
        raise invalid(f"Give at most {_ADDRESSES_MAX} addresses at a time")
    found = []
    for line in lines:
        target = await resolve(work, line[:_ADDRESS_LENGTH_MAX])
        if target is None:
            raise invalid(
                N_("There is nothing of this site at one of the addresses"), details={"addresses": [line[:200]]}
            )
        found.append(target)
    return found


def _notifier(browser: Browser, asked: Asked) -> reports.Notifier:
    name, email = asked.text("name").strip(), asked.text("email").strip()
    if len(name) > _NAME_LENGTH_MAX or len(email) > _EMAIL_LENGTH_MAX or not (name + email).isprintable():
        raise invalid(N_("A name has at most 200 characters, an e-mail address 254"))
    viewer = browser.viewer
    return reports.Notifier(
        account_id=None if viewer is None else viewer.account_id,
        name=name,
        email=email,
        locale=browser.language,
        source="anonymous" if viewer is None else "user",
    )


def _notice_page(
    browser: Browser, values: dict[str, Any] | Any, status: HTTPStatus, problem: RefusedError | None = None
) -> Response:
    given = {
        name: str(values.get(name) or "")
        for name in ("addresses", "comment", "name", "email", "good_faith", "child_abuse", "kind")
    }
    details = {} if problem is None or problem.details is None else dict(problem.details)
    return browser.page(
        "moderation/notice.html",
        status=status,
        headers={"Cache-Control": "no-store"},
        values=given,
        missing=frozenset(details),
        problem=problem,
        kinds={"legal": words.REPORTED["legal"], "other": words.REPORTED["violation"]},
    )


# --- what was decided --------------------------------------------------------------------------------------------


@router.get("/transparency")
async def show_transparency(browser: TheBrowser, asked: Body) -> Response:
    async with browser.site.reading() as work:
        return browser.page(
            "moderation/transparency.html",
            figures=await transparency.figures(work, *_period(asked, work.now)),
            decisions=await transparency.public_decisions(work, before=parse_snowflake(asked.text("before"))),
            letters=await letters.all_of_them(work, only_public=True),
            page_size=transparency.DECISIONS_MAX,
            words=words,
        )


@router.get("/transparency.json")
async def give_transparency(site: TheSite, asked: Body) -> Response:
    async with site.reading() as work:
        body = {
            "figures": await transparency.figures(work, *_period(asked, work.now)),
            "decisions": await transparency.public_decisions(work, before=parse_snowflake(asked.text("before"))),
            "letters": [
                {
                    "id": str(row.id),
                    "authority": row.authority,
                    "country": row.country,
                    "kind": row.kind,
                    "reference": row.reference,
                    "received_at": row.received_at,
                    "text": row.text,
                    "reply": row.reply,
                    "replied_at": row.replied_at,
                    "effect": row.effect,
                }
                for row in await letters.all_of_them(work, only_public=True)
            ],
        }
    return Json(body, headers={"Cache-Control": "public, max-age=60", "Access-Control-Allow-Origin": "*"})


def _period(asked: Asked, now: datetime) -> tuple[datetime, datetime]:
    """The year that was asked for, or this one."""
    year = asked.integer("year", now.year)
    if not 2020 <= year <= now.year:
        raise invalid(N_("There is nothing of that year"))
    return datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
