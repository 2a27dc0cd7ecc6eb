"""Reports over Mastodon's API: somebody reports an account, with posts of it."""

from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy import select

from rostra.site.answers import Json
from rostra.site.app import TheSite
from rostra.site.database.tables.posts import Status
from rostra.site.mastodon.body import Asked, Id, asks
from rostra.site.mastodon.entities.moderation import ReportEntity, reports
from rostra.site.moderation.reports import Notifier, report
from rostra.site.moderation.targets import Target, of_account, of_statuses
from rostra.site.oauth.bearer import Viewer, signed_in
from rostra.site.people import lookup
from rostra.site.posts.visibility import may_see
from rostra.site.work import Work

router = APIRouter(tags=["reports"])


@router.post("/api/v1/reports", response_model=ReportEntity)
@router.post("/api/v1/reports/", response_model=ReportEntity, include_in_schema=False)
async def file_report(
    site: TheSite,
    asked: Annotated[
        Asked, asks(rule_ids=[Id], category=str, status_ids=[Id], account_id=Id, comment=str, forward=bool)
    ],
    viewer: Annotated[Viewer, Depends(signed_in("write:reports"))],
) -> Json:
    rule_ids = asked.ids("rule_ids")
    category = asked.text("category") or ("violation" if rule_ids else "other")
    async with site.writing() as work:
        account = await lookup.account(work, asked.optional_id("account_id") or -1)
        targets = await _targets(work, account.id, asked.ids("status_ids"), viewer)
        row = await report(
            work,
            Notifier(viewer.account_id, locale=viewer.locale, source="user"),
            targets,
            category=category,
            comment=asked.text("comment"),
            rule_ids=rule_ids,
            good_faith=category == "legal",
            forwarded=asked.flag("forward"),
        )
    async with site.reading() as work:
        (entity,) = await reports(work, [row])
        return Json(entity)


async def _targets(work: Work, account_id: int, status_ids: list[int], viewer: Viewer) -> list[Target]:
    """The posts of the account among `status_ids` that the viewer may see; the account itself if there are none."""
    visible = select(Status.id).where(
        Status.id.in_(status_ids), Status.account_id == account_id, may_see(Status, viewer.account_id, work.now)
    )
    found = await of_statuses(work, await work.session.scalars(visible))
    if found:
        return found
    account = await of_account(work, account_id)
    assert account is not None
    return [account]
