"""Relationship: how a viewer stands to many accounts at once: follows, requests, blocks, mutes, notes."""

from collections.abc import Sequence

from sqlalchemy import or_, select
from typing_extensions import TypedDict

from rostra.site.database.tables.graph import Block, Follow, FollowRequest, Mute
from rostra.site.database.tables.people import AccountNote, Endorsement
from rostra.site.mastodon.entities.account import AccountEntity, accounts
from rostra.site.mastodon.entities.instants import optional
from rostra.site.people.circles import familiar
from rostra.site.work import Work


class RelationshipEntity(TypedDict):
    id: str
    following: bool
    showing_reblogs: bool
    notifying: bool
    languages: list[str] | None
    followed_by: bool
    blocking: bool
    blocked_by: bool
    muting: bool
    muting_notifications: bool
    muting_expires_at: str | None
    requested: bool
    requested_by: bool
    domain_blocking: bool
    endorsed: bool
    note: str


class FamiliarFollowersEntity(TypedDict):
    id: str
    accounts: list[AccountEntity]


async def familiar_followers(work: Work, account_id: int, others: Sequence[int]) -> list[FamiliarFollowersEntity]:
    """For each of `others`, those of its followers whom `account_id` follows."""
    circles = await familiar(work, account_id, others)
    known = {row.id: row for rows in circles.values() for row in rows}
    entities = dict(zip(known, await accounts(work, list(known.values())), strict=True))
    return [
        FamiliarFollowersEntity(id=str(other), accounts=[entities[row.id] for row in circles[other]])
        for other in others
    ]


async def relationships(work: Work, account_id: int, others: Sequence[int]) -> list[RelationshipEntity]:
    """How `account_id` stands to each of `others`, in their order. Nine queries, however many they are."""
    follows = {
        row.target_id: row
        for row in await work.session.scalars(
            select(Follow).where(Follow.account_id == account_id, Follow.target_id.in_(others))
        )
    }
    requests = {
        row.target_id: row
        for row in await work.session.scalars(
            select(FollowRequest).where(FollowRequest.account_id == account_id, FollowRequest.target_id.in_(others))
        )
    }
    mutes = {
        row.target_id: row
        for row in await work.session.scalars(
            select(Mute).where(
                Mute.account_id == account_id,
                Mute.target_id.in_(others),
                or_(Mute.expires_at.is_(None), Mute.expires_at > work.now),
            )
        )
    }
    notes = {
        row.about_id: row.text
        for row in await work.session.scalars(
            select(AccountNote).where(AccountNote.account_id == account_id, AccountNote.about_id.in_(others))
        )
    }
    followers = await _who(work, Follow, account_id, others)
    asking = await _who(work, FollowRequest, account_id, others)
    blockers = await _who(work, Block, account_id, others)
    blocked = set(
        await work.session.scalars(
            select(Block.target_id).where(Block.account_id == account_id, Block.target_id.in_(others))
        )
    )
    endorsed = set(
        await work.session.scalars(
            select(Endorsement.endorsed_id).where(
                Endorsement.account_id == account_id, Endorsement.endorsed_id.in_(others)
            )
        )
    )

    def entity(other: int) -> RelationshipEntity:
        follow = follows.get(other)
        wish = follow or requests.get(other)
        mute = mutes.get(other)
        return RelationshipEntity(
            id=str(other),
            following=follow is not None,
            showing_reblogs=wish is not None and wish.reblogs,
            notifying=wish is not None and wish.notify,
            languages=None if wish is None else wish.languages,
            followed_by=other in followers,
            blocking=other in blocked,
            blocked_by=other in blockers,
            muting=mute is not None,
            muting_notifications=mute is not None and mute.notifications,
            muting_expires_at=None if mute is None else optional(mute.expires_at),
            requested=follow is None and wish is not None,
            requested_by=other in asking,
            domain_blocking=False,
            endorsed=other in endorsed,
            note=notes.get(other, ""),
        )

    return [entity(other) for other in others]


async def _who(
    work: Work, table: type[Follow | FollowRequest | Block], account_id: int, others: Sequence[int]
) -> set[int]:
    """Those of `others` who have a row in `table` about `account_id`."""
    query = select(table.account_id).where(table.target_id == account_id, table.account_id.in_(others))
    return set(await work.session.scalars(query))
