"""Notification, its groups (API v2), and the requests of those whose notifications are kept apart."""

from collections.abc import Iterable, Sequence
from typing import Any, NotRequired

import orjson
from sqlalchemy import select
from typing_extensions import TypedDict

from rostra.site.attention.notifications import Group
from rostra.site.attention.requests import Pending
from rostra.site.database.tables.attention import Notification
from rostra.site.database.tables.moderation import Decision, Report
from rostra.site.database.tables.posts import Status
from rostra.site.mastodon.entities.account import AccountEntity, accounts_by_id
from rostra.site.mastodon.entities.instants import written
from rostra.site.mastodon.entities.moderation import (
    AccountWarningEntity,
    ReportEntity,
    account_warnings,
    reports,
)
from rostra.site.mastodon.entities.status import StatusEntity, write
from rostra.site.posts.visibility import statuses_by_id
from rostra.site.work import Work


class NotificationEntity(TypedDict):
    id: str
    type: str
    created_at: str
    group_key: str
    account: AccountEntity
    status: NotRequired[StatusEntity]
    report: NotRequired[ReportEntity]
    moderation_warning: NotRequired[AccountWarningEntity]


class PartialAccountEntity(TypedDict):
    id: str
    acct: str
    url: str
    avatar: str
    avatar_static: str
    locked: bool
    bot: bool


class NotificationGroupEntity(TypedDict):
    group_key: str
    notifications_count: int
    type: str
    most_recent_notification_id: str
    page_min_id: str
    page_max_id: str
    latest_page_notification_at: str
    sample_account_ids: list[str]
    status_id: NotRequired[str]
    report: NotRequired[ReportEntity]
    moderation_warning: NotRequired[AccountWarningEntity]


class GroupedNotificationsEntity(TypedDict):
    accounts: list[AccountEntity]
    partial_accounts: NotRequired[list[PartialAccountEntity]]
    statuses: list[StatusEntity]
    notification_groups: list[NotificationGroupEntity]


class NotificationRequestEntity(TypedDict):
    id: str
    created_at: str
    updated_at: str
    account: AccountEntity
    notifications_count: str
    last_status: StatusEntity | None


class _About:
    """What notifications are about, loaded for all of them at once."""

    def __init__(
        self,
        statuses: dict[int, orjson.Fragment],
        hidden: frozenset[int],
        others: dict[int, dict[str, Any]],
    ) -> None:
        self.statuses = statuses
        self.hidden = hidden
        self.others = others


async def notifications(work: Work, rows: Sequence[Notification], viewer_id: int) -> list[NotificationEntity]:
    """The entities of `rows`, in their order; without those about posts that the viewer's filters hide."""
    about = await _about(work, rows, viewer_id)
    people = await accounts_by_id(work, {row.from_id for row in rows})
    entities = []
    for row in rows:
        if row.status_id in about.hidden:
            continue
        entity: dict[str, Any] = {
            "id": str(row.id),
            "type": row.kind,
            "created_at": written(row.created_at),
            "group_key": row.group_key,
            "account": people[row.from_id],
            **about.others.get(row.id, {}),
        }
        if row.status_id in about.statuses:
            entity["status"] = about.statuses[row.status_id]
        entities.append(entity)
    return entities  # type: ignore[return-value] # posts are written already


async def grouped(
    work: Work, groups: Sequence[Group], viewer_id: int, *, only_avatars: bool
) -> GroupedNotificationsEntity:
    """A page of groups, with all they are about once. `only_avatars`: whole accounts of the newest only."""
    rows = [group.newest for group in groups]
    about = await _about(work, rows, viewer_id)
    shown = [group for group in groups if group.newest.status_id not in about.hidden]
    people = await accounts_by_id(work, {each for group in shown for each in group.from_ids})
    first = {group.from_ids[0] for group in shown}
    entity: dict[str, Any] = {
        "accounts": [each for id_, each in people.items() if not only_avatars or id_ in first],
        "statuses": list(about.statuses.values()),
        "notification_groups": [_group(group, about) for group in shown],
    }
    if only_avatars:
        entity["partial_accounts"] = partial([each for id_, each in people.items() if id_ not in first])
    return entity  # type: ignore[return-value] # posts are written already


def partial(entities: Iterable[AccountEntity]) -> list[PartialAccountEntity]:
    return [
        PartialAccountEntity(
            id=each["id"],
            acct=each["acct"],
            url=each["url"],
            avatar=each["avatar"],
            avatar_static=each["avatar_static"],
            locked=each["locked"],
            bot=each["bot"],
        )
        for each in entities
    ]


async def notification_requests(
    work: Work, rows: Sequence[Pending], viewer_id: int
) -> list[NotificationRequestEntity]:
    people = await accounts_by_id(work, {row.from_id for row in rows})
    ids = [row.last_status_id for row in rows if row.last_status_id is not None]
    seen = await statuses_by_id(work, ids, viewer_id)
    posts = dict(zip((row.id for row in seen), (await write(work, seen, viewer_id)).fragments, strict=True))
    return [
        {
            "id": str(row.from_id),
            "created_at": written(row.created_at),
            "updated_at": written(row.updated_at),
            "account": people[row.from_id],
            "notifications_count": str(row.count),
            "last_status": posts.get(row.last_status_id or 0),  # type: ignore[typeddict-item] # written already
        }
        for row in rows
    ]


def _group(group: Group, about: _About) -> dict[str, Any]:
    newest = group.newest
    entity: dict[str, Any] = {
        "group_key": group.key,
        "notifications_count": group.count,
        "type": newest.kind,
        "most_recent_notification_id": str(newest.id),
        "page_min_id": str(group.oldest_id),
        "page_max_id": str(newest.id),
        "latest_page_notification_at": written(newest.created_at),
        "sample_account_ids": [str(each) for each in group.from_ids],
        **about.others.get(newest.id, {}),
    }
    if newest.status_id in about.statuses:
        entity["status_id"] = str(newest.status_id)
    return entity


async def _about(work: Work, rows: Sequence[Notification], viewer_id: int) -> _About:
    wanted = {row.status_id for row in rows if row.status_id is not None}
    posts = list(await work.session.scalars(select(Status).where(Status.id.in_(wanted)))) if wanted else []
    page = await write(work, posts, viewer_id, context="notifications")
    shown = [row.id for row in posts if row.id not in page.hidden]
    reported = await _by_id(work, Report, {row.report_id for row in rows})
    decided = await _by_id(work, Decision, {row.decision_id for row in rows})
    report_entities = dict(zip(reported, await reports(work, list(reported.values())), strict=True))
    warnings = dict(zip(decided, await account_warnings(work, list(decided.values())), strict=True))
    others: dict[int, dict[str, Any]] = {}
    for row in rows:
        if row.report_id in report_entities:
            others[row.id] = {"report": report_entities[row.report_id]}
        elif row.decision_id in warnings:
            others[row.id] = {"moderation_warning": warnings[row.decision_id]}
    return _About(dict(zip(shown, page.fragments, strict=True)), page.hidden, others)


async def _by_id(work: Work, table: Any, ids: set[int | None]) -> dict[int, Any]:
    wanted = [each for each in ids if each is not None]
    if not wanted:
        return {}
    return {row.id: row for row in await work.session.scalars(select(table).where(table.id.in_(wanted)))}
