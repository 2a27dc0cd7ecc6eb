"""The queue of reports over Mastodon's API: who works on what, and what is done with."""

from typing import Annotated

from fastapi import APIRouter, Request
from sqlalchemy import select

from rostra.site.answers import Json
from rostra.site.app import TheSite
from rostra.site.database.tables.moderation import Report
from rostra.site.mastodon.body import Asked, Id, asks
from rostra.site.mastodon.entities.admin import AdminReportEntity, admin_reports
from rostra.site.mastodon.paging import PAGING, links, page_of
from rostra.site.mastodon.routes.admin_accounts import moderator
from rostra.site.moderation import reports
from rostra.site.moderation.moderators import Moderator
from rostra.site.snowflake import parse_snowflake
from rostra.site.work import Site

router = APIRouter(prefix="/api/v1/admin/reports", tags=["admin"])
_LIMIT, _LIMIT_MAX = 100, 200
_Reader = Annotated[Moderator, moderator("admin:read:reports")]
_Writer = Annotated[Moderator, moderator("admin:write:reports")]


@router.get("", response_model=list[AdminReportEntity])
async def list_reports(
    request: Request,
    site: TheSite,
    asked: Annotated[Asked, asks(PAGING, resolved=bool, unresolved=bool, account_id=Id, target_account_id=Id)],
    by: _Reader,
) -> Json:
    """Those that wait; `resolved` gives the others, and both together all."""
    page = page_of(asked, limit=_LIMIT, limit_max=_LIMIT_MAX)
    resolved, unresolved = asked.flag("resolved"), asked.flag("unresolved")
    query = select(Report)
    if not (resolved and unresolved):
        taken = Report.action_taken_at
        query = query.where(taken.is_not(None) if resolved else taken.is_(None))
    for name, column in (("account_id", Report.account_id), ("target_account_id", Report.target_account_id)):
        wanted = asked.optional_id(name)
        if wanted is not None:
            query = query.where(column == wanted)
    async with site.reading() as work:
        rows = page.ordered((await work.session.scalars(page.of(query, Report.id))).all())
        entities = await admin_reports(work, rows, by.account_id)
    return Json(entities, headers=links(request, site.settings.url, page, [row.id for row in rows]))


@router.get("/{report_id}", response_model=AdminReportEntity)
async def show(site: TheSite, report_id: str, by: _Reader) -> Json:
    return await _answer(site, parse_snowflake(report_id) or -1, by)


async def _answer(site: Site, report_id: int, by: Moderator) -> Json:
    async with site.reading() as work:
        (entity,) = await admin_reports(work, [await reports.find(work, report_id)], by.account_id)
        return Json(entity)


@router.post("/{report_id}/assign_to_self", response_model=AdminReportEntity)
async def assign_to_self(site: TheSite, report_id: str, by: _Writer) -> Json:
    async with site.writing() as work:
        row = await reports.assign(work, by, parse_snowflake(report_id) or -1, to_self=True)
    return await _answer(site, row.id, by)


@router.post("/{report_id}/unassign", response_model=AdminReportEntity)
async def unassign(site: TheSite, report_id: str, by: _Writer) -> Json:
    async with site.writing() as work:
        row = await reports.assign(work, by, parse_snowflake(report_id) or -1, to_self=False)
    return await _answer(site, row.id, by)


@router.post("/{report_id}/resolve", response_model=AdminReportEntity)
async def resolve(site: TheSite, report_id: str, by: _Writer) -> Json:
    async with site.writing() as work:
        row = await reports.reject(work, by, parse_snowflake(report_id) or -1)
    return await _answer(site, row.id, by)


@router.post("/{report_id}/reopen", response_model=AdminReportEntity)
async def reopen(site: TheSite, report_id: str, by: _Writer) -> Json:
    async with site.writing() as work:
        row = await reports.reopen(work, by, parse_snowflake(report_id) or -1)
    return await _answer(site, row.id, by)
