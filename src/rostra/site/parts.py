"""What the site is made of: the routers and the jobs of all its parts."""

from collections.abc import Mapping
from typing import Final

from fastapi import APIRouter

from rostra.site.attention import push
from rostra.site.cards import cards
from rostra.site.conversations import announce, notices, reminders
from rostra.site.conversations import api as conversations
from rostra.site.jobs import Handler
from rostra.site.mail import post
from rostra.site.mastodon.routes.of_attention import ATTENTION
from rostra.site.mastodon.routes.of_people import PEOPLE
from rostra.site.mastodon.routes.of_posts import POST_JOBS, POSTS
from rostra.site.media import serving, uploads, withholding
from rostra.site.moderation.parts import MODERATION, MODERATION_JOBS
from rostra.site.oauth import routes as oauth
from rostra.site.pages.routers import PAGES
from rostra.site.people import leaving

ROUTERS: Final[tuple[APIRouter, ...]] = (
    oauth.router,
    *PEOPLE,
    conversations.router,
    *ATTENTION,
    *POSTS,
    *MODERATION,
    serving.router,
    *PAGES,
)
HANDLERS: Final[Mapping[str, Handler]] = {
    "mail": post.deliver,
    "conversation.moved": reminders.moved,
    "conversation.publish": announce.publish,
    "conversation.push": reminders.push,
    "conversation.remind": reminders.send,
    "conversation.tell": notices.tell,
    "cards.fetch": cards.fetch,
    "media.forget": uploads.forget,
    withholding.WITHHOLD: withholding.withhold,
    leaving.CALL_OFF: leaving.call_off,
    leaving.FORGET: leaving.forget,
    **MODERATION_JOBS,
    **POST_JOBS,
    "push.send": push.send,
}
SLOW_HANDLERS: Final[Mapping[str, Handler]] = {  # minutes of work, one at a time: nothing else waits for them
    "media.make": uploads.make_film,
}
