"""Polls: who may vote for what, how votes are counted, and that those who took part hear how it ended."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from rostra.site.answers import invalid, not_found
from rostra.site.attention.notify import notify
from rostra.site.database.tables.posts import Poll, PollVote, Status
from rostra.site.events import StatusEdited
from rostra.site.posts.visibility import the_status
from rostra.site.work import Site, Work


async def the_poll(work: Work, poll_id: int, viewer_id: int | None) -> Poll:
    """RefusedError (404) also for those who may not see its post."""
    poll = await work.session.get(Poll, poll_id)
    if poll is None or poll.status_id is None:
        raise not_found()
    await the_status(work, poll.status_id, viewer_id)
    return poll


async def vote(work: Work, account_id: int, poll_id: int, choices: Sequence[int]) -> Poll:
    """Where several may be chosen, one after the other too.

    RefusedError for one's own poll, one that has ended, the same vote again, and choices that are not there.
    """
    await the_poll(work, poll_id, account_id)
    query = select(Poll).where(Poll.id == poll_id).with_for_update()  # votes are counted one after the other
    poll = (await work.session.scalars(query.execution_options(populate_existing=True))).one()
    assert poll.status_id is not None
    status = await work.session.get_one(Status, poll.status_id)
    if poll.expires_at <= work.now:
        raise invalid("Validation failed: The poll has already ended")
    if status.account_id == account_id:
        raise invalid("Validation failed: You cannot vote in your own polls")
    voted = select(PollVote.choice).where(PollVote.poll_id == poll_id, PollVote.account_id == account_id)
    known = set(await work.session.scalars(voted))
    if known & set(choices) or (not poll.multiple and (known or len(set(choices)) > 1)):
        raise invalid("Validation failed: You have already voted on this poll")
    if not choices or not all(0 <= choice < len(poll.options) for choice in choices):
        raise invalid("Validation failed: The chosen vote option does not exist")
    for choice in set(choices):
        work.session.add(PollVote(poll_id=poll_id, account_id=account_id, choice=choice, voted_at=work.now))
    poll.votes = [count + (number in choices) for number, count in enumerate(poll.votes)]
    poll.voters_count += not known
    work.tell(StatusEdited(status.id, status.account_id))
    return poll


async def end(site: Site, payload: dict[str, Any]) -> None:
    """A job: tell the author and all who voted. Nothing if it was moved to later, or its post is gone."""
    async with site.writing() as work:
        poll = await work.session.get(Poll, payload["poll_id"])
        if poll is None or poll.status_id is None or poll.expires_at > work.now:
            return
        status = await work.session.get_one(Status, poll.status_id)
        if status.deleted_at is not None:
            return
        voters = select(PollVote.account_id).where(PollVote.poll_id == poll.id).distinct()
        told = [status.account_id, *await work.session.scalars(voters)]
        await notify(work, "poll", told, from_id=status.account_id, status_id=status.id)
        work.tell(StatusEdited(status.id, status.account_id))
