"""Accounts as moderators work with them over Mastodon's API: lists, actions, and what lifts them again."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from sqlalchemy import ColumnElement, select

from rostra.site.answers import Json, forbidden, invalid
from rostra.site.app import TheSite
from rostra.site.database.tables.moderation import Report, Rule
from rostra.site.database.tables.people import Account, User
from rostra.site.mastodon.body import Asked, Id, asks
from rostra.site.mastodon.entities.admin import AdminAccountEntity, admin_accounts
from rostra.site.mastodon.paging import PAGING, links, page_of
from rostra.site.moderation import decisions, log, reports
from rostra.site.moderation.decisions import Verdict
from rostra.site.moderation.moderators import Moderator
from rostra.site.moderation.reasons import Reasons
from rostra.site.moderation.restrictions import account_is
from rostra.site.moderation.statement import Category
from rostra.site.moderation.targets import of_account
from rostra.site.oauth.bearer import Viewer, signed_in
from rostra.site.people import lookup, registration
from rostra.site.snowflake import parse_snowflake
from rostra.site.work import Site, Work

router = APIRouter(tags=["admin"])
_LIMIT, _LIMIT_MAX = 100, 200
# Mastodon's words for what an account may be listed as, and for the actions that its clients know.
_RESTRICTED: Final = {
    "disabled": "disable", "silenced": "silence", "suspended": "suspend", "sensitized": "sensitive",
}  # fmt: skip
_LISTED: Final = ("active", "pending", *_RESTRICTED)
_NARROWED: Final = {"by_domain": str, "username": str, "display_name": str, "email": str}
_ACTIONS: Final = ("none", "sensitive", "disable", "silence", "suspend")


def moderator(*scopes: str) -> Any:
    """A dependency: a moderator whose token holds one of `scopes`; 403 for everybody else."""

    async def check(viewer: Annotated[Viewer, Depends(signed_in(*scopes))]) -> Moderator:
        return Moderator(viewer.account_id, viewer.role)

    return Depends(check)


Reader = Annotated[Moderator, moderator("admin:read:accounts")]
Writer = Annotated[Moderator, moderator("admin:write:accounts")]
_Why = Annotated[Asked, asks(text=str)]


@router.get("/api/v1/admin/accounts", response_model=list[AdminAccountEntity])
async def list_v1(
    request: Request,
    site: TheSite,
    asked: Annotated[Asked, asks(PAGING, dict.fromkeys(_LISTED, bool), _NARROWED, staff=bool, remote=bool)],
    _by: Reader,
) -> Json:
    listed = [name for name in _LISTED if asked.flag(name)]
    return await _list(request, site, asked, listed, staff=asked.flag("staff"), remote=asked.flag("remote"))


@router.get("/api/v2/admin/accounts", response_model=list[AdminAccountEntity])
async def list_v2(
    request: Request,
    site: TheSite,
    asked: Annotated[Asked, asks(PAGING, _NARROWED, status=str, permissions=str, origin=str)],
    _by: Reader,
) -> Json:
    listed = [asked.text("status")] if asked.text("status") else []
    staff = asked.text("permissions") == "staff"
    return await _list(request, site, asked, listed, staff=staff, remote=asked.text("origin") == "remote")


async def _list(
    request: Request, site: Site, asked: Asked, listed: list[str], *, staff: bool, remote: bool
) -> Json:
    page = page_of(asked, limit=_LIMIT, limit_max=_LIMIT_MAX)
    if remote or asked.text("by_domain") not in {"", site.settings.domain}:
        return Json([])  # everybody is of this server
    async with site.reading() as work:
        query = select(Account).join(User, User.account_id == Account.id).where(Account.deleted_at.is_(None))
        for name in listed:
            query = query.where(_listed_as(work, name))
        if staff:
            query = query.where(User.role != "member")
        for column, name in (
            (Account.username, "username"),
            (Account.display_name, "display_name"),
            (User.email, "email"),
        ):
            if asked.text(name):
                query = query.where(column.icontains(asked.text(name), autoescape=True))
        rows = page.ordered((await work.session.scalars(page.of(query, Account.id))).all())
        entities = await admin_accounts(work, rows)
    return Json(entities, headers=links(request, site.settings.url, page, [row.id for row in rows]))


def _listed_as(work: Work, name: str) -> ColumnElement[bool]:
    if name == "pending":
        return User.approved_at.is_(None)
    if name == "active":
        return User.approved_at.is_not(None) & ~account_is("suspend", Account.id, work.now)
    if name in _RESTRICTED:
        return account_is(_RESTRICTED[name], Account.id, work.now)
    raise invalid("Validation failed: Status is not included in the list")


@router.get("/api/v1/admin/accounts/{account_id}", response_model=AdminAccountEntity)
async def show(site: TheSite, account_id: str, _by: Reader) -> Json:
    return await answer(site, parse_snowflake(account_id) or -1)


async def answer(site: Site, account_id: int) -> Json:
    async with site.reading() as work:
        (entity,) = await admin_accounts(work, [await lookup.account(work, account_id)])
        return Json(entity)


@router.post("/api/v1/admin/accounts/{account_id}/action")
async def act(
    site: TheSite,
    account_id: str,
    asked: Annotated[Asked, asks(type=str, report_id=Id, send_email_notification=bool, text=str)],
    by: Writer,
) -> Json:
    """Mastodon's clients give an action and a text: the rest of the statement of reasons comes from the report."""
    action, report_id = asked.text("type"), asked.optional_id("report_id")
    if action not in _ACTIONS:
        raise invalid("Validation failed: Type is not included in the list")
    async with site.writing() as work:
        account = await lookup.account(work, parse_snowflake(account_id) or -1)
        target = await of_account(work, account.id)
        assert target is not None
        report = None if report_id is None else await reports.find(work, report_id)
        await decisions.decide(
            work,
            by,
            Verdict(
                action=action,
                account_id=account.id,
                targets=(target,),
                reasons=await _reasons(work, report, asked.text("text").strip()),
                report_id=report_id,
                send_email=asked.flag("send_email_notification", default=True),
            ),
        )
    return Json({})


async def _reasons(work: Work, report: Report | None, text: str) -> Reasons:
    """What can be said without having been asked: the rules that the report names, or all of the site."""
    rule = None
    if report is not None and report.rule_ids:
        rule = await work.session.get(Rule, int(report.rule_ids[0]))
    ground = "The rules of this site" if rule is None else rule.text
    looked = "a report" if report is not None else "the moderators' own initiative"
    return Reasons(
        ground="terms",
        legal_ground=ground,
        rule_id=None if rule is None else rule.id,
        explanation=text or f"A moderator found that the account breaks this: {ground}",
        facts=f"A moderator looked at the account because of {looked} and found that it breaks: {ground}",
        category=Category.OTHER_VIOLATION_TC,
    )


@router.post("/api/v1/admin/accounts/{account_id}/enable", response_model=AdminAccountEntity)
async def enable(site: TheSite, account_id: str, asked: _Why, by: Writer) -> Json:
    return await _lift(site, by, account_id, "disable", asked)


@router.post("/api/v1/admin/accounts/{account_id}/unsilence", response_model=AdminAccountEntity)
async def unsilence(site: TheSite, account_id: str, asked: _Why, by: Writer) -> Json:
    return await _lift(site, by, account_id, "silence", asked)


@router.post("/api/v1/admin/accounts/{account_id}/unsuspend", response_model=AdminAccountEntity)
async def unsuspend(site: TheSite, account_id: str, asked: _Why, by: Writer) -> Json:
    return await _lift(site, by, account_id, "suspend", asked)


@router.post("/api/v1/admin/accounts/{account_id}/unsensitive", response_model=AdminAccountEntity)
async def unsensitive(site: TheSite, account_id: str, asked: _Why, by: Writer) -> Json:
    return await _lift(site, by, account_id, "sensitive", asked)


async def _lift(site: Site, by: Moderator, account_id: str, kind: str, asked: Asked) -> Json:
    """What is not in force any more needs no lifting: the answer is the same."""
    why = asked.text("text").strip() or "A moderator has lifted it."
    async with site.writing() as work:
        account = await lookup.account(work, parse_snowflake(account_id) or -1)
        found = await decisions.open_restrictions(work, "account", account.id, [kind])
        if found:
            await decisions.lift(work, by, found, why)
    return await answer(site, account.id)


@router.post("/api/v1/admin/accounts/{account_id}/approve", response_model=AdminAccountEntity)
async def approve(site: TheSite, account_id: str, by: Writer) -> Json:
    async with site.writing() as work:
        account = await _pending(work, account_id)
        await registration.approve(work, account.id)
        await log.append(work, "approved", {"account": str(account.id)}, by=by.account_id)
    return await answer(site, account.id)


@router.post("/api/v1/admin/accounts/{account_id}/reject", response_model=AdminAccountEntity)
async def reject(site: TheSite, account_id: str, by: Writer) -> Json:
    """Who is rejected is no more: the answer is who it was."""
    async with site.writing() as work:
        account = await _pending(work, account_id)
        (entity,) = await admin_accounts(work, [account])
        await registration.reject(work, account.id)
        await log.append(work, "rejected", {"account": str(account.id)}, by=by.account_id)
    return Json(entity)


async def _pending(work: Work, account_id: str) -> Account:
    account = await lookup.account(work, parse_snowflake(account_id) or -1)
    if (await lookup.user(work, account.id)).approved_at is not None:
        raise forbidden()
    return account
