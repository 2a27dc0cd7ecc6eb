"""Appeals (art. 20): by whom a decision touches, or by who reported in vain; somebody else judges."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from sqlalchemy import select

from rostra.core.seal import seal, unseal
from rostra.site.answers import RefusedError, forbidden, invalid, not_found
from rostra.site.database.insert import insert_once
from rostra.site.database.tables.moderation import Appeal, Decision, Report, Restriction
from rostra.site.moderation import decisions, log, reports
from rostra.site.moderation.actions import REINSTATE
from rostra.site.moderation.decisions import APPEAL_WINDOW
from rostra.site.moderation.moderators import Moderator, are_several
from rostra.site.moderation.restrictions import is_in_force
from rostra.site.pages.languages import N_
from rostra.site.work import Work

TEXT_LENGTH_MAX: Final = 2000  # as Mastodon's
SEND_ANSWER: Final = "moderation.send_answer"
_FIELDS: Final = struct.Struct(">Bq")
_ABOUT: Final = b"appeal\0"
_KINDS: Final = ("decision", "report")


@dataclass(frozen=True, slots=True)
class Subject:
    """What is appealed against: a `decision`, or the rejection of a `report`."""

    kind: str
    id: int


def link_code(subject: Subject, key: bytes) -> str:
    """What a link in an e-mail carries: who has it may appeal, also without being able to log in."""
    return seal(_FIELDS.pack(_KINDS.index(subject.kind), subject.id), about=_ABOUT, key=key)


def parse_link_code(code: str, key: bytes) -> Subject | None:
    fields = unseal(code, size=_FIELDS.size, about=_ABOUT, key=key)
    if fields is None:
        return None
    kind, id_ = _FIELDS.unpack(fields)
    return Subject(_KINDS[kind], id_)


async def appeal(work: Work, subject: Subject, text: str, *, account_id: int | None = None) -> Appeal:
    """RefusedError: 404 if it does not concern `account_id`, 403 after the window, 409 the second time, 422.

    `account_id` is empty for somebody who came by a link.
    """
    if not text.strip() or len(text) > TEXT_LENGTH_MAX:
        raise invalid(f"Validation failed: An appeal has 1 to {TEXT_LENGTH_MAX} characters")
    if subject.kind == "decision":
        decision = await decisions.find(work, subject.id)
        if decision.action == REINSTATE or account_id not in {None, decision.target_account_id}:
            raise not_found()
        account_id, until = decision.target_account_id, decision.appeal_until
    else:
        report = await reports.find(work, subject.id)
        if account_id != report.account_id and account_id is not None:
            raise not_found()
        if report.outcome != "rejected" or report.action_taken_at is None:
            raise forbidden(N_("Only a report that was rejected can be appealed"))
        account_id, until = report.account_id, report.action_taken_at + APPEAL_WINDOW
    if work.now > until:
        raise forbidden(N_("The time for an appeal is over"))
    values = {f"{subject.kind}_id": subject.id, "account_id": account_id, "text": text, "created_at": work.now}
    id_ = work.make_id()
    if not await insert_once(work.session, Appeal, id=id_, **values):
        raise RefusedError(HTTPStatus.CONFLICT, N_("There is an appeal already"))
    await log.append(work, "appealed", {"appeal": str(id_), subject.kind: str(subject.id)}, by=account_id)
    return await work.session.get_one(Appeal, id_)


async def judge(work: Work, by: Moderator, appeal_id: int, *, reverse: bool, answer: str) -> Appeal:
    """Uphold or reverse what was appealed against.

    RefusedError: 403 for whoever decided it, where there is somebody else; 409 if it is judged already; 422 without
    an answer.
    """
    if not answer.strip() or len(answer) > TEXT_LENGTH_MAX:
        raise invalid(f"Validation failed: An answer has 1 to {TEXT_LENGTH_MAX} characters")
    row = await work.session.scalar(select(Appeal).where(Appeal.id == appeal_id).with_for_update())
    if row is None:
        raise not_found()
    if row.decided_at is not None:
        raise RefusedError(HTTPStatus.CONFLICT, N_("Somebody has judged this appeal already"))
    if row.account_id == by.account_id or (await decider(work, row) == by.account_id and await are_several(work)):
        raise forbidden(N_("Somebody else than who decided it judges an appeal"))
    row.decided_at, row.decided_by_id, row.answer = work.now, by.account_id, answer
    row.outcome = "reversed" if reverse else "upheld"
    if reverse:
        await _reverse(work, by, row)
    await log.append(work, row.outcome, {"appeal": str(row.id)}, by=by.account_id)
    work.later(SEND_ANSWER, {"appeal_id": str(row.id)})
    return row


async def decider(work: Work, row: Appeal) -> int | None:
    """Who decided what is appealed against."""
    if row.decision_id is not None:
        return (await work.session.get_one(Decision, row.decision_id)).decided_by_id
    assert row.report_id is not None
    return (await work.session.get_one(Report, row.report_id)).action_taken_by_id


async def _reverse(work: Work, by: Moderator, row: Appeal) -> None:
    """What the decision restricts is lifted by a decision of its own; a rejected report is open again."""
    if row.decision_id is None:
        assert row.report_id is not None
        await reports.reopen(work, by, row.report_id)
        return
    decision = await work.session.get_one(Decision, row.decision_id)
    query = select(Restriction).where(Restriction.decision_id == decision.id, is_in_force(work.now))
    restrictions = (await work.session.scalars(query)).all()
    if restrictions:
        lifted = await decisions.lift(work, by, restrictions, row.answer, overrules=decision)
        row.lift_decision_id = lifted.id
    else:  # its time is over, or it was a warning: it is overruled all the same
        decision.overruled_at = work.now


async def of_decisions(work: Work, decision_ids: Sequence[int]) -> dict[int, Appeal]:
    rows = await work.session.scalars(select(Appeal).where(Appeal.decision_id.in_(decision_ids)))
    return {row.decision_id: row for row in rows if row.decision_id is not None}


async def waiting(work: Work) -> Sequence[Appeal]:
    """Those that nobody has judged yet, the oldest first."""
    return (await work.session.scalars(select(Appeal).where(Appeal.decided_at.is_(None)).order_by(Appeal.id))).all()
