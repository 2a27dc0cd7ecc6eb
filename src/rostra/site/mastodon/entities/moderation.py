"""Report and AccountWarning: what somebody reported, and what was decided about them."""

from collections.abc import Sequence

from typing_extensions import TypedDict

from rostra.site.database.tables.moderation import Appeal, Decision, Report
from rostra.site.mastodon.entities.account import AccountEntity, accounts_by_id
from rostra.site.mastodon.entities.instants import optional, written
from rostra.site.moderation import appeals
from rostra.site.moderation import decisions as deciding
from rostra.site.moderation import reports as reporting
from rostra.site.moderation.actions import ACTIONS
from rostra.site.work import Work

_STATES = {None: "pending", "reversed": "approved", "upheld": "rejected"}


class ReportEntity(TypedDict):
    id: str
    action_taken: bool
    action_taken_at: str | None
    category: str
    comment: str
    forwarded: bool
    created_at: str
    status_ids: list[str] | None
    collection_ids: list[str] | None
    rule_ids: list[str] | None
    target_account: AccountEntity


class AppealEntity(TypedDict):
    text: str
    state: str


class AccountWarningEntity(TypedDict):
    id: str
    action: str
    text: str
    status_ids: list[str] | None
    target_account: AccountEntity
    appeal: AppealEntity | None
    created_at: str


async def reports(work: Work, rows: Sequence[Report]) -> list[ReportEntity]:
    targets = await reporting.targets_of(work, [row.id for row in rows])
    people = await accounts_by_id(work, {row.target_account_id for row in rows})
    return [
        ReportEntity(
            id=str(row.id),
            action_taken=row.action_taken_at is not None,
            action_taken_at=optional(row.action_taken_at),
            category=row.category,
            comment=row.comment,
            forwarded=row.forwarded,
            created_at=written(row.created_at),
            status_ids=[str(each.target_id) for each in targets[row.id] if each.kind == "status"] or None,
            collection_ids=None,
            rule_ids=row.rule_ids or None,
            target_account=people[row.target_account_id],
        )
        for row in rows
    ]


async def account_warnings(work: Work, rows: Sequence[Decision]) -> list[AccountWarningEntity]:
    ids = [row.id for row in rows]
    targets = await deciding.targets_of(work.session, ids)
    appealed = await appeals.of_decisions(work, ids)
    people = await accounts_by_id(work, {row.target_account_id for row in rows})
    return [
        AccountWarningEntity(
            id=str(row.id),
            action=ACTIONS[row.action].warning if row.action in ACTIONS else "none",
            text=row.explanation,
            status_ids=[str(each.target_id) for each in targets[row.id] if each.kind == "status"] or None,
            target_account=people[row.target_account_id],
            appeal=_appeal(appealed.get(row.id)),
            created_at=written(row.decided_at),
        )
        for row in rows
    ]


def _appeal(row: Appeal | None) -> AppealEntity | None:
    return None if row is None else AppealEntity(text=row.text, state=_STATES[row.outcome])
