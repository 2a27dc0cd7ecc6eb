"""For moderators: appeals to judge, letters of authorities, the rules, and statements of reasons as a file."""

from datetime import UTC, datetime

from fastapi import APIRouter, Response
from sqlalchemy import select

from rostra.site.answers import Json, invalid, not_found
from rostra.site.database.tables.conversations import Conversation
from rostra.site.database.tables.moderation import Decision, Report
from rostra.site.mastodon.body import Body
from rostra.site.moderation import appeals, letters, rules, transparency, words
from rostra.site.moderation.letters import KINDS, Letter
from rostra.site.moderation.pages.access import AtDesk, FromDesk
from rostra.site.moderation.statement import COUNTRIES
from rostra.site.pages.languages import N_

router = APIRouter(prefix="/moderation", include_in_schema=False)


@router.get("/appeals")
async def show_appeals(desk: AtDesk) -> Response:
    async with desk.browser.site.reading() as work:
        rows = await appeals.waiting(work)
        decided = select(Decision).where(Decision.id.in_([row.decision_id for row in rows if row.decision_id]))
        reported = select(Report).where(Report.id.in_([row.report_id for row in rows if row.report_id]))
        return desk.browser.page(
            "moderation/appeals.html",
            headers={"Cache-Control": "no-store"},
            appeals=rows,
            decisions={row.id: row for row in await work.session.scalars(decided)},
            reports={row.id: row for row in await work.session.scalars(reported)},
            deciders={row.id: await appeals.decider(work, row) for row in rows},
            words=words,
        )


@router.post("/appeals/{appeal_id}")
async def judge(form: FromDesk, appeal_id: int) -> Response:
    outcome = form.asked.text("outcome")
    if outcome not in {"reversed", "upheld"}:
        raise invalid(N_("Say whether the decision stands"))
    async with form.browser.site.writing() as work:
        answer = form.asked.text("answer")
        await appeals.judge(work, form.moderator, appeal_id, reverse=outcome == "reversed", answer=answer)
    return form.browser.go("/moderation/appeals", "saved")


# --- letters ---------------------------------------------------------------------------------------------------


@router.get("/letters")
async def show_letters(desk: AtDesk) -> Response:
    async with desk.browser.site.reading() as work:
        rows = await letters.all_of_them(work, only_public=False)
    return desk.browser.page("moderation/letters.html", letters=rows, countries=COUNTRIES, words=words)


@router.post("/letters")
async def record_letter(form: FromDesk) -> Response:
    asked = form.asked
    try:
        received = datetime.fromisoformat(asked.text("received_at"))
    except ValueError as error:
        raise invalid(N_("Say on which day it was received")) from error
    if asked.text("kind") not in KINDS:
        raise invalid(N_("Say what kind of letter it is"))
    async with form.browser.site.writing() as work:
        name, talk_id = asked.text("conversation").strip(), None
        if name:
            talk_id = await work.session.scalar(select(Conversation.id).where(Conversation.name == name))
            if talk_id is None:
                raise not_found()
        letter = Letter(
            authority=asked.text("authority"),
            kind=asked.text("kind"),
            text=asked.text("text"),
            received_at=received if received.tzinfo else received.replace(tzinfo=UTC),
            country=asked.text("country"),
            reference=asked.text("reference"),
            conversation_id=talk_id,
            public=asked.flag("public"),
        )
        await letters.record(work, form.moderator, letter)
    return form.browser.go("/moderation/letters", "saved")


@router.post("/letters/{letter_id}/reply")
async def reply_to_letter(form: FromDesk, letter_id: int) -> Response:
    asked = form.asked
    async with form.browser.site.writing() as work:
        await letters.reply(
            work,
            form.moderator,
            letter_id,
            reply=asked.text("reply"),
            effect=asked.text("effect"),
            decision_id=asked.optional_id("decision"),
        )
    return form.browser.go("/moderation/letters", "saved")


# --- rules -----------------------------------------------------------------------------------------------------


@router.get("/rules")
async def show_rules(desk: AtDesk) -> Response:
    async with desk.browser.site.reading() as work:
        return desk.browser.page(
            "moderation/rules.html", rules=await rules.in_order(work), owns=desk.moderator.owns
        )


@router.post("/rules")
async def write_rule(form: FromDesk) -> Response:
    asked = form.asked
    async with form.browser.site.writing() as work:
        await rules.write(
            work,
            form.moderator,
            text=asked.text("text"),
            hint=asked.text("hint"),
            translations={"nl": {"text": asked.text("text_nl"), "hint": asked.text("hint_nl")}},
            replaces=asked.optional_id("replaces"),
        )
    return form.browser.go("/moderation/rules", "saved")


@router.post("/rules/{rule_id}/delete")
async def delete_rule(form: FromDesk, rule_id: int) -> Response:
    async with form.browser.site.writing() as work:
        await rules.delete(work, form.moderator, rule_id)
    return form.browser.go("/moderation/rules", "deleted")


# --- statements --------------------------------------------------------------------------------------------------


@router.get("/statements.json")
async def give_statements(desk: AtDesk, asked: Body) -> Response:
    """What `POST …/api/v1/statements` of the Transparency Database would take, of one year."""
    async with desk.browser.site.reading() as work:
        year = asked.integer("year", work.now.year)
        if not 2020 <= year <= work.now.year:
            raise invalid("There is nothing of that year")
        since, until = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
        found = await transparency.statements(work.session, since, until)
    return Json(
        {"statements": [statement.as_submitted() for statement in found]},
        headers={
            "Content-Disposition": f'attachment; filename="statements-{year}.json"',
            "Cache-Control": "no-store",
        },
    )
