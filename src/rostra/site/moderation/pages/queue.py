"""For moderators: what was reported, one report with what was seen, and an account's whole history."""

from typing import Any

from fastapi import APIRouter, Response
from sqlalchemy import func, or_, select

from rostra.site.answers import not_found
from rostra.site.database.tables.moderation import Appeal, Decision, Report, ReportNote, Rule
from rostra.site.mastodon.body import Body
from rostra.site.mastodon.entities.account import accounts_by_id
from rostra.site.moderation import decisions, misuse, reports, restrictions, words
from rostra.site.moderation.pages.access import AtDesk, FromDesk
from rostra.site.people import lookup
from rostra.site.snowflake import parse_snowflake
from rostra.site.work import Work

router = APIRouter(prefix="/moderation", include_in_schema=False)
_PAGE = 50


@router.get("")
async def show_queue(desk: AtDesk, asked: Body) -> Response:
    """Those that wait, the oldest first: nobody's notice is forgotten under newer ones."""
    resolved = asked.flag("resolved")
    taken = Report.action_taken_at
    query = (
        select(Report).where(taken.is_not(None)).order_by(taken.desc())
        if resolved
        else select(Report).where(taken.is_(None)).order_by(Report.id)
    )
    after = parse_snowflake(asked.text("after"))
    if after is not None and not resolved:
        query = query.where(Report.id > after)
    async with desk.browser.site.reading() as work:
        rows = (await work.session.scalars(query.limit(_PAGE))).all()
        waiting = select(func.count()).select_from(Appeal).where(Appeal.decided_at.is_(None))
        return desk.browser.page(
            "moderation/queue.html",
            reports=rows,
            targets=await reports.targets_of(work, [row.id for row in rows]),
            people=await _people(work, rows),
            appeals_waiting=await work.session.scalar(waiting) or 0,
            resolved=resolved,
            page_size=_PAGE,
            words=words,
        )


@router.get("/reports/{report_id}")
async def show_report(desk: AtDesk, report_id: int) -> Response:
    async with desk.browser.site.reading() as work:
        row = await reports.find(work, report_id)
        notes = select(ReportNote).where(ReportNote.report_id == row.id).order_by(ReportNote.id)
        rules = select(Rule).where(Rule.id.in_([int(each) for each in row.rule_ids]))
        written = (await work.session.scalars(notes)).all()
        return desk.browser.page(
            "moderation/report.html",
            headers={"Cache-Control": "no-store"},
            report=row,
            targets=(await reports.targets_of(work, [row.id]))[row.id],
            people=await _people(work, [row], extra={note.account_id for note in written}),
            notes=written,
            rules=(await work.session.scalars(rules)).all(),
            standing=await misuse.standing(work, row.target_account_id),
            notifier=await misuse.notifier_standing(work, row),
            words=words,
        )


@router.post("/reports/{report_id}/{act}")
async def change_report(form: FromDesk, report_id: int, act: str) -> Response:
    by = form.moderator
    async with form.browser.site.writing() as work:
        match act:
            case "assign" | "unassign":
                await reports.assign(work, by, report_id, to_self=act == "assign")
            case "note":
                await reports.note(work, by, report_id, form.asked.text("text"))
            case "reject":
                await reports.reject(work, by, report_id)
            case "reopen":
                await reports.reopen(work, by, report_id)
            case _:
                raise not_found()
    return form.browser.go(f"/moderation/reports/{report_id}", "saved")


@router.get("/accounts/{account_id}")
async def show_account(desk: AtDesk, account_id: int) -> Response:
    """Everything that was ever decided about an account, and what is in force now."""
    async with desk.browser.site.reading() as work:
        account = await lookup.account(work, account_id)
        rows = (
            await work.session.scalars(
                select(Decision).where(Decision.target_account_id == account.id).order_by(Decision.id.desc())
            )
        ).all()
        reported = select(Report).where(
            or_(Report.target_account_id == account.id, Report.account_id == account.id)
        )
        intervals = await restrictions.history(work, "account", account.id)
        return desk.browser.page(
            "moderation/account.html",
            headers={"Cache-Control": "no-store"},
            account=account,
            decisions=rows,
            targets=await decisions.targets_of(work.session, [row.id for row in rows]),
            intervals=intervals,
            in_force=(await restrictions.in_force(work, "account", [account.id]))[account.id],
            reports=(await work.session.scalars(reported.order_by(Report.id.desc()).limit(_PAGE))).all(),
            standing=await misuse.standing(work, account.id),
            people=await accounts_by_id(work, {row.decided_by_id for row in rows if row.decided_by_id is not None}),
            words=words,
        )


async def _people(work: Work, rows: Any, extra: set[int] | None = None) -> dict[int, Any]:
    ids = {
        each
        for row in rows
        for each in (row.account_id, row.target_account_id, row.assigned_id, row.action_taken_by_id)
        if each is not None
    }
    return dict(await accounts_by_id(work, ids | (extra or set())))
