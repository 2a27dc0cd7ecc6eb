"""The push subscription of a client (the API's WebPushSubscription)."""

from typing import Annotated

from fastapi import APIRouter, Depends
from typing_extensions import TypedDict

from rostra.site.answers import Json
from rostra.site.app import TheSite
from rostra.site.attention import push, vapid
from rostra.site.database.tables.attention import PushSubscription
from rostra.site.mastodon.body import Asked, asks
from rostra.site.oauth.bearer import Viewer, signed_in
from rostra.site.settings import SiteSettings

router = APIRouter(prefix="/api/v1/push/subscription", tags=["push"])
Pushed = Annotated[Viewer, Depends(signed_in("push"))]
_WANTED = {"data": {"alerts": dict.fromkeys(push.ALERTS, bool), "policy": str}, "policy": str}


class WebPushSubscriptionEntity(TypedDict):
    id: str
    endpoint: str
    standard: bool
    server_key: str
    alerts: dict[str, bool]
    policy: str


@router.post("", response_model=WebPushSubscriptionEntity)
async def subscribe(
    site: TheSite,
    viewer: Pushed,
    asked: Annotated[
        Asked,
        asks(_WANTED, subscription={"endpoint": str, "standard": bool, "keys": {"p256dh": str, "auth": str}}),
    ],
) -> Json:
    wanted = asked.nested("subscription")
    async with site.writing() as work:
        row = await push.subscribe(
            work,
            viewer,
            endpoint=wanted.text("endpoint"),
            key_p256dh=wanted.nested("keys").text("p256dh"),
            key_auth=wanted.nested("keys").text("auth"),
            standard=wanted.flag("standard"),
            alerts=_alerts(asked),
            policy=_policy(asked),
        )
    return Json(_entity(site.settings, row))


@router.get("", response_model=WebPushSubscriptionEntity)
async def show(site: TheSite, viewer: Pushed) -> Json:
    async with site.reading() as work:
        return Json(_entity(site.settings, await push.subscription(work, viewer)))


@router.put("", response_model=WebPushSubscriptionEntity)
async def change(site: TheSite, viewer: Pushed, asked: Annotated[Asked, asks(_WANTED)]) -> Json:
    async with site.writing() as work:
        row = await push.change(work, viewer, alerts=_alerts(asked), policy=_policy(asked))
    return Json(_entity(site.settings, row))


@router.delete("")
async def unsubscribe(site: TheSite, viewer: Pushed) -> Json:
    async with site.writing() as work:
        await push.unsubscribe(work, viewer)
    return Json({})


def _alerts(asked: Asked) -> dict[str, bool]:
    alerts = asked.nested("data").nested("alerts")
    return {kind: alerts.flag(kind) for kind in push.ALERTS}


def _policy(asked: Asked) -> str:
    return asked.nested("data").text("policy") or asked.text("policy") or "all"


def _entity(settings: SiteSettings, row: PushSubscription) -> WebPushSubscriptionEntity:
    return WebPushSubscriptionEntity(
        id=str(row.id),
        endpoint=row.endpoint,
        standard=row.standard,
        server_key=vapid.public_key(settings),
        alerts={kind: bool(row.alerts.get(kind)) for kind in push.ALERTS},
        policy=row.policy,
    )
