"""Web push (RFC 8030, 8291): who wants which notifications pushed where, and their delivery by jobs."""

import binascii
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import orjson
import structlog
from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.asymmetric import ec
from pywebpush import WebPusher
from selectolax.lexbor import LexborHTMLParser
from sqlalchemy import delete, select

from rostra.core.errors import RostraError
from rostra.core.limits import PUSH_BODY_LENGTH_MAX, PUSH_KEPT_S
from rostra.site.answers import invalid, not_found
from rostra.site.attention import vapid
from rostra.site.database.tables.attention import Notification, PushSubscription
from rostra.site.database.tables.graph import Follow
from rostra.site.database.tables.people import Account, User
from rostra.site.database.tables.posts import Status
from rostra.site.oauth.bearer import Viewer
from rostra.site.pages.languages import N_, translations
from rostra.site.work import Site, Work

_log = structlog.get_logger()
ALERTS: Final = (
    "mention", "status", "reblog", "follow", "follow_request", "favourite", "poll", "update", "quote",
    "quoted_update", "admin.sign_up", "admin.report",
)  # fmt: skip
POLICIES: Final = ("all", "followed", "follower", "none")
_ALWAYS: Final = frozenset({"moderation_warning", "severed_relationships"})  # due process: nobody can switch it off
_TITLES: Final = {
    "mention": N_("%(name)s mentioned you"),
    "status": N_("%(name)s posted"),
    "reblog": N_("%(name)s boosted your post"),
    "favourite": N_("%(name)s favourited your post"),
    "follow": N_("%(name)s follows you"),
    "follow_request": N_("%(name)s asks to follow you"),
    "poll": N_("A poll has ended"),
    "update": N_("%(name)s edited a post"),
    "admin.sign_up": N_("%(name)s signed up"),
    "admin.report": N_("%(name)s sent a report"),
    "moderation_warning": N_("A moderator has decided about your account"),
    "severed_relationships": N_("You have lost followers by a decision"),
}
_GONE: Final = frozenset({404, 410})  # RFC 8030 §7.3
_LATER: Final = frozenset({408, 425, 429})
_URL_LENGTH_MAX: Final = 2_000


class UndeliveredError(RostraError):
    """A push service does not take it now. Caught by the jobs, which try again."""


# --- subscriptions -------------------------------------------------------------------------------


async def subscription(work: Work, viewer: Viewer) -> PushSubscription:
    """That of this client. RefusedError (404) if it has none."""
    found = await work.session.scalar(
        select(PushSubscription).where(
            PushSubscription.account_id == viewer.account_id, PushSubscription.token_id == viewer.token_id
        )
    )
    if found is None:
        raise not_found()
    return found


async def subscribe(
    work: Work,
    viewer: Viewer,
    *,
    endpoint: str,
    key_p256dh: str,
    key_auth: str,
    standard: bool,
    alerts: Mapping[str, bool],
    policy: str,
) -> PushSubscription:
    """Push to this client from now on, in place of what it asked for before."""
    _check(endpoint, key_p256dh, key_auth)
    await unsubscribe(work, viewer)
    made = PushSubscription(
        id=work.make_id(),
        account_id=viewer.account_id,
        token_id=viewer.token_id,
        endpoint=endpoint,
        key_p256dh=key_p256dh,
        key_auth=key_auth,
        alerts=dict(alerts),
        policy=_policy(policy),
        standard=standard,
    )
    work.session.add(made)
    return made


async def change(work: Work, viewer: Viewer, *, alerts: Mapping[str, bool], policy: str) -> PushSubscription:
    row = await subscription(work, viewer)
    row.alerts, row.policy = dict(alerts), _policy(policy)
    return row


async def unsubscribe(work: Work, viewer: Viewer) -> None:
    await work.session.execute(
        delete(PushSubscription).where(
            PushSubscription.account_id == viewer.account_id, PushSubscription.token_id == viewer.token_id
        )
    )


# --- delivery ------------------------------------------------------------------------------------


async def send(site: Site, payload: dict[str, Any]) -> None:
    """`push.send`: one notification to one subscription, if it is still wanted."""
    async with site.reading() as work:
        row = await work.session.get(PushSubscription, payload["subscription_id"])
        notification = await work.session.get(Notification, payload["notification_id"])
        if row is None or notification is None or not await _is_wanted(work, row, notification):
            return
        if (work.now - notification.created_at).total_seconds() > PUSH_KEPT_S:
            return  # nobody wants to be woken by it any more
        message = await _message(work, notification)
    await deliver(site, row, message)


async def deliver(site: Site, row: PushSubscription, message: Mapping[str, Any]) -> None:
    """Encrypt `message` for the subscription and hand it to its service; one that is gone is removed."""
    keys = {"p256dh": row.key_p256dh, "auth": row.key_auth}
    encoding = "aes128gcm" if row.standard else "aesgcm"
    sealed = WebPusher({"endpoint": row.endpoint, "keys": keys}).encode(orjson.dumps(message), encoding)
    headers = {"TTL": str(PUSH_KEPT_S), "Urgency": "normal", "Content-Encoding": encoding}
    headers |= vapid.signed(site.settings, row.endpoint, site.clock(), standard=row.standard)
    if not row.standard:
        headers["Encryption"] = f"salt={sealed['salt'].decode()}"
        headers["Crypto-Key"] = f"dh={sealed['crypto_key'].decode()};{headers['Crypto-Key']}"
    status = await site.outbound.post(row.endpoint, body=sealed["body"], headers=headers)
    if status in _GONE:
        async with site.writing() as work:
            await work.session.execute(delete(PushSubscription).where(PushSubscription.id == row.id))
    elif status >= 500 or status in _LATER:
        raise UndeliveredError(f"The push service answered {status}.")
    elif status >= 300:
        _log.warning("push.refused", status=status, service=urlsplit(row.endpoint).netloc)


async def _is_wanted(work: Work, row: PushSubscription, notification: Notification) -> bool:
    if notification.filtered:
        return False
    if notification.kind in _ALWAYS:
        return True
    if not row.alerts.get(notification.kind):
        return False
    match row.policy:
        case "none":
            return False
        case "all":
            return True
        case "followed":
            pair = (notification.account_id, notification.from_id)
        case _:
            pair = (notification.from_id, notification.account_id)
    query = select(Follow.id).where(Follow.account_id == pair[0], Follow.target_id == pair[1])
    return await work.session.scalar(query) is not None


async def _message(work: Work, notification: Notification) -> dict[str, Any]:
    """As Mastodon's clients expect it; but the token, of which we keep a hash only."""
    sender = await work.session.get_one(Account, notification.from_id)
    recipient = select(User.locale).where(User.account_id == notification.account_id)
    locale = await work.session.scalar(recipient) or "en"
    status = None if notification.status_id is None else await work.session.get(Status, notification.status_id)
    body = ""
    if status is not None:
        body = status.spoiler_text or " ".join(LexborHTMLParser(status.content).text(separator=" ").split())
    title = translations(locale).gettext(_TITLES.get(notification.kind, "%(name)s"))
    avatar = f"media/{sender.avatar}" if sender.avatar else "avatars/missing.png"
    return {
        "access_token": "",
        "preferred_locale": locale,
        "notification_id": str(notification.id),
        "notification_type": notification.kind,
        "icon": f"{work.settings.url}/{avatar}",
        "title": title % {"name": sender.display_name or sender.username},
        "body": body[:PUSH_BODY_LENGTH_MAX],
    }


def _policy(policy: str) -> str:
    if policy not in POLICIES:
        raise invalid("Validation failed: Policy is not included in the list")
    return policy


def _check(endpoint: str, key_p256dh: str, key_auth: str) -> None:
    parts = urlsplit(endpoint)
    if parts.scheme not in {"http", "https"} or not parts.hostname or len(endpoint) > _URL_LENGTH_MAX:
        raise invalid("Validation failed: Endpoint is not a valid URL")
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), _decoded(key_p256dh))
        is_secret = len(_decoded(key_auth)) == 16
    except (ValueError, binascii.Error, InvalidKey) as error:
        raise invalid("Validation failed: Subscription keys are invalid") from error
    if not is_secret:
        raise invalid("Validation failed: Subscription keys are invalid")


def _decoded(key: str) -> bytes:
    return urlsafe_b64decode(key + "=" * (-len(key) % 4))
