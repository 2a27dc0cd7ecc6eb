"""Decisions: each is one row with its statement of reasons, restrictions with a beginning, and all that follows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from rostra.site.answers import RefusedError, forbidden, invalid, not_found
from rostra.site.database.tables.moderation import Decision, DecisionTarget, Report, ReportTarget, Restriction
from rostra.site.database.tables.people import Account
from rostra.site.mastodon.entities.instants import optional, written
from rostra.site.moderation import log, reports
from rostra.site.moderation.actions import ACTIONS, REINSTATE, Action
from rostra.site.moderation.effects import follow_up
from rostra.site.moderation.moderators import Moderator, outranks, role_of
from rostra.site.moderation.reasons import NOT_AUTOMATED, Reasons, check_names_nobody, source_of, statement_of
from rostra.site.moderation.restrictions import is_in_force
from rostra.site.moderation.targets import Target
from rostra.site.pages.languages import N_
from rostra.site.work import Work

APPEAL_WINDOW: Final = timedelta(days=183)  # art. 20(1): at least six months
LABEL_LENGTH_MAX: Final = 200
_GROUNDS: Final = frozenset({"illegal", "terms"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a moderator has decided. `targets` are all of `account_id` and of one kind; `ends_at` empty: no end."""

    action: str
    account_id: int
    targets: tuple[Target, ...]
    reasons: Reasons
    report_id: int | None = None
    ends_at: datetime | None = None
    label: str = ""
    send_email: bool = True


async def decide(work: Work, by: Moderator, verdict: Verdict) -> Decision:
    """Carry out a verdict.

    RefusedError: 403 over somebody whom `by` may not judge, 404 for nobody, 409 if somebody else was faster (the
    report is resolved, the restriction in force), 422 for what is no complete statement of reasons.
    """
    account = await _locked(work, verdict.account_id)
    if not outranks(by, await role_of(work, account.id)) or account.id == by.account_id:
        raise forbidden()
    action = _checked(work, verdict)
    report = None if verdict.report_id is None else await _open_report(work, verdict.report_id, account.id)
    decision = _row(work, by, verdict, report)
    if action.restricts is not None:
        if decision.ground not in _GROUNDS:
            raise invalid("Validation failed: Ground is not included in the list")
        check_names_nobody(decision.facts, [account.username, account.display_name])
        statement_of(decision, [target.id for target in verdict.targets])
        await _check_new(work, action.restricts, verdict)
    work.session.add(decision)
    await work.session.flush()
    restrictions = await _restrict(work, decision, action, verdict)
    settled = await _settled(work, verdict)
    if action.restricts is not None:
        work.witness("manual", "site", "moderator", by.account_id, text=decision.action)
    await log.append(work, "decided", sealed_subject(decision), by=by.account_id)
    for each in settled:
        await reports.close(work, each, by=by, outcome="acted", decision_id=decision.id)
    await follow_up(work, decision, restrictions, send_email=verdict.send_email)
    return decision


async def lift(
    work: Work, by: Moderator, restrictions: Sequence[Restriction], why: str, *, overrules: Decision | None = None
) -> Decision:
    """Reinstate: end these restrictions of one account now. A decision of its own; what was decided stays written.

    `overrules` is the decision that an appeal has reversed. RefusedError (409) if there is nothing to lift.
    """
    if not restrictions:
        raise RefusedError(HTTPStatus.CONFLICT, N_("Nothing is in force that could be lifted"))
    first = await work.session.get_one(Decision, restrictions[0].decision_id)
    account = await _locked(work, first.target_account_id)
    if overrules is None and not outranks(by, await role_of(work, account.id)):
        raise forbidden()
    in_force = [each for each in restrictions if await _is_open(work, each)]
    if not in_force:
        raise RefusedError(HTTPStatus.CONFLICT, N_("Somebody has lifted this already"))
    decision = Decision(
        id=work.make_id(),
        action=REINSTATE,
        target_account_id=account.id,
        ground=first.ground,
        legal_ground=first.legal_ground,
        explanation=why,
        facts="",
        category=first.category,
        source_type="SOURCE_VOLUNTARY",
        automated_decision=NOT_AUTOMATED,
        territorial_scope=first.territorial_scope,
        content_types=first.content_types,
        decided_by_id=by.account_id,
        decided_at=work.now,
        appeal_until=work.now,
    )
    work.session.add(decision)
    await work.session.flush()
    for restriction in in_force:
        restriction.lifted_at = work.now
        restriction.lift_decision_id = decision.id
        work.session.add(_target_row(work, decision, restriction.target_kind, restriction.target_id, ""))
    if overrules is not None:
        overrules.overruled_at, overrules.overruled_by_id = work.now, decision.id
    lifted = [str(each.id) for each in in_force]
    await log.append(work, "reinstated", {**sealed_subject(decision), "lifts": lifted}, by=by.account_id)
    await follow_up(work, decision, in_force)
    return decision


def sealed_subject(decision: Decision) -> dict[str, str]:
    """How the log names a decision: with the hash of everything about it that never changes."""
    return {
        "decision": str(decision.id),
        "sealed": log.hash_of({
            "action": decision.action,
            "account": str(decision.target_account_id),
            "ground": decision.ground,
            "legal_ground": decision.legal_ground,
            "explanation": decision.explanation,
            "facts": decision.facts,
            "category": decision.category,
            "source": decision.source_type,
            "automated": [decision.automated_detection, decision.automated_decision],
            "territory": decision.territorial_scope,
            "ends_at": optional(decision.ends_at),
            "at": written(decision.decided_at),
            "appeal_until": written(decision.appeal_until),
        }),
    }  # fmt: skip


async def find(work: Work, decision_id: int) -> Decision:
    found = await work.session.get(Decision, decision_id)
    if found is None:
        raise not_found()
    return found


async def targets_of(session: AsyncSession, decision_ids: Iterable[int]) -> dict[int, list[DecisionTarget]]:
    found: dict[int, list[DecisionTarget]] = {each: [] for each in decision_ids}
    query = select(DecisionTarget).where(DecisionTarget.decision_id.in_(found)).order_by(DecisionTarget.id)
    for target in await session.scalars(query):
        found[target.decision_id].append(target)
    return found


async def open_restrictions(
    work: Work, target_kind: str, target_id: int, kinds: Iterable[str]
) -> Sequence[Restriction]:
    query = select(Restriction).where(
        Restriction.target_kind == target_kind,
        Restriction.target_id == target_id,
        Restriction.kind.in_(list(kinds)),
        is_in_force(work.now),
    )
    return (await work.session.scalars(query)).all()


# --- the steps of a decision -----------------------------------------------------------------------------------


async def _locked(work: Work, account_id: int) -> Account:
    """The account, which nobody else decides about until this change is kept."""
    found = await work.session.scalar(
        select(Account).where(Account.id == account_id).with_for_update(key_share=True)
    )
    if found is None or found.deleted_at is not None:
        raise not_found()
    return found


def _checked(work: Work, verdict: Verdict) -> Action:
    action = ACTIONS.get(verdict.action)
    if action is None:
        raise invalid("Validation failed: Type is not included in the list")
    kinds = {target.kind for target in verdict.targets}
    if len(kinds) != 1 or not kinds <= action.on:
        raise invalid(f"Validation failed: {verdict.action} is for {' or '.join(sorted(action.on))}")
    if any(target.account_id != verdict.account_id for target in verdict.targets):
        raise invalid("Validation failed: What is decided about belongs to one account")
    if verdict.ends_at is not None and verdict.ends_at <= work.now:
        raise invalid("Validation failed: The end is in the past")
    if (verdict.action == "label") != bool(verdict.label.strip()) or len(verdict.label) > LABEL_LENGTH_MAX:
        raise invalid(f"Validation failed: A label has 1 to {LABEL_LENGTH_MAX} characters")
    if verdict.action == "remove" and verdict.ends_at is not None:
        raise invalid("Validation failed: What is removed for a time is hidden")
    return action


async def _open_report(work: Work, report_id: int, account_id: int) -> Report:
    report = await reports.find(work, report_id, change=True)
    if report.target_account_id != account_id:
        raise not_found()
    if report.action_taken_at is not None:
        raise RefusedError(HTTPStatus.CONFLICT, N_("Somebody has resolved this report already"))
    return report


def _row(work: Work, by: Moderator, verdict: Verdict, report: Report | None) -> Decision:
    reasons = verdict.reasons
    return Decision(
        id=work.make_id(),
        action=verdict.action,
        target_account_id=verdict.account_id,
        report_id=verdict.report_id,
        ground=reasons.ground,
        legal_ground=reasons.legal_ground,
        rule_id=reasons.rule_id,
        explanation=reasons.explanation,
        facts=reasons.facts,
        category=reasons.category,
        source_type=source_of(report),
        automated_detection=reasons.automated_detection,
        automated_decision=reasons.automated_decision,
        territorial_scope=list(reasons.territory),
        content_types=sorted({each for target in verdict.targets for each in target.content_types}),
        ends_at=verdict.ends_at,
        decided_by_id=by.account_id,
        decided_at=work.now,
        appeal_until=work.now + APPEAL_WINDOW,
    )


async def _check_new(work: Work, kind: str, verdict: Verdict) -> None:
    """RefusedError (409) if every target is restricted so already, and for as long."""
    for target in verdict.targets:
        in_force = await open_restrictions(work, target.kind, target.id, [kind])
        if kind == "label" or not any(_lasts(each, verdict.ends_at) for each in in_force):
            return
    raise RefusedError(HTTPStatus.CONFLICT, N_("That is in force already, and for as long"))


def _lasts(restriction: Restriction, until: datetime | None) -> bool:
    return restriction.ends_at is None or (until is not None and restriction.ends_at >= until)


async def _restrict(work: Work, decision: Decision, action: Action, verdict: Verdict) -> list[Restriction]:
    made = []
    for target in verdict.targets:
        work.session.add(_target_row(work, decision, target.kind, target.id, target.url))
        if action.restricts is not None:
            restriction = Restriction(
                id=work.make_id(),
                kind=action.restricts,
                target_kind=target.kind,
                target_id=target.id,
                decision_id=decision.id,
                starts_at=work.now,
                ends_at=verdict.ends_at,
                label=verdict.label.strip(),
            )
            work.session.add(restriction)
            made.append(restriction)
    await work.session.flush()
    return made


def _target_row(work: Work, decision: Decision, kind: str, target_id: int, url: str) -> DecisionTarget:
    return DecisionTarget(id=work.make_id(), decision_id=decision.id, kind=kind, target_id=target_id, url=url)


async def _settled(work: Work, verdict: Verdict) -> Sequence[Report]:
    """What is decided about the account settles all reports of it; about a post, those of that post."""
    open_ = select(Report).where(Report.target_account_id == verdict.account_id, Report.action_taken_at.is_(None))
    if verdict.action == "none":
        open_ = open_.where(Report.id == (verdict.report_id or 0))
    elif verdict.targets[0].kind != "account":
        about = select(ReportTarget.report_id).where(
            ReportTarget.kind == verdict.targets[0].kind,
            ReportTarget.target_id.in_([target.id for target in verdict.targets]),
        )
        open_ = open_.where(Report.id.in_(about) | (Report.id == (verdict.report_id or 0)))
    return (await work.session.scalars(open_.order_by(Report.id).with_for_update())).all()


async def _is_open(work: Work, restriction: Restriction) -> bool:
    await work.session.refresh(restriction)
    ended = restriction.ends_at is not None and restriction.ends_at <= work.now
    return restriction.lifted_at is None and not ended
