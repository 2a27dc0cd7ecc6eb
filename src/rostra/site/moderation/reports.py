"""Reports: notices from anybody (art. 16), with what was seen, and how moderators work through them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Final

from sqlalchemy import select

from rostra.site.answers import RefusedError, forbidden, invalid, not_found
from rostra.site.attention.notify import notify
from rostra.site.database.tables.moderation import Report, ReportNote, ReportTarget, Rule
from rostra.site.moderation import log
from rostra.site.moderation.moderators import Moderator, staff
from rostra.site.moderation.targets import Target
from rostra.site.pages.languages import N_
from rostra.site.work import Work

CATEGORIES: Final = ("spam", "legal", "violation", "other")
COMMENT_LENGTH_MAX: Final = 5000  # art. 16 asks for "sufficiently substantiated" reasons; Mastodon has 1,000
TARGETS_MAX: Final = 100
NOTE_LENGTH_MAX: Final = 2000
_AGAIN: Final = timedelta(minutes=10)  # the same form sent twice is one notice
SEND_RECEIPT: Final = "moderation.send_receipt"
SEND_OUTCOME: Final = "moderation.send_outcome"


@dataclass(frozen=True, slots=True)
class Notifier:
    """Who reports. Without an account: name and e-mail, which only notices of child abuse need not have."""

    account_id: int | None = None
    name: str = ""
    email: str = ""
    locale: str = "en"
    source: str = "anonymous"  # user, anonymous, trusted_flagger, authority


async def report(
    work: Work,
    notifier: Notifier,
    targets: Sequence[Target],
    *,
    category: str,
    comment: str = "",
    rule_ids: Sequence[int] = (),
    good_faith: bool = False,
    forwarded: bool = False,
) -> Report:
    """One report about one account and what is its. `targets` are not empty and all of that account."""
    assert targets
    assert len({target.account_id for target in targets}) == 1
    if category not in CATEGORIES:
        raise invalid("Validation failed: Category is not included in the list")
    if len(comment) > COMMENT_LENGTH_MAX:
        raise invalid(f"Validation failed: Comment is too long (maximum is {COMMENT_LENGTH_MAX} characters)")
    if len(targets) > TARGETS_MAX:
        raise invalid(f"Validation failed: Statuses are too many (maximum is {TARGETS_MAX})")
    await _check_rules(work, category, rule_ids)
    row = Report(
        id=work.make_id(),
        account_id=notifier.account_id,
        notifier_name=notifier.name,
        notifier_email=notifier.email,
        notifier_locale=notifier.locale,
        source=notifier.source,
        category=category,
        comment=comment,
        good_faith=good_faith,
        target_account_id=targets[0].account_id,
        rule_ids=[str(each) for each in rule_ids],
        forwarded=forwarded,
        created_at=work.now,
        updated_at=work.now,
    )
    work.session.add(row)
    await work.session.flush()
    for target in targets:
        work.session.add(
            ReportTarget(
                id=work.make_id(),
                report_id=row.id,
                kind=target.kind,
                target_id=target.id,
                url=target.url,
                snapshot=target.seen,
                snapshot_hash=log.hash_of(target.seen),
            )
        )
    await log.append(
        work,
        "reported",
        {"report": str(row.id), "seen": [log.hash_of(target.seen) for target in targets]},
        by=notifier.account_id,
    )
    if category == "legal":
        work.later(SEND_RECEIPT, {"report_id": str(row.id)})
    reader = notifier.account_id or row.target_account_id
    await notify(work, "admin.report", await staff(work), from_id=reader, report_id=row.id)
    return row


async def notice(
    work: Work,
    notifier: Notifier,
    targets: Sequence[Target],
    *,
    category: str,
    comment: str,
    good_faith: bool,
    child_abuse: bool = False,
) -> list[Report]:
    """What the public form sends: one report for each account that the targets are of.

    RefusedError (422) unless it holds what art. 16(2) asks for. The same one again is the one that is there.
    """
    details = {
        name: [{"error": "ERR_BLANK", "description": description}]
        for name, description, told in (
            ("comment", "say why it is illegal or breaks the rules", bool(comment.strip())),
            ("addresses", "give the exact address", bool(targets)),
            ("name", "give your name", bool(notifier.account_id or notifier.name.strip() or child_abuse)),
            (
                "email",
                "give your e-mail address",
                bool(notifier.account_id or "@" in notifier.email or child_abuse),
            ),
            ("good_faith", "confirm that you believe what you say to be accurate and complete", good_faith),
        )
        if not told
    }
    if details:
        raise invalid(f"Validation failed: {next(iter(details))} is missing", details=details)
    by_account: dict[int, list[Target]] = {}
    for target in {(each.kind, each.id): each for each in targets}.values():
        by_account.setdefault(target.account_id, []).append(target)
    made = []
    for account_id, theirs in by_account.items():
        same = await _same(work, notifier, account_id, comment)
        made.append(
            same or await report(work, notifier, theirs, category=category, comment=comment, good_faith=good_faith)
        )
    return made


async def _same(work: Work, notifier: Notifier, account_id: int, comment: str) -> Report | None:
    return await work.session.scalar(
        select(Report)
        .where(
            Report.target_account_id == account_id,
            Report.account_id.is_(None)
            if notifier.account_id is None
            else Report.account_id == notifier.account_id,
            Report.notifier_email == notifier.email,
            Report.comment == comment,
            Report.created_at > work.now - _AGAIN,
            Report.action_taken_at.is_(None),
        )
        .limit(1)
    )


async def _check_rules(work: Work, category: str, rule_ids: Sequence[int]) -> None:
    if not rule_ids:
        return
    if category != "violation":
        raise invalid("Validation failed: Reported rules must be blank")
    known = await work.session.scalars(select(Rule.id).where(Rule.id.in_(rule_ids), Rule.deleted_at.is_(None)))
    if set(known) != set(rule_ids):
        raise invalid("Validation failed: Reported rules does not reference valid rules")


# --- the queue -----------------------------------------------------------------------------------------------


async def find(work: Work, report_id: int, *, change: bool = False) -> Report:
    """RefusedError (404) if there is none. `change` keeps others from deciding it at the same time."""
    query = select(Report).where(Report.id == report_id)
    found = await work.session.scalar(query.with_for_update() if change else query)
    if found is None:
        raise not_found()
    return found


async def targets_of(work: Work, report_ids: Iterable[int]) -> dict[int, list[ReportTarget]]:
    found: dict[int, list[ReportTarget]] = {each: [] for each in report_ids}
    query = select(ReportTarget).where(ReportTarget.report_id.in_(found)).order_by(ReportTarget.id)
    for target in await work.session.scalars(query):
        found[target.report_id].append(target)
    return found


async def assign(work: Work, by: Moderator, report_id: int, *, to_self: bool) -> Report:
    row = await find(work, report_id, change=True)
    row.assigned_id = by.account_id if to_self else None
    row.updated_at = work.now
    await log.append(work, "assigned" if to_self else "unassigned", {"report": str(row.id)}, by=by.account_id)
    return row


async def note(work: Work, by: Moderator, report_id: int, text: str) -> ReportNote:
    if not text.strip() or len(text) > NOTE_LENGTH_MAX:
        raise invalid(f"Validation failed: A note has 1 to {NOTE_LENGTH_MAX} characters")
    row = await find(work, report_id)
    written = ReportNote(
        id=work.make_id(), report_id=row.id, account_id=by.account_id, text=text, created_at=work.now
    )
    work.session.add(written)
    await log.append(work, "noted", {"report": str(row.id), "note": str(written.id)}, by=by.account_id)
    return written


async def reject(work: Work, by: Moderator, report_id: int) -> Report:
    """Resolve it without a decision: nothing was wrong.

    RefusedError: 403 for whoever it is about, 409 if it is resolved already.
    """
    row = await find(work, report_id, change=True)
    if row.target_account_id == by.account_id:
        raise forbidden()
    if row.action_taken_at is not None:
        raise RefusedError(HTTPStatus.CONFLICT, N_("Somebody has resolved this report already"))
    await close(work, row, by=by, outcome="rejected")
    return row


async def close(work: Work, row: Report, *, by: Moderator, outcome: str, decision_id: int | None = None) -> None:
    """Resolve it, and have its notifier told how, and what can be done about it (art. 16(5))."""
    row.action_taken_at = row.updated_at = work.now
    row.action_taken_by_id = by.account_id
    row.assigned_id = row.assigned_id or by.account_id
    row.outcome = outcome
    subject = {"report": str(row.id), "outcome": outcome}
    if decision_id is not None:
        subject["decision"] = str(decision_id)
    await log.append(work, "resolved", subject, by=by.account_id)
    work.later(SEND_OUTCOME, {"report_id": str(row.id)})


async def reopen(work: Work, by: Moderator, report_id: int) -> Report:
    row = await find(work, report_id, change=True)
    if row.action_taken_at is None:
        return row
    row.action_taken_at = row.action_taken_by_id = row.outcome = None
    row.updated_at = work.now
    await log.append(work, "reopened", {"report": str(row.id)}, by=by.account_id)
    return row
