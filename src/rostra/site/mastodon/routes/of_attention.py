"""The routes of what asks for somebody's attention, and of what is attached to posts."""

from typing import Final

from fastapi import APIRouter

from rostra.site.mastodon.routes import (
    announcements,
    markers,
    media,
    notification_groups,
    notification_policy,
    notifications,
    push,
    streaming,
)

ATTENTION: Final[tuple[APIRouter, ...]] = (
    announcements.router,
    markers.router,
    media.router,
    notification_policy.router,  # before notifications.router, which takes any word for an id
    notifications.router,
    notification_groups.router,
    push.router,
    streaming.router,
)
