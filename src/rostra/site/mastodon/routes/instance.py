"""What the site says of itself, to clients and to crawlers; and its pictures for those who have none."""

from datetime import timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Response
from sqlalchemy import ColumnElement, and_, case, func, select
from starlette.responses import PlainTextResponse

from rostra import __version__
from rostra.site.answers import Json, not_found
from rostra.site.app import TheSite
from rostra.site.attention import vapid
from rostra.site.database.tables.people import Account, LoginEvent
from rostra.site.database.tables.posts import Status
from rostra.site.mastodon.body import Asked, asks
from rostra.site.mastodon.entities.account import accounts
from rostra.site.mastodon.entities.instance import (
    LANGUAGES,
    InstanceEntity,
    InstanceV1Entity,
    RuleEntity,
    counts,
    description_html,
    instance,
    instance_v1,
    rules,
)
from rostra.site.mastodon.entities.instants import written
from rostra.site.people import lookup
from rostra.site.people.placeholders import avatar, header
from rostra.site.work import Work

router = APIRouter(tags=["instance"])
_NAMES: Final = {"en": "English", "nl": "Nederlands"}
_SHARED: Final = {"Cache-Control": "public, max-age=180"}  # nothing in it is of this minute
_FOR_EVER: Final = {"Cache-Control": "public, max-age=604800"}
_WEEKS: Final = 12


@router.get("/api/v1/instance", response_model=InstanceV1Entity)
@router.get("/api/v1/instance/", response_model=InstanceV1Entity, include_in_schema=False)
async def show_v1(site: TheSite) -> Json:
    async with site.reading() as work:
        return Json(await instance_v1(work), headers=_SHARED)


@router.get("/api/v2/instance", response_model=InstanceEntity)
@router.get("/api/v2/instance/", response_model=InstanceEntity, include_in_schema=False)
async def show(site: TheSite) -> Json:
    async with site.reading() as work:
        return Json(await instance(work, vapid.public_key(site.settings)), headers=_SHARED)


@router.get("/api/v1/instance/rules", response_model=list[RuleEntity])
async def show_rules(site: TheSite) -> Json:
    async with site.reading() as work:
        return Json(await rules(work), headers=_SHARED)


@router.get("/api/v1/instance/extended_description")
@router.get("/api/v1/instance/privacy_policy")
async def describe(site: TheSite) -> Json:
    """What the operator wrote about the site; its pages say the rest."""
    content = description_html(site.settings)
    return Json({"updated_at": written(site.clock()), "content": content}, headers=_SHARED)


@router.get("/api/v1/instance/terms_of_service")
@router.get("/api/v1/instance/domain_blocks")
async def none_such() -> Json:
    """There are none: the site speaks to no other servers, and its rules are its terms."""
    raise not_found()


@router.get("/api/v1/instance/peers")
@router.get("/api/v1/custom_emojis")
async def none() -> Json:
    return Json([], headers=_SHARED)


@router.get("/api/v1/instance/translation_languages")
async def translation_languages() -> Json:
    return Json({}, headers=_SHARED)


@router.get("/api/v1/instance/languages")
async def languages() -> Json:
    return Json([{"code": code, "name": _NAMES[code]} for code in LANGUAGES], headers=_SHARED)


@router.get("/api/v1/instance/activity")
async def activity(site: TheSite) -> Json:
    """Posts, log-ins and new accounts of the last twelve weeks, each since its Monday; as texts, like Mastodon."""
    async with site.reading() as work:
        today = work.now.replace(hour=0, minute=0, second=0, microsecond=0)
        monday = today - timedelta(days=today.weekday())
        weeks = [monday - timedelta(weeks=n) for n in range(_WEEKS)]

        async def counted(column: Any, *conditions: ColumnElement[bool]) -> list[int]:
            sums = [
                func.coalesce(
                    func.sum(case((and_(column >= week, column < week + timedelta(weeks=1)), 1), else_=0)), 0
                )
                for week in weeks
            ]
            return [
                int(each)
                for each in (
                    await work.session.execute(select(*sums).where(column >= weeks[-1], *conditions))
                ).one()
            ]

        statuses = await counted(Status.created_at, Status.deleted_at.is_(None))
        logins = await counted(LoginEvent.at, LoginEvent.outcome == "logged_in")
        joined = await counted(Account.created_at)
    entities = [
        {
            "week": str(int(week.timestamp())),
            "statuses": str(statuses[n]),
            "logins": str(logins[n]),
            "registrations": str(joined[n]),
        }
        for n, week in enumerate(weeks)
    ]
    return Json(entities, headers=_SHARED)


@router.get("/health")
async def health(site: TheSite) -> Response:
    """For a load balancer: whether this process answers and reaches its database."""
    async with site.reading() as work:
        await work.session.execute(select(1))
    return PlainTextResponse("OK", headers={"Cache-Control": "no-store"})


@router.get("/.well-known/nodeinfo")
async def nodeinfo_links(site: TheSite) -> Json:
    link = {"rel": "http://nodeinfo.diaspora.software/ns/schema/2.0", "href": f"{site.settings.url}/nodeinfo/2.0"}
    return Json({"links": [link]}, headers=_SHARED)


@router.get("/nodeinfo/2.0")
async def nodeinfo(site: TheSite) -> Json:
    async with site.reading() as work:
        people, statuses, active = await counts(work)
    return Json(
        {
            "version": "2.0",
            "software": {"name": "rostra", "version": __version__},
            "protocols": [],
            "services": {"inbound": [], "outbound": ["atom1.0"]},
            "usage": {"users": {"total": people, "activeMonth": active}, "localPosts": statuses},
            "openRegistrations": site.settings.registrations == "open",
            "metadata": {"nodeName": site.settings.title, "nodeDescription": site.settings.description},
        },
        headers=_SHARED,
    )


@router.get("/.well-known/host-meta")
async def host_meta(site: TheSite) -> Response:
    """RFC 6415: where to ask about an address."""
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<XRD xmlns="http://docs.oasis-open.org/ns/xri/xrd-1.0">\n'
        f'  <Link rel="lrdd" template="{site.settings.url}/.well-known/webfinger?resource={{uri}}"/>\n</XRD>\n'
    )
    return Response(body, media_type="application/xrd+xml", headers=_SHARED)


@router.get("/.well-known/webfinger")
async def webfinger(site: TheSite, asked: Annotated[Asked, asks(resource=str)]) -> Json:
    """RFC 7033: whose address it is. 404 for everybody who is not here."""
    resource = asked.text("resource")
    acct = resource.removeprefix("acct:")
    if acct == resource:
        acct = resource.removeprefix(f"{site.settings.url}/@").removeprefix(f"{site.settings.url}/users/")
    async with site.reading() as work:
        return await _described(work, acct)


@router.get("/avatars/original/missing.png")
async def missing_avatar() -> Response:
    return Response(avatar(), media_type="image/png", headers=_FOR_EVER)


@router.get("/headers/original/missing.png")
async def missing_header() -> Response:
    return Response(header(), media_type="image/png", headers=_FOR_EVER)


async def _described(work: Work, acct: str) -> Json:
    (entity,) = await accounts(work, [await lookup.by_acct(work, acct)])
    return Json(
        {
            "subject": f"acct:{entity['username']}@{work.settings.domain}",
            "aliases": [entity["url"], entity["uri"]],
            "links": [
                {
                    "rel": "http://webfinger.net/rel/profile-page",
                    "type": "text/html",
                    "href": entity["url"],
                },
                {"rel": "http://webfinger.net/rel/avatar", "type": "image/png", "href": entity["avatar"]},
            ],
        },
        headers=_SHARED | {"Access-Control-Allow-Origin": "*"},
        media_type="application/jrd+json",
    )
