"""The pages of talks: which there are, one before, during and after, and what its hosts fill in."""

from collections.abc import Iterable, Mapping
from datetime import tzinfo
from http import HTTPStatus
from typing import Any, Final

from fastapi import APIRouter, Response
from sqlalchemy import select

from rostra.core.claims import doubt, warning
from rostra.core.conversation import parse_instant_ns
from rostra.core.errors import BadInputError, BusError
from rostra.core.roster import StageRole
from rostra.site.answers import RefusedError
from rostra.site.conversations import announce, discovery, notices, posts, reminders
from rostra.site.conversations.addresses import listening_address, stage_address
from rostra.site.conversations.api import draft_from
from rostra.site.conversations.draft import DOORS_LEAD_S, DURATION_S, from_ns, local_text, to_ns
from rostra.site.conversations.entity import ConversationEntity, conversations
from rostra.site.conversations.phase import phase
from rostra.site.database.tables.conversations import Conversation, ConversationGuest
from rostra.site.database.tables.people import Account
from rostra.site.mastodon.body import Asked
from rostra.site.media import uploads
from rostra.site.media.pictures import Shape
from rostra.site.moderation.restrictions import in_force
from rostra.site.pages.browser import Browser, Form, Member, MembersForm, TheBrowser
from rostra.site.pages.reading import thread_around, viewer_id
from rostra.site.pages.templates import zone_of
from rostra.site.people import lookup
from rostra.site.work import Work

router = APIRouter(prefix="/conversations", include_in_schema=False)
_EMPTY: Final[Mapping[str, Any]] = {
    "title": "",
    "description": "",
    "starts": "",
    "visibility": "public",
    "picture_description": "",
    "doors_minutes": DOORS_LEAD_S // 60,
    "duration_minutes": DURATION_S // 60,
}
_UNSAID: Final = {"text": "", "starts": "", "claims": ""}
_PICTURE: Final = Shape(cover=(1600, 900))  # what social cards show without cutting


@router.get("")
async def show_all(browser: TheBrowser) -> Response:
    site = browser.site
    async with site.reading() as work:
        found = {
            "live": await discovery.live(work, site.stage),
            "upcoming": await discovery.upcoming(work),
            "recent": await discovery.recent(work, site.stage),
        }
        shown = {when: await conversations(work, site.stage, rows, browser.viewer) for when, rows in found.items()}
    zones = _zones(talk for talks in shown.values() for talk in talks)
    return browser.page("conversations/index.html", zones=zones, shown=shown)


@router.get("/new")
async def begin(browser: Member) -> Response:
    return _form(browser, None, {"time_zone": browser.me.user.time_zone, "language": browser.language})


@router.post("/new")
async def create(form: MembersForm) -> Response:
    browser = form.browser
    try:
        picture = await _picture(form)
        async with browser.site.writing() as work:
            draft = draft_from(_in_seconds(form.asked), picture=picture)
            row = await announce.announce(work, browser.account_id, draft)
    except (BadInputError, RefusedError) as error:
        return _form(browser, None, form.asked.values, error=str(error))
    return browser.go(f"/conversations/{row.name}", "announced")


@router.get("/{name}")
async def show(browser: TheBrowser, name: str) -> Response:
    return await _show(browser, name)


@router.get("/{name}/now")
async def show_now(browser: TheBrowser, name: str) -> Response:
    """The part of the page that changes by itself."""
    return browser.page("conversations/now.html", **await _about(browser, name))


@router.get("/{name}/edit")
async def begin_edit(browser: Member, name: str) -> Response:
    async with browser.site.reading() as work:
        row = await announce.find(work, name)
        await announce.require_lead(work, row, browser.account_id)
    return _form(browser, row, _values(row))


@router.post("/{name}/edit")
async def edit(form: MembersForm, name: str) -> Response:
    browser, row = form.browser, None
    try:
        picture = await _picture(form)
        async with browser.site.writing() as work:
            row = await announce.find(work, name)
            draft = draft_from(_in_seconds(form.asked), row, picture=picture)
            now = phase(row, browser.site.stage, now=work.now)
            await announce.change(work, row, browser.account_id, draft, phase_now=now)
    except BadInputError as error:
        return _form(browser, row, form.asked.values, error=str(error))
    return browser.go(f"/conversations/{name}", "saved")


@router.post("/{name}/reminder")
async def remind(form: MembersForm, name: str) -> Response:
    browser, wanted = form.browser, form.asked.flag("on")
    async with browser.site.writing() as work:
        row = await announce.find(work, name)
        if wanted:
            now = phase(row, browser.site.stage, now=work.now)
            await reminders.remind(work, row, browser.account_id, by_email=True, by_push=True, phase_now=now)
        else:
            await reminders.forget(work, row, browser.account_id)
    return browser.go(f"/conversations/{name}", "reminder_set" if wanted else "reminder_gone")


@router.post("/{name}/notice")
async def give_notice(form: MembersForm, name: str) -> Response:
    """A claim that is more than the evidence shows, or words that sound like one, are asked about once."""
    browser, verdict = form.browser, form.browser.site.stage.verdict(name)
    text, starts, claims, seen = (form.asked.text(field) for field in ("text", "starts", "claims", "seen"))
    async with browser.site.writing() as work:
        row = await announce.find(work, name)
        await announce.require_lead(work, row, browser.account_id)
        found = doubt(text, claims, verdict, seen=seen)
        if not found:
            starts = starts.strip()
            at_ns = parse_instant_ns(starts, timezone=row.time_zone, now_ns=to_ns(work.now)) if starts else None
            await notices.give(
                work,
                row,
                browser.account_id,
                text,
                starts_at=None if at_ns is None else from_ns(at_ns),
                phase_now=phase(row, browser.site.stage, now=work.now),
                claims=claims,
                warned=warning(claims, verdict),
            )
    if found:
        return await _show(browser, name, found=found, said={"text": text, "starts": starts, "claims": claims})
    return browser.go(f"/conversations/{name}", "notice_given")


@router.post("/{name}/guests")
async def add_guest(form: MembersForm, name: str) -> Response:
    role = StageRole.COHOST if form.asked.text("role") == "cohost" else StageRole.SPEAKER
    async with form.browser.site.writing() as work:
        row = await announce.find(work, name)
        await announce.require_lead(work, row, form.browser.account_id)
        account = await lookup.by_acct(work, form.asked.text("account"))
        await announce.invite(work, row, account.id, role)
    return form.browser.go(f"/conversations/{name}", "guest_added")


@router.post("/{name}/cancel")
async def call_off(form: MembersForm, name: str) -> Response:
    browser = form.browser
    async with browser.site.writing() as work:
        row = await announce.find(work, name)
        now = phase(row, browser.site.stage, now=work.now)
        await announce.cancel(work, row, browser.account_id, why=form.asked.text("why"), phase_now=now)
    return browser.go(f"/conversations/{name}", "called_off")


@router.post("/{name}/end")
async def end(form: MembersForm, name: str) -> Response:
    browser = form.browser
    async with browser.site.reading() as work:
        row = await announce.find(work, name)
        await announce.require_lead(work, row, browser.account_id)
    try:
        await browser.site.stage.end(row.name)
    except BusError:
        return browser.go(f"/conversations/{name}", "try_again")
    return browser.go(f"/conversations/{name}", "ended")


# --- what they share ----------------------------------------------------------------------------------------


async def _show(browser: Browser, name: str, *, found: str = "", said: Mapping[str, str] = _UNSAID) -> Response:
    """`said`: a notice that its host has to look at again, because of what was `found` (core/claims.py)."""
    about = await _about(browser, name)
    async with browser.site.reading() as work:
        row = await announce.find(work, name)
        announcement = await posts.announcement(work, row, viewer_id(browser))
        thread = {"focus": None} if announcement is None else await thread_around(work, browser, announcement)
    return browser.page(
        "conversations/show.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if found else HTTPStatus.OK,
        verdict=browser.site.stage.verdict(name),
        doubt=found,
        said=said,
        **about,
        **thread,
    )


async def _about(browser: Browser, name: str) -> dict[str, Any]:
    site, viewer = browser.site, browser.viewer
    async with site.reading() as work:
        row = await announce.find(work, name)
        (talk,) = await conversations(work, site.stage, [row], viewer)
        seat = None if viewer is None else await announce.guest(work, row.id, viewer.account_id)
        account_id = None if viewer is None else viewer.account_id
        listen = listening_address(
            site.settings, row, account_id=account_id, registered=talk["reminder"], now=work.now
        )
        return {
            "talk": talk,
            "restricted": (await in_force(work, "conversation", [row.id]))[row.id],
            "zones": _zones([talk]),
            "listen": listen if talk["listen_url"] else None,
            "stage": None if seat is None else stage_address(site.settings, row, seat, now=work.now),
            "leads": seat is not None and seat.role != StageRole.SPEAKER,
            "guests": await _guests(work, row),
            "starts_local": local_text(row.starts_at, row.time_zone),
        }


async def _guests(work: Work, row: Conversation) -> list[tuple[str, Account]]:
    found = await work.session.execute(
        select(ConversationGuest.role, Account)
        .join(Account, Account.id == ConversationGuest.account_id)
        .where(ConversationGuest.conversation_id == row.id)
        .order_by(ConversationGuest.id)
    )
    return [(role, account) for role, account in found]


def _zones(talks: Iterable[ConversationEntity]) -> dict[str, tzinfo]:
    """The zones of some talks by their names: a talk's times are shown as its announcement gives them."""
    return {talk["time_zone"]: zone_of(talk["time_zone"]) for talk in talks}


def _form(browser: Browser, row: Conversation | None, values: Mapping[str, Any], *, error: str = "") -> Response:
    return browser.page(
        "conversations/form.html",
        row=row,
        values={**_EMPTY, **values},
        error=error,
        status=HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK,
    )


def _values(row: Conversation) -> dict[str, Any]:
    return {
        "title": row.title,
        "description": row.description,
        "starts": local_text(row.starts_at, row.time_zone),
        "time_zone": row.time_zone,
        "language": row.language,
        "visibility": row.visibility,
        "picture_description": row.picture_description,
        "doors_minutes": int((row.starts_at - row.doors_at).total_seconds()) // 60,
        "duration_minutes": int((row.ends_at - row.starts_at).total_seconds()) // 60,
    }


def _in_seconds(asked: Asked) -> Asked:
    """The form's minutes as the API's seconds."""
    doors_lead = asked.integer("doors_minutes", DOORS_LEAD_S // 60) * 60
    duration = asked.integer("duration_minutes", DURATION_S // 60) * 60
    return Asked({**asked.values, "doors_lead": doors_lead, "duration": duration})


async def _picture(form: Form) -> str | None:
    upload = form.asked.upload("picture")
    return await uploads.portrait(form.browser.site, upload, _PICTURE) if upload and upload.size else None
