"""For moderators: the form that leads through a decision, and the one that lifts what is in force."""

from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final

from fastapi import APIRouter, Response

from rostra.site.answers import RefusedError, invalid, not_found
from rostra.site.mastodon.body import Asked, Body
from rostra.site.moderation import decisions, reports, rules, words
from rostra.site.moderation.actions import ACTIONS
from rostra.site.moderation.decisions import Verdict
from rostra.site.moderation.pages.access import AtDesk, FromDesk
from rostra.site.moderation.reasons import Reasons
from rostra.site.moderation.restrictions import KINDS
from rostra.site.moderation.statement import COUNTRIES
from rostra.site.moderation.targets import Target, of_account, of_conversations, of_statuses
from rostra.site.pages.browser import Browser
from rostra.site.pages.languages import N_
from rostra.site.people import lookup
from rostra.site.work import Work

router = APIRouter(prefix="/moderation", include_in_schema=False)
_DAYS_MAX: Final = 3650
_FIELDS: Final = (
    "action", "ground", "legal_ground", "rule_id", "explanation", "facts", "category", "days", "territory", "label",
    "automated_detection",
)  # fmt: skip


@router.get("/decide")
async def begin(desk: AtDesk, asked: Body) -> Response:
    """`account`, and what of it: posts or conversations by their ids, or a report that names them."""
    return await _page(desk.browser, asked)


@router.post("/decide")
async def decide(form: FromDesk) -> Response:
    asked = form.asked
    try:
        async with form.browser.site.writing() as work:
            verdict = await _verdict(work, asked)
            decision = await decisions.decide(work, form.moderator, verdict)
    except RefusedError as error:
        return await _page(form.browser, asked, problem=error)
    return form.browser.go(f"/moderation/accounts/{decision.target_account_id}", "decided")


@router.post("/accounts/{account_id}/lift")
async def lift(form: FromDesk, account_id: int) -> Response:
    """Lift one kind of restriction from an account, or from a post or conversation of it."""
    asked = form.asked
    why, kind, target_kind = asked.text("why").strip(), asked.text("kind"), asked.text("target_kind", "account")
    if not why:
        raise invalid(N_("Say why it is lifted"))
    if kind not in KINDS.get(target_kind, ()):
        raise not_found()
    async with form.browser.site.writing() as work:
        target_id = account_id if target_kind == "account" else asked.optional_id("target_id") or -1
        found = await decisions.open_restrictions(work, target_kind, target_id, [kind])
        await decisions.lift(work, form.moderator, found, why)
    return form.browser.go(f"/moderation/accounts/{account_id}", "lifted")


async def _verdict(work: Work, asked: Asked) -> Verdict:
    account_id, targets, report_id = await _about(work, asked)
    days = asked.integer("days")
    if not 0 <= days <= _DAYS_MAX:
        raise invalid(f"A restriction lasts 1 to {_DAYS_MAX} days, or has no end")
    rule_id = asked.optional_id("rule_id")
    rule = next((each for each in await rules.in_order(work) if each.id == rule_id), None)
    action = asked.text("action")
    if (
        action in ACTIONS
        and "account" in ACTIONS[action].on
        and not {each.kind for each in targets} <= ACTIONS[action].on
    ):
        target = await of_account(work, account_id)
        assert target is not None
        targets = [target]  # the reported posts are why, the account is what it is about
    return Verdict(
        action=action,
        account_id=account_id,
        targets=tuple(targets),
        reasons=Reasons(
            ground=asked.text("ground"),
            legal_ground=asked.text("legal_ground").strip() or ("" if rule is None else rule.text),
            rule_id=None if rule is None else rule.id,
            explanation=asked.text("explanation").strip(),
            facts=asked.text("facts").strip(),
            category=asked.text("category"),
            territory=tuple(asked.text("territory").upper().replace(",", " ").split()),
            automated_detection=asked.flag("automated_detection"),
        ),
        report_id=report_id,
        ends_at=work.now + timedelta(days=days) if days else None,
        label=asked.text("label"),
    )


async def _about(work: Work, asked: Asked) -> tuple[int, list[Target], int | None]:
    """Whose, what, and because of which report. RefusedError (404) for what does not exist."""
    report_id = asked.optional_id("report")
    status_ids, talk_ids = asked.ids("status"), asked.ids("conversation")
    account_id = asked.optional_id("account")
    if report_id is not None:
        report = await reports.find(work, report_id)
        account_id = report.target_account_id
        if not status_ids and not talk_ids:
            seen = (await reports.targets_of(work, [report.id]))[report.id]
            status_ids = [each.target_id for each in seen if each.kind == "status"]
            talk_ids = [each.target_id for each in seen if each.kind == "conversation"]
    targets = await of_statuses(work, status_ids) if status_ids else await of_conversations(work, talk_ids)
    if account_id is None:
        if not targets:
            raise not_found()
        account_id = targets[0].account_id
    if not targets:
        target = await of_account(work, account_id)
        if target is None:
            raise not_found()
        targets = [target]
    return account_id, targets, report_id


async def _page(browser: Browser, asked: Asked, *, problem: RefusedError | None = None) -> Response:
    async with browser.site.reading() as work:
        account_id, targets, report_id = await _about(work, asked)
        account = await lookup.account(work, account_id)
        report = None if report_id is None else await reports.find(work, report_id)
        in_order = await rules.in_order(work)
    values: dict[str, Any] = {name: asked.text(name) for name in _FIELDS}
    values["action"] = values["action"] or "none"
    values["ground"] = values["ground"] or "terms"
    values["category"] = values["category"] or next(iter(words.CATEGORIES))
    if not values["rule_id"] and report is not None and report.rule_ids:
        values["rule_id"] = report.rule_ids[0]
    on = {target.kind for target in targets} | {"account"}
    return browser.page(
        "moderation/decide.html",
        status=HTTPStatus.OK if problem is None else problem.status,
        headers={"Cache-Control": "no-store"},
        account=account,
        targets=targets,
        report=report,
        rules=in_order,
        actions={name: words.ACTIONS[name] for name, action in ACTIONS.items() if action.on & on},
        values=values,
        problem=problem,
        countries=COUNTRIES,
        words=words,
    )
