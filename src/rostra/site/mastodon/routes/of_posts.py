"""The routers and jobs of posts and of all that is made of them."""

from collections.abc import Mapping
from typing import Final

from fastapi import APIRouter

from rostra.site.jobs import Handler
from rostra.site.mastodon.routes import (
    direct_threads,
    filters,
    lists,
    reactions,
    scheduled_statuses,
    search,
    statuses,
    tags,
    timelines,
)
from rostra.site.mastodon.routes import polls as poll_routes
from rostra.site.posts import compose, polls, schedule

POSTS: Final[tuple[APIRouter, ...]] = (
    direct_threads.router,
    filters.router,
    lists.router,
    poll_routes.router,
    reactions.router,
    scheduled_statuses.router,
    search.router,
    statuses.router,
    tags.router,
    timelines.router,
)
POST_JOBS: Final[Mapping[str, Handler]] = {
    "poll.end": polls.end,
    "post.notify": compose.notify_many,
    "post.scheduled": schedule.publish,
}
