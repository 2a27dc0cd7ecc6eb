"""How often somebody was decided against, and how often somebody reported in vain (art. 23): counted, not kept."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import func, select

from rostra.site.database.tables.moderation import Decision, Report
from rostra.site.moderation.actions import REINSTATE
from rostra.site.work import Work

WINDOW: Final = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Standing:
    """Of the last year: decisions against an account that still hold good, and those that were overruled."""

    decisions: int
    overruled: int
    reports: int


@dataclass(frozen=True, slots=True)
class NotifierStanding:
    """Of the last year: what somebody has reported, what led to a decision, and what was rejected."""

    reports: int
    acted: int
    rejected: int

    @property
    def often_in_vain(self) -> bool:
        """Art. 23(2): "frequently" and mostly unfounded. Who decides may look at the others first."""
        return self.rejected >= 5 and self.rejected > 4 * self.acted


async def standing(work: Work, account_id: int) -> Standing:
    against = select(func.count(), func.count(Decision.overruled_at)).where(
        Decision.target_account_id == account_id,
        Decision.action != REINSTATE,
        Decision.decided_at > work.now - WINDOW,
    )
    decided, overruled = (await work.session.execute(against)).one()
    reported = (
        select(func.count())
        .select_from(Report)
        .where(Report.target_account_id == account_id, Report.created_at > work.now - WINDOW)
    )
    return Standing(decided - overruled, overruled, await work.session.scalar(reported) or 0)


async def notifier_standing(work: Work, report: Report) -> NotifierStanding:
    """Of who made `report`: the account, or whoever gave that e-mail address."""
    who = (
        Report.notifier_email == report.notifier_email
        if report.account_id is None
        else Report.account_id == report.account_id
    )
    if report.account_id is None and not report.notifier_email:
        return NotifierStanding(1, int(report.outcome == "acted"), int(report.outcome == "rejected"))
    query = (
        select(Report.outcome, func.count())
        .where(who, Report.created_at > work.now - WINDOW)
        .group_by(Report.outcome)
    )
    counts = {row[0]: row[1] for row in await work.session.execute(query)}
    return NotifierStanding(sum(counts.values()), counts.get("acted", 0), counts.get("rejected", 0))
