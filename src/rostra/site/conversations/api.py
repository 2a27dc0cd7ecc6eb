"""Talks over HTTP: Rostra's own API beside Mastodon's, and calendars."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends
from starlette.responses import Response

from rostra.core.claims import doubt, warning
from rostra.core.conversation import parse_instant_ns
from rostra.core.roster import StageRole
from rostra.site.answers import Json, invalid
from rostra.site.app import TheSite
from rostra.site.conversations import discovery, notices, reminders
from rostra.site.conversations.addresses import listening_address, page_address, stage_address
from rostra.site.conversations.announce import announce, cancel, change, find, guest, invite, require_lead
from rostra.site.conversations.calendar import CONTENT_TYPE, calendar
from rostra.site.conversations.draft import DOORS_LEAD_S, DURATION_S, Draft, from_ns, to_ns
from rostra.site.conversations.entity import ConversationEntity, calendar_entries, conversations
from rostra.site.conversations.phase import phase
from rostra.site.database.tables.conversations import Conversation
from rostra.site.mastodon.body import Asked, asks
from rostra.site.oauth.bearer import Anybody, Viewer, signed_in
from rostra.site.people import lookup
from rostra.site.work import Site, Work

router = APIRouter(tags=["conversations"])
_API: Final = "/api/rostra/v1/conversations"
Host = Annotated[Viewer, Depends(signed_in("write:conversations", "write:statuses"))]
Reader = Annotated[Viewer, Depends(signed_in("read", "read:statuses"))]
_Draft = Annotated[
    Asked,
    asks(
        title=str,
        starts=str,
        time_zone=str,
        language=str,
        description=str,
        doors_lead=int,
        duration=int,
        visibility=str,
        picture_description=str,
    ),
]


@router.get(_API, response_model=list[ConversationEntity])
async def show_all(site: TheSite, viewer: Anybody, asked: Annotated[Asked, asks(when=str)]) -> Json:
    """`when` is `live`, `upcoming` or `recent`; else all three in this order."""
    when = asked.text("when")
    async with site.reading() as work:
        found: list[Conversation] = []
        if when in {"", "live"}:
            found += await discovery.live(work, site.stage)
        if when in {"", "upcoming"}:
            found += await discovery.upcoming(work)
        if when in {"", "recent"}:
            found += await discovery.recent(work, site.stage)
        return Json(await conversations(work, site.stage, found, viewer))


@router.post(_API, response_model=ConversationEntity)
async def create(
    site: TheSite,
    viewer: Host,
    asked: _Draft,
) -> Json:
    async with site.writing() as work:
        row = await announce(work, viewer.account_id, draft_from(asked))
    return await _answer(site, row.name, viewer)


@router.get(_API + "/{name}", response_model=ConversationEntity)
async def show(site: TheSite, viewer: Anybody, name: str) -> Json:
    return await _answer(site, name, viewer)


@router.put(_API + "/{name}", response_model=ConversationEntity)
async def edit(
    site: TheSite,
    viewer: Host,
    name: str,
    asked: _Draft,
) -> Json:
    """What is not given stays as it is."""
    async with site.writing() as work:
        row = await find(work, name)
        draft = draft_from(asked, row)
        await change(work, row, viewer.account_id, draft, phase_now=phase(row, site.stage, now=work.now))
    return await _answer(site, name, viewer)


@router.post(_API + "/{name}/cancel", response_model=ConversationEntity)
async def call_off(site: TheSite, viewer: Host, name: str, asked: Annotated[Asked, asks(why=str)]) -> Json:
    async with site.writing() as work:
        row = await find(work, name)
        now = phase(row, site.stage, now=work.now)
        await cancel(work, row, viewer.account_id, why=asked.text("why"), phase_now=now)
    return await _answer(site, name, viewer)


@router.post(_API + "/{name}/notice", response_model=ConversationEntity)
async def give_notice(
    site: TheSite,
    viewer: Host,
    name: str,
    asked: Annotated[Asked, asks(claims=str, seen=str, starts=str, text=str)],
) -> Json:
    """`text`, `starts` if the announced instant moves, and `claims` if it says what was the cause of trouble.

    What claims more than the evidence shows is answered 422 once; with that as `seen` it is said nevertheless.
    """
    async with site.writing() as work:
        row = await find(work, name)
        starts_at = _starts(work, row, asked.text("starts"))
        now = phase(row, site.stage, now=work.now)
        await require_lead(work, row, viewer.account_id)
        text, claims, seen = asked.text("text"), asked.text("claims"), asked.text("seen")
        verdict = site.stage.verdict(name)
        if found := doubt(text, claims, verdict, seen=seen):
            raise invalid(found)
        await notices.give(
            work,
            row,
            viewer.account_id,
            text,
            starts_at=starts_at,
            phase_now=now,
            claims=claims,
            warned=warning(claims, verdict),
        )
    return await _answer(site, name, viewer)


@router.post(_API + "/{name}/end", response_model=ConversationEntity)
async def end(site: TheSite, viewer: Host, name: str) -> Json:
    async with site.reading() as work:
        row = await find(work, name)
        await require_lead(work, row, viewer.account_id)
    await site.stage.end(row.name)
    return await _answer(site, name, viewer)


@router.post(_API + "/{name}/guests")
async def add_guest(
    site: TheSite, viewer: Host, name: str, asked: Annotated[Asked, asks(role=str, account=str)]
) -> Json:
    """`account` (an id or a name) comes on the stage as `role`: cohost or speaker."""
    role = asked.text("role", "speaker")
    if role not in {StageRole.COHOST, StageRole.SPEAKER}:
        raise invalid("role is neither cohost nor speaker")
    async with site.writing() as work:
        row = await find(work, name)
        await require_lead(work, row, viewer.account_id)
        account = await lookup.by_acct(work, asked.text("account"))
        await invite(work, row, account.id, StageRole(role))
    return Json({})


@router.post(_API + "/{name}/reminder", response_model=ConversationEntity)
async def set_reminder(
    site: TheSite, viewer: Reader, name: str, asked: Annotated[Asked, asks(email=bool, push=bool)]
) -> Json:
    async with site.writing() as work:
        row = await find(work, name)
        await reminders.remind(
            work,
            row,
            viewer.account_id,
            by_email=asked.flag("email", default=True),
            by_push=asked.flag("push", default=True),
            phase_now=phase(row, site.stage, now=work.now),
        )
    return await _answer(site, name, viewer)


@router.delete(_API + "/{name}/reminder", response_model=ConversationEntity)
async def delete_reminder(site: TheSite, viewer: Reader, name: str) -> Json:
    async with site.writing() as work:
        await reminders.forget(work, await find(work, name), viewer.account_id)
    return await _answer(site, name, viewer)


@router.get(_API + "/{name}/addresses")
async def addresses(site: TheSite, viewer: Reader, name: str) -> Json:
    """Where this viewer listens (with a pass) and, with a seat, speaks. Theirs alone."""
    async with site.reading() as work:
        row = await find(work, name)
        reminded = await reminders.reminder(work, row.id, viewer.account_id)
        seat = await guest(work, row.id, viewer.account_id)
        listen = listening_address(
            site.settings, row, account_id=viewer.account_id, registered=reminded is not None, now=work.now
        )
        speak = None if seat is None else stage_address(site.settings, row, seat, now=work.now)
    return Json({"listen_url": listen, "stage_url": speak}, headers={"Cache-Control": "no-store"})


# --- calendars ----------------------------------------------------------------------------------------------


@router.get("/conversations.ics")
async def everybodys_calendar(site: TheSite) -> Response:
    async with site.reading() as work:
        rows = await discovery.for_calendar(work)
        return _calendar(
            await calendar_entries(work, rows), site.settings.title, f"{site.settings.url}/conversations.ics"
        )


@router.get("/@{username}/conversations.ics")
async def hosts_calendar(site: TheSite, username: str) -> Response:
    async with site.reading() as work:
        host = await lookup.by_acct(work, username)
        rows = await discovery.for_calendar(work, host_id=host.id)
        name = host.display_name or host.username
        address = f"{site.settings.url}/@{host.username}/conversations.ics"
        return _calendar(await calendar_entries(work, rows), name, address)


@router.get("/conversations/{name}.ics")
async def one_entry(site: TheSite, name: str) -> Response:
    async with site.reading() as work:
        row = await find(work, name)
        answer = _calendar(
            await calendar_entries(work, [row]), row.title, f"{page_address(site.settings, row)}.ics"
        )
    answer.headers["Content-Disposition"] = f'attachment; filename="{row.name}.ics"'
    return answer


def _calendar(entries: Any, name: str, address: str) -> Response:
    return Response(
        calendar(entries, name=name, url=address),
        media_type=CONTENT_TYPE,
        headers={"Cache-Control": "public, max-age=60"},
        status_code=HTTPStatus.OK,
    )


# --- what they share ----------------------------------------------------------------------------------------


def draft_from(asked: Asked, row: Conversation | None = None, *, picture: str | None = None) -> Draft:
    """What was asked for; what is not given stays as `row` has it. `picture` is a name in the media store."""
    if row is None:
        return Draft(
            title=asked.text("title"),
            starts=asked.text("starts"),
            time_zone=asked.text("time_zone", "UTC"),
            language=asked.text("language", "en"),
            description=asked.text("description"),
            doors_lead_s=asked.integer("doors_lead", DOORS_LEAD_S),
            duration_s=asked.integer("duration", DURATION_S),
            visibility=asked.text("visibility", "public"),
            picture=picture,
            picture_description=asked.text("picture_description"),
        )
    return Draft(
        title=asked.text("title", row.title),
        starts=asked.text("starts", row.starts_at.isoformat()),
        time_zone=asked.text("time_zone", row.time_zone),
        language=asked.text("language", row.language),
        description=asked.text("description", row.description),
        doors_lead_s=asked.integer("doors_lead", int((row.starts_at - row.doors_at).total_seconds())),
        duration_s=asked.integer("duration", int((row.ends_at - row.starts_at).total_seconds())),
        visibility=asked.text("visibility", row.visibility),
        picture=picture or row.picture,
        picture_description=asked.text("picture_description", row.picture_description),
    )


def _starts(work: Work, row: Conversation, text: str) -> datetime | None:
    if not text:
        return None
    return from_ns(parse_instant_ns(text, timezone=row.time_zone, now_ns=to_ns(work.now)))


async def _answer(site: Site, name: str, viewer: Viewer | None) -> Json:
    async with site.reading() as work:
        row = await find(work, name)
        (entity,) = await conversations(work, site.stage, [row], viewer)
    return Json(entity)
