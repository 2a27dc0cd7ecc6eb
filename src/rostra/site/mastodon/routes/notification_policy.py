"""The policy of notifications over the API, and the requests of those whose notifications it keeps apart."""

from typing import Annotated

from fastapi import APIRouter, Request
from typing_extensions import TypedDict

from rostra.site.answers import Json, not_found
from rostra.site.app import TheSite
from rostra.site.attention import requests
from rostra.site.attention.policy import DEFAULTS
from rostra.site.mastodon.body import Asked, Id, asks
from rostra.site.mastodon.entities.notification import NotificationRequestEntity, notification_requests
from rostra.site.mastodon.paging import Paged, links, page_of
from rostra.site.mastodon.routes.notifications import Reader, Writer
from rostra.site.snowflake import parse_snowflake
from rostra.site.work import Work

router = APIRouter(tags=["notifications"])
_REQUESTS = "/api/v1/notifications/requests"


class PolicySummaryEntity(TypedDict):
    pending_requests_count: int
    pending_notifications_count: int


class NotificationPolicyEntity(TypedDict):
    for_not_following: str
    for_not_followers: str
    for_new_accounts: str
    for_private_mentions: str
    for_limited_accounts: str
    summary: PolicySummaryEntity


@router.get("/api/v2/notifications/policy", response_model=NotificationPolicyEntity)
async def show(site: TheSite, viewer: Reader) -> Json:
    async with site.reading() as work:
        return Json(await _policy(work, viewer.account_id))


@router.patch("/api/v2/notifications/policy", response_model=NotificationPolicyEntity)
@router.put("/api/v2/notifications/policy", response_model=NotificationPolicyEntity)
async def change(
    site: TheSite, viewer: Writer, asked: Annotated[Asked, asks(dict.fromkeys(DEFAULTS, str))]
) -> Json:
    wanted = {question: asked.text(question) for question in DEFAULTS if question in asked}
    async with site.writing() as work:
        await requests.choose(work, viewer.account_id, wanted)
        await work.session.flush()
        return Json(await _policy(work, viewer.account_id))


@router.get(_REQUESTS, response_model=list[NotificationRequestEntity])
async def read(request: Request, site: TheSite, viewer: Reader, asked: Paged) -> Json:
    page = page_of(asked, limit=40, limit_max=80)
    async with site.reading() as work:
        rows = await requests.pending(work, viewer.account_id, page)
        entities = await notification_requests(work, rows, viewer.account_id)
    return Json(entities, headers=links(request, site.settings.url, page, [row.newest_id for row in rows]))


@router.get(f"{_REQUESTS}/merged")
async def show_merged(viewer: Reader) -> Json:
    """What was accepted is among the others at once."""
    del viewer
    return Json({"merged": True})


@router.get(f"{_REQUESTS}/{{from_id}}", response_model=NotificationRequestEntity)
async def show_one(site: TheSite, viewer: Reader, from_id: str) -> Json:
    async with site.reading() as work:
        row = await requests.pending_from(work, viewer.account_id, parse_snowflake(from_id) or -1)
        return Json((await notification_requests(work, [row], viewer.account_id))[0])


@router.post(f"{_REQUESTS}/accept")
async def accept_many(site: TheSite, viewer: Writer, asked: Annotated[Asked, asks(id=[Id])]) -> Json:
    async with site.writing() as work:
        await requests.accept(work, viewer.account_id, asked.ids("id"))
    return Json({})


@router.post(f"{_REQUESTS}/dismiss")
async def dismiss_many(site: TheSite, viewer: Writer, asked: Annotated[Asked, asks(id=[Id])]) -> Json:
    async with site.writing() as work:
        await requests.dismiss(work, viewer.account_id, asked.ids("id"))
    return Json({})


@router.post(f"{_REQUESTS}/{{from_id}}/{{act}}")
async def decide(site: TheSite, viewer: Writer, from_id: str, act: str) -> Json:
    acts = {"accept": requests.accept, "dismiss": requests.dismiss}
    if act not in acts:
        raise not_found()
    async with site.writing() as work:
        await acts[act](work, viewer.account_id, [parse_snowflake(from_id) or -1])
    return Json({})


async def _policy(work: Work, account_id: int) -> NotificationPolicyEntity:
    senders, waiting = await requests.pending_counts(work, account_id)
    summary = PolicySummaryEntity(pending_requests_count=senders, pending_notifications_count=waiting)
    chosen = await requests.choices(work, account_id)
    return NotificationPolicyEntity(
        for_not_following=chosen["for_not_following"],
        for_not_followers=chosen["for_not_followers"],
        for_new_accounts=chosen["for_new_accounts"],
        for_private_mentions=chosen["for_private_mentions"],
        for_limited_accounts=chosen["for_limited_accounts"],
        summary=summary,
    )
