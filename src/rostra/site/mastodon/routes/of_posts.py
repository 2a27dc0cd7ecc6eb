"""The routers and jobs of posts and of all that is made of them."""

from collections.abc import Mapping
from typing import Final

from fastapi import APIRouter

from rostra.site.jobs import Handler
from rostra.site.mastodon.routes import reactions, scheduled_statuses, statuses, timelines
from rostra.site.posts import compose, polls, schedule

POSTS: Final[tuple[APIRouter, ...]] = (
    reactions.router,
    scheduled_statuses.router,
    statuses.router,
    timelines.router,
)
POST_JOBS: Final[Mapping[str, Handler]] = {
    "poll.end": polls.end,
    "post.notify": compose.notify_many,
    "post.scheduled": schedule.publish,
}
