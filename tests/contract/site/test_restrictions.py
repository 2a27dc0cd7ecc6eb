"""A restriction is an interval: it begins, ends or is lifted, and what was once in force can be asked for ever."""

from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from bus_server import run
from rostra.site.database.tables.moderation import Decision, Restriction
from rostra.site.database.tables.people import Account
from rostra.site.database.tables.posts import Status
from rostra.site.moderation.restrictions import account_is, history, in_force, labels, not_hidden, status_is
from rostra.site.work import Work
from site_kit import Kit, site_kit


async def restrict(
    work: Work,
    kind: str,
    target_kind: str,
    target_id: int,
    *,
    of: int,
    ends_at: datetime | None = None,
    label: str = "",
) -> Restriction:
    decision = Decision(
        id=work.make_id(),
        action=kind,
        target_account_id=of,
        ground="terms",
        explanation="A test",
        facts="A test",
        category="STATEMENT_CATEGORY_OTHER_VIOLATION_TC",
        source_type="SOURCE_VOLUNTARY",
        automated_decision="AUTOMATED_DECISION_NOT_AUTOMATED",
        decided_at=work.now,
        appeal_until=work.now,
    )
    work.session.add(decision)
    await work.session.flush()
    restriction = Restriction(
        id=work.make_id(),
        kind=kind,
        target_kind=target_kind,
        target_id=target_id,
        decision_id=decision.id,
        starts_at=work.now,
        ends_at=ends_at,
        label=label,
    )
    work.session.add(restriction)
    await work.session.flush()
    return restriction


async def post(kit: Kit, account_id: int) -> int:
    async with kit.site.writing() as work:
        status_id = work.make_id()
        work.session.add(
            Status(
                id=status_id,
                account_id=account_id,
                text="Hello",
                visibility="public",
                thread_id=status_id,
                created_at=work.now,
            )
        )
        return status_id


def test_a_suspension_for_a_time_is_over_when_the_time_is_and_stays_in_the_history(
    database_url: str, tmp_path: Path
) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob = await kit.account("ann"), await kit.account("bob")
            before = kit.clock.now
            async with kit.site.writing() as work:
                await restrict(work, "suspend", "account", ann, of=ann, ends_at=work.now + timedelta(days=3))
                await restrict(work, "silence", "account", ann, of=ann)
            async with kit.site.reading() as work:
                assert await in_force(work, "account", [ann, bob]) == {
                    ann: frozenset({"suspend", "silence"}),
                    bob: frozenset(),
                }
                suspended = select(Account.id).where(account_is("suspend", Account.id, work.now))
                assert list(await work.session.scalars(suspended)) == [ann]
                assert await in_force(work, "account", [ann], at=before) == {ann: frozenset()}
            during = kit.clock.now
            kit.clock.pass_(days=3)
            async with kit.site.reading() as work:
                assert await in_force(work, "account", [ann]) == {ann: frozenset({"silence"})}
                assert (
                    list(await work.session.scalars(suspended.where(account_is("suspend", Account.id, work.now))))
                    == []
                )
                assert await in_force(work, "account", [ann], at=during) == {ann: frozenset({"suspend", "silence"})}
                assert {each.kind for each in await history(work, "account", ann)} == {"suspend", "silence"}

    run(test)


def test_what_was_lifted_is_seen_again_and_what_was_hidden_or_whose_author_is_suspended_is_not(
    database_url: str, tmp_path: Path
) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob = await kit.account("ann"), await kit.account("bob")
            open_, hidden, labelled, lifted = [await post(kit, ann) for _ in range(4)]
            of_suspended = await post(kit, bob)
            async with kit.site.writing() as work:
                await restrict(work, "hide", "status", hidden, of=ann)
                await restrict(work, "label", "status", labelled, of=ann, label="Disputed")
                removed = await restrict(work, "remove", "status", lifted, of=ann)
                removed.lifted_at = work.now
                await restrict(work, "suspend", "account", bob, of=bob)
            async with kit.site.reading() as work:
                seen = select(Status.id).where(not_hidden(Status, work.now)).order_by(Status.id)
                assert list(await work.session.scalars(seen)) == [open_, labelled, lifted]
                with_label = select(Status.id).where(status_is("label", Status.id, work.now))
                assert list(await work.session.scalars(with_label)) == [labelled]
                assert await labels(work, [open_, labelled, of_suspended]) == {labelled: "Disputed"}

    run(test)
