"""The page of notifications: who did what that concerns the reader, the newest first."""

from typing import Final

from fastapi import APIRouter, Response

from rostra.site.attention import markers, notifications
from rostra.site.attention.notifications import Wish
from rostra.site.mastodon.body import Body
from rostra.site.mastodon.entities.account import accounts_by_id
from rostra.site.mastodon.paging import page_of
from rostra.site.pages.browser import Member, MembersForm
from rostra.site.pages.languages import N_
from rostra.site.pages.reading import as_read
from rostra.site.posts.visibility import statuses_by_id

router = APIRouter(include_in_schema=False)
# What stands over a notification, and its icon.
KINDS: Final = {
    "mention": (N_("mentioned you"), "reply"),
    "status": (N_("posted"), "pen"),
    "reblog": (N_("boosted your post"), "boost"),
    "follow": (N_("follows you"), "person"),
    "follow_request": (N_("asks to follow you"), "person"),
    "favourite": (N_("favoured your post"), "star"),
    "poll": (N_("A poll has ended"), "public"),
    "update": (N_("changed a post"), "pen"),
    "moderation_warning": (N_("A moderator has decided about your account"), "shield"),
    "admin.sign_up": (N_("joined"), "person"),
    "admin.report": (N_("reported something"), "shield"),
}


@router.get("/notifications")
async def show_notifications(browser: Member, asked: Body) -> Response:
    page, me = page_of(asked), browser.account_id
    async with browser.site.reading() as work:
        rows = await notifications.page_of_notifications(work, me, page, Wish())
        people = await accounts_by_id(work, {row.from_id for row in rows})
        found = await statuses_by_id(work, [row.status_id for row in rows if row.status_id is not None], me)
        posts = {int(each["id"]): each for each in await as_read(work, found, browser, "notifications")}
    if browser.unread and page.max_id is None and rows:
        async with browser.site.writing() as work:
            await markers.mark(work, me, {"notifications": rows[0].id})
        browser.unread = 0
    shown = [
        (row, *KINDS.get(row.kind, (row.kind, "bell")), people.get(row.from_id), posts.get(row.status_id or 0))
        for row in rows
        if row.status_id is None or row.status_id in posts
    ]
    older = rows[-1].id if len(rows) >= page.limit else None
    return browser.page("notifications.html", notifications=shown, older=older)


@router.post("/notifications/clear")
async def clear(form: MembersForm) -> Response:
    async with form.browser.site.writing() as work:
        await notifications.clear(work, form.browser.account_id)
    return form.browser.go("/notifications", "deleted")
