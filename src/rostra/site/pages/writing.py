"""Pages on which posts are written, changed, and answered with a press; with a script in their place."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Response

from rostra.site.answers import RefusedError, forbidden, not_found
from rostra.site.database.tables.media import MediaAttachment
from rostra.site.database.tables.posts import Status
from rostra.site.mastodon.body import Asked, Upload
from rostra.site.mastodon.drafts import read_draft
from rostra.site.mastodon.entities.media import media_attachment
from rostra.site.mastodon.entities.status import statuses
from rostra.site.mastodon.paging import Page
from rostra.site.media import uploads
from rostra.site.moderation.restrictions import CLOSED, in_force
from rostra.site.oauth.bearer import why_not
from rostra.site.pages.browser import Browser, Form, Member, MembersForm, local_path, read_form
from rostra.site.pages.reading import blank_draft, mentions, new_key
from rostra.site.pages.refusals import told
from rostra.site.posts import edit, polls, reactions, removal, schedule
from rostra.site.posts.compose import post
from rostra.site.posts.visibility import statuses_by_id, the_own, the_status
from rostra.site.work import Work

router = APIRouter(include_in_schema=False)
PICTURES_MAX: Final = 4
_DAY_S: Final = 24 * 3600


async def read_writers_form(browser: Member, asked: Upload) -> Form:
    """As a member's form, with uploads; from somebody who may write at the moment."""
    form = await read_form(browser, asked)
    user = browser.me.user
    async with browser.site.reading() as work:
        kinds = (await in_force(work, "account", [user.account_id]))[user.account_id]
    if why := why_not(user, closed=bool(kinds & CLOSED)):
        raise forbidden(why)
    return form


WritersForm = Annotated[Form, Depends(read_writers_form)]


@router.get("/compose")
async def show_compose(browser: Member, reply: str = "", text: str = "") -> Response:
    draft = blank_draft(browser) | {"status": text}
    answered = None
    if reply:
        async with browser.site.reading() as work:
            rows = await statuses_by_id(work, [int(reply) if reply.isdecimal() else -1], browser.account_id)
            if not rows:
                raise not_found()
            (answered,) = await statuses(work, rows, browser.account_id)
        names = mentions(answered, browser)
        draft |= {
            "in_reply_to_id": answered["id"],
            "status": names + text,
            "spoiler_text": answered["spoiler_text"],
        }
        if draft["visibility"] == "public" or answered["visibility"] in {"private", "direct"}:
            draft["visibility"] = answered["visibility"]
    return browser.page("compose.html", draft=draft, answered=answered, errors=(), key=new_key())


@router.post("/posts")
async def write(form: WritersForm) -> Response:
    browser, asked = form.browser, form.asked
    media = []
    try:
        media = await _uploaded(browser, asked)
        values = _draft_values(asked, media)
        at = _chosen_instant(browser, asked.text("scheduled_at"))
        async with browser.site.writing() as work:
            draft = await read_draft(work, Asked(values), browser.account_id)
            if at is not None:
                await schedule.schedule(work, browser.account_id, draft, at, key=asked.text("key"))
                return browser.go("/scheduled", "scheduled")
            made = await post(work, browser.account_id, draft, key=asked.text("key"))
    except RefusedError as error:
        if error.status != HTTPStatus.UNPROCESSABLE_ENTITY:
            raise
        return await _again(browser, asked, media, error)
    if asked.text("in_reply_to_id"):
        return browser.go(f"/@{browser.me.account.username}/{made.id}", "posted")
    return browser.go(local_path(asked.text("next")), "posted")


@router.get("/scheduled")
async def show_scheduled(browser: Member) -> Response:
    async with browser.site.reading() as work:
        rows = await schedule.scheduled(work, browser.account_id, Page(40))
    return browser.page("scheduled.html", rows=[(row, schedule.draft_of(row)) for row in rows])


@router.post("/scheduled/{scheduled_id}/withdraw")
async def withdraw(form: MembersForm, scheduled_id: int) -> Response:
    async with form.browser.site.writing() as work:
        await schedule.withdraw(work, form.browser.account_id, scheduled_id)
    return form.browser.go("/scheduled", "deleted")


@router.get("/posts/{status_id}/edit")
async def show_edit(browser: Member, status_id: int) -> Response:
    async with browser.site.reading() as work:
        status = await the_own(work, status_id, browser.account_id)
        media = await edit.attached(work, status.id)
    draft = blank_draft(browser) | {
        "status": status.text,
        "spoiler_text": status.spoiler_text,
        "visibility": status.visibility,
        "language": status.language or "",
        "media": [media_attachment(browser.site.settings, row) for row in media],
    }
    return browser.page("edit.html", draft=draft, status_id=status.id, errors=())


@router.post("/posts/{status_id}/edit")
async def change(form: WritersForm, status_id: int) -> Response:
    browser, asked = form.browser, form.asked
    media: list[MediaAttachment] = []
    try:
        media = await _uploaded(browser, asked)
        values = _draft_values(asked, media)
        async with browser.site.writing() as work:
            status = await the_own(work, status_id, browser.account_id)
            draft = await read_draft(work, Asked(values), browser.account_id, visibility=status.visibility)
            changes = {row.id: uploads.Change(row.description or "") for row in media}
            await edit.edit(work, browser.account_id, status_id, draft, changes=changes)
    except RefusedError as error:
        if error.status != HTTPStatus.UNPROCESSABLE_ENTITY:
            raise
        return await _again(browser, asked, media, error, status_id=status_id)
    return browser.go(f"/@{browser.me.account.username}/{status_id}", "edited")


@router.get("/posts/{status_id}/delete")
async def ask_to_delete(browser: Member, status_id: int) -> Response:
    async with browser.site.reading() as work:
        (shown,) = await statuses(work, [await the_own(work, status_id, browser.account_id)], browser.account_id)
    return browser.page("delete.html", shown=shown)


@router.post("/posts/{status_id}/delete")
async def delete(form: MembersForm, status_id: int) -> Response:
    browser = form.browser
    async with browser.site.writing() as work:
        await removal.delete_post(work, browser.account_id, status_id)
    return browser.go(f"/@{browser.me.account.username}", "deleted")


_Act = Callable[[Work, int, int], Awaitable[Status]]
_ACTS: Final[Mapping[str, _Act]] = {
    "favourite": reactions.favourite,
    "unfavourite": reactions.unfavourite,
    "boost": reactions.boost,
    "unboost": reactions.unboost,
    "bookmark": reactions.bookmark,
    "unbookmark": reactions.unbookmark,
    "pin": reactions.pin,
    "unpin": reactions.unpin,
    "mute": reactions.mute_thread,
    "unmute": reactions.unmute_thread,
}


@router.post("/posts/{status_id}/vote")
async def vote(form: WritersForm, status_id: int) -> Response:
    choices = [int(each) for each in form.asked.texts("choices") if each.isdecimal()]

    async def voted(work: Work, account_id: int, status_id: int) -> Status:
        status = await the_status(work, status_id, account_id)
        await polls.vote(work, account_id, int(form.asked.text("poll")), choices)
        return status

    return await _done(form, status_id, voted)


@router.post("/posts/{status_id}/{act}")
async def act(form: WritersForm, status_id: int, act: str) -> Response:
    done = _ACTS.get(act)
    if done is None:
        raise not_found()
    return await _done(form, status_id, done)


async def _done(form: Form, status_id: int, done: _Act) -> Response:
    """The post as it is now, in its place; or back to the page it stood on."""
    browser = form.browser
    async with browser.site.writing() as work:
        status = await done(work, browser.account_id, status_id)
    if not browser.htmx:
        return browser.go(f"{local_path(form.asked.text('next'))}#p{status_id}")
    shown_id = status.id if status.reblog_of_id is None else status.reblog_of_id
    async with browser.site.reading() as work:
        rows = await statuses_by_id(work, [shown_id], browser.account_id)
        (shown,) = await statuses(work, rows, browser.account_id)
    return browser.page("post_alone.html", shown=shown, here=local_path(form.asked.text("next")))


async def _uploaded(browser: Browser, asked: Asked) -> list[MediaAttachment]:
    """What was attached before and is to stay, and what comes now; all with their descriptions."""
    media = []
    for media_id in asked.ids("media_ids"):
        if asked.flag(f"drop_{media_id}"):
            continue
        async with browser.site.reading() as work:
            row = await uploads.own(work, browser.account_id, media_id)
        row.description = asked.text(f"description_{media_id}") or None
        if row.status_id is None:
            row = await uploads.change(
                browser.site, browser.account_id, media_id, description=row.description or ""
            )
        media.append(row)
    for number in range(1, PICTURES_MAX + 1):
        file = asked.upload(f"picture_{number}")
        if file is not None and file.filename:
            description = asked.text(f"description_{number}") or None
            media.append(await uploads.take(browser.site, browser.account_id, file, description=description))
    return media


def _draft_values(asked: Asked, media: list[MediaAttachment]) -> dict[str, Any]:
    values: dict[str, Any] = {
        name: asked.text(name) for name in ("status", "spoiler_text", "visibility", "language", "in_reply_to_id")
    }
    values["media_ids"] = [str(row.id) for row in media]
    options = [option for option in asked.texts("options") if option.strip()]
    if options:
        multiple = asked.flag("multiple")
        values["poll"] = {"options": options, "expires_in": asked.integer("lasts", _DAY_S), "multiple": multiple}
    if asked.flag("sensitive"):
        values["sensitive"] = "true"
    return values


def _chosen_instant(browser: Browser, text: str) -> datetime | None:
    """What a field of local time says, in the zone of who fills it in. RefusedError if it is none."""
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=browser.zone)
    except ValueError as error:
        raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, "Record invalid") from error


async def _again(
    browser: Browser,
    asked: Asked,
    media: list[MediaAttachment],
    error: RefusedError,
    *,
    status_id: int | None = None,
) -> Response:
    """The form with what was filled in, and what is wrong with it; uploads need not be chosen again."""
    draft = blank_draft(browser) | {
        name: asked.text(name) for name in ("status", "spoiler_text", "visibility", "language", "in_reply_to_id")
    }
    draft["options"] = [option for option in asked.texts("options") if option.strip()]
    draft["media"] = [media_attachment(browser.site.settings, row) for row in media]
    return browser.page(
        "compose.html" if status_id is None else "edit.html",
        status=error.status,
        draft=draft,
        answered=None,
        status_id=status_id,
        errors=(told(browser.gettext, error.message),),
        key=new_key(),
    )
