"""Restrictions: what is not as usual with an account, a post or a conversation, since when and until when.

A restriction is in force when it has begun, has not ended and was not lifted; one for a time expires by the query
alone. Nothing else says that an account is suspended or a post hidden: everybody filters by what is here.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import BigInteger, BindParameter, ColumnElement, String, and_, bindparam, exists, or_, select
from sqlalchemy.orm import InstrumentedAttribute, aliased

from rostra.site.database.tables.columns import Instant
from rostra.site.database.tables.moderation import Restriction
from rostra.site.database.tables.posts import Status
from rostra.site.work import Work

Moment = datetime | BindParameter[datetime]  # or the parameter of a statement that is kept
ACCOUNT_KINDS: Final = frozenset({"suspend", "silence", "disable", "sensitive"})
STATUS_KINDS: Final = frozenset({"label", "hide", "remove", "sensitive"})
CONVERSATION_KINDS: Final = frozenset({"end", "limit"})
KINDS: Final[Mapping[str, frozenset[str]]] = {
    "account": ACCOUNT_KINDS,
    "status": STATUS_KINDS,
    "conversation": CONVERSATION_KINDS,
}
CLOSED: Final = frozenset({"suspend", "disable"})  # whose holder may do nothing but read why, and appeal
HIDDEN: Final = frozenset({"hide", "remove"})  # what nobody but moderators sees


async def in_force(
    work: Work, target_kind: str, ids: Iterable[int], *, at: datetime | None = None
) -> dict[int, frozenset[str]]:
    """The kinds of restriction on each of `ids` (every one is a key), now or as it was `at` an instant."""
    found: dict[int, set[str]] = {each: set() for each in ids}
    values = {"target_kind": target_kind, "ids": list(found), "at": at or work.now}
    for target_id, kind in await work.session.execute(_IN_FORCE, values):
        found[target_id].add(kind)
    return {each: frozenset(kinds) for each, kinds in found.items()}


async def labels(work: Work, status_ids: Iterable[int]) -> dict[int, str]:
    """What the labelled ones of these posts are labelled with; the newest label where there are several."""
    rows = await work.session.execute(
        select(Restriction.target_id, Restriction.label)
        .where(
            Restriction.target_kind == "status",
            Restriction.kind == "label",
            Restriction.target_id.in_(list(status_ids)),
            is_in_force(work.now),
        )
        .order_by(Restriction.starts_at)
    )
    return {row.target_id: row.label for row in rows}


async def history(work: Work, target_kind: str, target_id: int) -> list[Restriction]:
    """Every restriction that there ever was, also those that ended or were lifted; the newest first."""
    query = select(Restriction).where(Restriction.target_kind == target_kind, Restriction.target_id == target_id)
    return list(await work.session.scalars(query.order_by(Restriction.starts_at.desc(), Restriction.id.desc())))


# --- conditions for where-clauses --------------------------------------------------------------------------


def is_in_force(at: Moment, restriction: type[Restriction] = Restriction) -> ColumnElement[bool]:
    return and_(
        restriction.starts_at <= at,
        or_(restriction.ends_at.is_(None), restriction.ends_at > at),
        or_(restriction.lifted_at.is_(None), restriction.lifted_at > at),
    )


_IN_FORCE: Final = select(Restriction.target_id, Restriction.kind).where(  # written once: every page asks it
    Restriction.target_kind == bindparam("target_kind", type_=String),
    Restriction.target_id.in_(bindparam("ids", expanding=True, type_=BigInteger)),
    is_in_force(bindparam("at", type_=Instant)),
)


def account_is(
    kind: str, account_id: ColumnElement[int] | InstrumentedAttribute[int], now: Moment
) -> ColumnElement[bool]:
    """`where(~account_is("silence", Status.account_id, work.now))`."""
    assert kind in ACCOUNT_KINDS
    return _restricted("account", account_id, {kind}, now)


def status_is(
    kind: str, status_id: ColumnElement[int] | InstrumentedAttribute[int], now: Moment
) -> ColumnElement[bool]:
    assert kind in STATUS_KINDS
    return _restricted("status", status_id, {kind}, now)


def conversation_is(
    kind: str, conversation_id: ColumnElement[int] | InstrumentedAttribute[int], now: Moment
) -> ColumnElement[bool]:
    assert kind in CONVERSATION_KINDS
    return _restricted("conversation", conversation_id, {kind}, now)


def not_hidden(status: type[Status], now: Moment) -> ColumnElement[bool]:
    """`where(not_hidden(Status, work.now))`, or of an alias: neither the post nor its author was taken away.

    A boost is judged by itself; ask for the boosted post too, by its alias.
    """
    return ~_restricted("status", status.id, HIDDEN, now) & ~account_is("suspend", status.account_id, now)


def _restricted(
    target_kind: str,
    target_id: ColumnElement[int] | InstrumentedAttribute[int],
    kinds: Iterable[str],
    now: Moment,
) -> ColumnElement[bool]:
    restriction = aliased(Restriction)  # several of these may stand in one query
    return exists().where(
        restriction.target_kind == target_kind,
        restriction.target_id == target_id,
        restriction.kind.in_(sorted(kinds)),
        is_in_force(now, restriction),
    )
