"""What anybody may know: every decision without names, counts, medians, letters (arts. 15, 24(1), 24(5))."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from statistics import median
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute
from typing_extensions import TypedDict

from rostra.core.errors import BadInputError
from rostra.site.database.engine import Database
from rostra.site.database.tables.moderation import Appeal, AuthorityLetter, Decision, Report, Restriction
from rostra.site.mastodon.entities.instants import optional, written
from rostra.site.moderation import decisions as deciding
from rostra.site.moderation.actions import ACTIONS, REINSTATE
from rostra.site.moderation.reasons import statement_of
from rostra.site.moderation.statement import Statement
from rostra.site.work import Work

DECISIONS_MAX: Final = 100  # on a page


class PublicDecision(TypedDict):
    """One decision, without who it was about. `lifted_by` is the number of the decision that ended it early."""

    id: str
    decided_at: str
    action: str
    ground: str
    legal_ground: str
    category: str
    facts: str
    source: str
    automated_detection: bool
    automated_decision: str
    content_types: list[str]
    territory: list[str]
    ends_at: str | None
    lifted_at: str | None
    lifted_by: str | None
    lifts: list[str]
    overruled: bool


class Figures(TypedDict):
    """The counts of a period. Medians are hours; null where there was nothing."""

    since: str
    until: str
    reports: dict[str, int]
    reports_by_source: dict[str, int]
    reports_rejected: int
    report_median_hours: float | None
    decisions: dict[str, int]
    decisions_by_ground: dict[str, int]
    decisions_by_category: dict[str, int]
    own_initiative: int
    automated: dict[str, int]
    reinstatements: int
    appeals: int
    appeals_by_outcome: dict[str, int]
    appeal_median_hours: float | None
    letters: dict[str, int]
    letter_median_hours: float | None


async def figures(work: Work, since: datetime, until: datetime) -> Figures:
    """The numbers of an annual report (art. 24(1)), or of any other time; by the instant at which each began."""
    reported = _between(Report.created_at, since, until)
    decided = _between(Decision.decided_at, since, until)
    restricting = decided & (Decision.action != REINSTATE)
    appealed = _between(Appeal.created_at, since, until)
    received = _between(AuthorityLetter.received_at, since, until)
    rejected = select(func.count()).select_from(Report).where(reported, Report.outcome == "rejected")
    voluntary = (
        select(func.count()).select_from(Decision).where(restricting, Decision.source_type == "SOURCE_VOLUNTARY")
    )
    reinstated = select(func.count()).select_from(Decision).where(decided, Decision.action == REINSTATE)
    outcomes = await _counts(work, Appeal.outcome, appealed & Appeal.outcome.is_not(None))
    return Figures(
        since=written(since),
        until=written(until),
        reports=await _counts(work, Report.category, reported),
        reports_by_source=await _counts(work, Report.source, reported),
        reports_rejected=await work.session.scalar(rejected) or 0,
        report_median_hours=await _median(
            work,
            select(Report.created_at, Report.action_taken_at).where(reported, Report.action_taken_at.is_not(None)),
        ),
        decisions=await _counts(work, Decision.action, restricting),
        decisions_by_ground=await _counts(work, Decision.ground, restricting),
        decisions_by_category=await _counts(work, Decision.category, restricting),
        own_initiative=await work.session.scalar(voluntary) or 0,
        automated=await _counts(work, Decision.automated_decision, restricting),
        reinstatements=await work.session.scalar(reinstated) or 0,
        appeals=await work.session.scalar(select(func.count()).select_from(Appeal).where(appealed)) or 0,
        appeals_by_outcome=outcomes,
        appeal_median_hours=await _median(
            work, select(Appeal.created_at, Appeal.decided_at).where(appealed, Appeal.decided_at.is_not(None))
        ),
        letters=await _counts(work, AuthorityLetter.kind, received),
        letter_median_hours=await _median(
            work,
            select(AuthorityLetter.received_at, AuthorityLetter.replied_at).where(
                received, AuthorityLetter.replied_at.is_not(None)
            ),
        ),
    )


async def public_decisions(
    work: Work, *, before: int | None = None, limit: int = DECISIONS_MAX
) -> list[PublicDecision]:
    """The newest first, reinstatements among them: a ban and its lifting stand side by side."""
    query = select(Decision).where(Decision.action != "none").order_by(Decision.id.desc()).limit(limit)
    rows = (await work.session.scalars(query if before is None else query.where(Decision.id < before))).all()
    intervals = await _intervals(work, [row.id for row in rows])
    return [_public(row, intervals) for row in rows]


async def _intervals(work: Work, ids: Sequence[int]) -> Sequence[Restriction]:
    """What these decisions restricted, or lifted."""
    query = select(Restriction).where(Restriction.decision_id.in_(ids) | Restriction.lift_decision_id.in_(ids))
    return (await work.session.scalars(query)).all()


def _public(row: Decision, intervals: Iterable[Restriction]) -> PublicDecision:
    own = [each for each in intervals if each.decision_id == row.id]
    lifted = [each for each in own if each.lifted_at is not None]
    whole = lifted[-1] if own and len(lifted) == len(own) else None
    return PublicDecision(
        id=str(row.id),
        decided_at=written(row.decided_at),
        action=row.action,
        ground=row.ground,
        legal_ground=row.legal_ground,
        category=row.category,
        facts=row.facts,
        source=row.source_type,
        automated_detection=row.automated_detection,
        automated_decision=row.automated_decision,
        content_types=row.content_types,
        territory=row.territorial_scope,
        ends_at=optional(row.ends_at),
        lifted_at=None if whole is None else optional(whole.lifted_at),
        lifted_by=None if whole is None or whole.lift_decision_id is None else str(whole.lift_decision_id),
        lifts=sorted({str(each.decision_id) for each in intervals if each.lift_decision_id == row.id}),
        overruled=row.overruled_at is not None,
    )


async def statements_of_database(url: str, since: datetime, until: datetime) -> list[Statement]:
    """As `statements`, for a command that runs beside the site. BadInputError if the database cannot be read."""
    database = Database(url)
    try:
        async with database.read() as session:
            return await statements(session, since, until)
    except DBAPIError as error:
        raise BadInputError(f"The site's database cannot be read: {error.orig}.") from error
    finally:
        await database.close()


async def statements(session: AsyncSession, since: datetime, until: datetime) -> list[Statement]:
    """Every statement of reasons of a time, checked against the Transparency Database's rules, the oldest first."""
    query = (
        select(Decision)
        .where(
            _between(Decision.decided_at, since, until),
            Decision.action.in_([name for name, action in ACTIONS.items() if action.statement is not None]),
        )
        .order_by(Decision.id)
    )
    rows = (await session.scalars(query)).all()
    targets = await deciding.targets_of(session, [row.id for row in rows])
    return [statement_of(row, [each.target_id for each in targets[row.id]]) for row in rows]


def _between(column: InstrumentedAttribute[datetime], since: datetime, until: datetime) -> ColumnElement[bool]:
    return (column >= since) & (column < until)


async def _counts(work: Work, column: InstrumentedAttribute[Any], condition: ColumnElement[bool]) -> dict[str, int]:
    query = select(column, func.count()).where(condition).group_by(column).order_by(column)
    return {str(value): count for value, count in await work.session.execute(query)}


async def _median(work: Work, pairs: Select[datetime, datetime | None]) -> float | None:
    """Hours between the two instants of each row. SQLite has no median, and the rows are few."""
    hours = [(until - since).total_seconds() / 3600 for since, until in await work.session.execute(pairs) if until]
    return round(median(hours), 2) if hours else None
