"""For whom a decision is about: its statement of reasons and the appeal, also for who can no longer log in."""

from fastapi import APIRouter, Response
from sqlalchemy import select

from rostra.site.answers import RefusedError, not_found
from rostra.site.database.tables.moderation import Decision, Report
from rostra.site.moderation import appeals, decisions, reports, words
from rostra.site.moderation.actions import REINSTATE
from rostra.site.moderation.appeals import Subject
from rostra.site.moderation.decisions import APPEAL_WINDOW
from rostra.site.pages.browser import AnyForm, Browser, Member, TheBrowser

router = APIRouter(include_in_schema=False)


@router.get("/settings/decisions")
async def show_own(browser: Member) -> Response:
    """Every decision about one's account, and what came of what one has reported."""
    async with browser.site.reading() as work:
        against = select(Decision).where(Decision.target_account_id == browser.account_id)
        rows = (await work.session.scalars(against.order_by(Decision.id.desc()))).all()
        mine = select(Report).where(Report.account_id == browser.account_id).order_by(Report.id.desc()).limit(50)
        ids = [row.id for row in rows]
        return browser.page(
            "moderation/own.html",
            headers={"Cache-Control": "no-store"},
            decisions=rows,
            targets=await decisions.targets_of(work.session, ids),
            appeals=await appeals.of_decisions(work, ids),
            reports=(await work.session.scalars(mine)).all(),
            window=APPEAL_WINDOW,
            words=words,
        )


@router.post("/settings/decisions/{kind}/{number}/appeal")
async def appeal_own(form: AnyForm, kind: str, number: int) -> Response:
    """Not for members' forms only: who is suspended may appeal, and nothing else."""
    browser = form.browser
    if kind not in {"decision", "report"}:
        raise not_found()
    async with browser.site.writing() as work:
        subject = Subject(kind, number)
        await appeals.appeal(work, subject, form.asked.text("text"), account_id=browser.account_id)
    return browser.go("/settings/decisions", "appealed")


@router.get("/appeal/{code}")
async def begin_appeal(browser: TheBrowser, code: str) -> Response:
    return await _appeal_page(browser, code)


@router.post("/appeal/{code}")
async def appeal_by_link(form: AnyForm, code: str) -> Response:
    browser, text = form.browser, form.asked.text("text")
    subject = _subject(browser, code)
    try:
        async with browser.site.writing() as work:
            await appeals.appeal(work, subject, text)
    except RefusedError as error:
        return await _appeal_page(browser, code, text=text, problem=error)
    return browser.page("moderation/appealed.html", headers={"Cache-Control": "no-store"})


def _subject(browser: Browser, code: str) -> Subject:
    """RefusedError (404) for a link that we did not make."""
    subject = appeals.parse_link_code(code, browser.site.settings.key)
    if subject is None:
        raise not_found()
    return subject


async def _appeal_page(
    browser: Browser, code: str, *, text: str = "", problem: RefusedError | None = None
) -> Response:
    subject = _subject(browser, code)
    async with browser.site.reading() as work:
        decision = report = None
        if subject.kind == "decision":
            decision = await decisions.find(work, subject.id)
            if decision.action == REINSTATE:
                raise not_found()
        else:
            report = await reports.find(work, subject.id)
    return browser.page(
        "moderation/appeal.html",
        headers={"Cache-Control": "no-store"},
        code=code,
        decision=decision,
        report=report,
        text=text,
        problem=problem,
        words=words,
    )
