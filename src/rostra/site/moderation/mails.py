"""Letters of moderation: the statement to whom it concerns, receipts and outcomes to who reported, answers."""

from typing import Any

from sqlalchemy import select

from rostra.site.database.tables.moderation import Appeal, Decision, Report, Restriction
from rostra.site.database.tables.people import User
from rostra.site.mail.post import send
from rostra.site.mastodon.entities.instants import optional, written
from rostra.site.moderation import decisions, reports, words
from rostra.site.moderation.actions import REINSTATE
from rostra.site.moderation.appeals import Subject, link_code
from rostra.site.moderation.decisions import APPEAL_WINDOW
from rostra.site.work import Site, Work


async def send_statement(site: Site, payload: dict[str, Any]) -> None:
    """The statement of reasons (art. 17(3)), once. `sent_at` is written with it."""
    async with site.writing() as work:
        decision = await decisions.find(work, int(payload["decision_id"]))
        reader = await _reader(work, decision.target_account_id)
        if reader is None or decision.sent_at is not None:
            return
        decision.sent_at = work.now
        targets = (await decisions.targets_of(work.session, [decision.id]))[decision.id]
        values = _statement(decision, [each.url for each in targets])
        if decision.action == REINSTATE:
            values["lifted"] = await _lifted(work, decision)
        else:
            values["appeal_url"] = appeal_url(work, Subject("decision", decision.id))
        send(work, "moderation_statement", to=reader.email, locale=reader.locale, values=values)


async def send_receipt(site: Site, payload: dict[str, Any]) -> None:
    """That a notice has come (art. 16(4)), once."""
    async with site.writing() as work:
        row = await reports.find(work, int(payload["report_id"]))
        if row.receipt_sent_at is not None:
            return
        row.receipt_sent_at = work.now
        await _to_notifier(work, row, "moderation_receipt", {"comment": row.comment})


async def send_outcome(site: Site, payload: dict[str, Any]) -> None:
    """What came of a notice, and what its notifier can do about it (art. 16(5))."""
    async with site.writing() as work:
        row = await reports.find(work, int(payload["report_id"]))
        if row.outcome is None or row.action_taken_at is None:
            return  # it was opened again meanwhile
        values: dict[str, Any] = {"acted": row.outcome == "acted"}
        if row.outcome == "rejected":
            values["appeal_url"] = appeal_url(work, Subject("report", row.id))
            values["appeal_until"] = written(row.action_taken_at + APPEAL_WINDOW)
        await _to_notifier(work, row, "moderation_outcome", values)


async def send_answer(site: Site, payload: dict[str, Any]) -> None:
    """How an appeal was judged (art. 20(5))."""
    async with site.writing() as work:
        row = await work.session.get_one(Appeal, int(payload["appeal_id"]))
        values = {"reversed": row.outcome == "reversed", "answer": row.answer, "text": row.text}
        if row.report_id is not None:
            report = await reports.find(work, row.report_id)
            await _to_notifier(work, report, "moderation_answer", values)
            return
        reader = None if row.account_id is None else await _reader(work, row.account_id)
        if reader is not None:
            send(work, "moderation_answer", to=reader.email, locale=reader.locale, values=values)


def appeal_url(work: Work, subject: Subject) -> str:
    return f"{work.settings.url}/appeal/{link_code(subject, work.settings.key)}"


async def _reader(work: Work, account_id: int) -> User | None:
    return await work.session.get(User, account_id)


async def _to_notifier(work: Work, row: Report, template: str, values: dict[str, Any]) -> None:
    """To the address of the account that reported, or the one that was given; to nobody who gave none."""
    reader = None if row.account_id is None else await _reader(work, row.account_id)
    to, locale = (row.notifier_email, row.notifier_locale) if reader is None else (reader.email, reader.locale)
    targets = (await reports.targets_of(work, [row.id]))[row.id]
    told = {"number": str(row.id), "urls": [each.url for each in targets], "reported_at": written(row.created_at)}
    if to:
        send(work, template, to=to, locale=locale, values={**told, **values})


def _statement(decision: Decision, urls: list[str]) -> dict[str, Any]:
    return {
        "number": str(decision.id),
        "action": words.YOURS[decision.action],
        "meaning": words.MEANING[decision.action],
        "urls": [url for url in urls if url],
        "decided_at": written(decision.decided_at),
        "ends_at": optional(decision.ends_at),
        "ground": words.GROUNDS.get(decision.ground, ""),
        "legal_ground": decision.legal_ground,
        "explanation": decision.explanation,
        "facts": decision.facts,
        "source": words.SOURCES[decision.source_type],
        "automated": words.AUTOMATED[decision.automated_decision],
        "detected": decision.automated_detection,
        "territory": decision.territorial_scope,
        "appeal_until": written(decision.appeal_until),
        "appeal_url": None,
        "lifted": None,
    }


async def _lifted(work: Work, decision: Decision) -> list[str]:
    """What the decisions were called whose restrictions this one lifts."""
    query = (
        select(Decision.action)
        .join(Restriction, Restriction.decision_id == Decision.id)
        .where(Restriction.lift_decision_id == decision.id)
        .distinct()
    )
    return [words.YOURS[action] for action in await work.session.scalars(query)]
