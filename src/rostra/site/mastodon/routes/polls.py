"""Polls over Mastodon's API."""

from typing import Annotated

from fastapi import APIRouter

from rostra.site.answers import Json, invalid
from rostra.site.app import TheSite
from rostra.site.mastodon.body import Asked, asks
from rostra.site.mastodon.entities.poll import PollEntity
from rostra.site.mastodon.entities.poll import polls as entities
from rostra.site.mastodon.routes.statuses import Writer, id_of
from rostra.site.oauth.bearer import Anybody
from rostra.site.posts import polls

router = APIRouter(prefix="/api/v1/polls", tags=["polls"])


@router.get("/{poll_id}", response_model=PollEntity)
async def show(site: TheSite, poll_id: str, viewer: Anybody) -> Json:
    viewer_id = viewer.account_id if viewer else None
    async with site.reading() as work:
        row = await polls.the_poll(work, id_of(poll_id), viewer_id)
        return Json((await entities(work, [row], viewer_id))[0])


@router.post("/{poll_id}/votes", response_model=PollEntity)
async def vote(site: TheSite, poll_id: str, asked: Annotated[Asked, asks(choices=[str])], viewer: Writer) -> Json:
    choices = asked.texts("choices")
    if not all(choice.isascii() and choice.isdecimal() and len(choice) < 4 for choice in choices):
        raise invalid("Validation failed: The chosen vote option does not exist")
    async with site.writing() as work:
        row = await polls.vote(work, viewer.account_id, id_of(poll_id), [int(choice) for choice in choices])
    async with site.reading() as work:
        return Json((await entities(work, [row], viewer.account_id))[0])
