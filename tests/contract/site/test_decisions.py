"""A decision is one row with its reasons; what it restricts can be lifted whole; nobody decides the same twice."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from bus_server import run
from moderating import decide, lift, post, report
from rostra.core.conversation import Schedule
from rostra.core.units import SECOND_NS
from rostra.site.answers import RefusedError
from rostra.site.conversations.addresses import listener_of
from rostra.site.database.tables.attention import Notification
from rostra.site.database.tables.conversations import Conversation, ConversationGuest
from rostra.site.database.tables.graph import Follow
from rostra.site.database.tables.moderation import Decision, ModerationEntry, Report, Restriction
from rostra.site.database.tables.posts import Status
from rostra.site.events import AccountChanged, AccountClosed, StatusDeleted, StatusEdited
from rostra.site.moderation import appeals, reports
from rostra.site.moderation.appeals import Subject
from rostra.site.moderation.check import check_database, check_moderation
from rostra.site.moderation.moderators import Moderator
from rostra.site.moderation.reasons import Reasons
from rostra.site.moderation.restrictions import in_force, not_hidden
from site_kit import site_kit


def test_a_suspension_and_its_lifting_both_stay_visible_and_everything_comes_back(
    database_url: str, tmp_path: Path
) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            moderator, ann, bob = (
                await kit.account("mod", role="moderator"),
                await kit.account("ann"),
                await kit.account("bob"),
            )
            status_id = await post(kit, ann)
            async with kit.site.writing() as work:
                work.session.add(Follow(id=work.make_id(), account_id=bob, target_id=ann))
            kit.told.events.clear()
            banned = await decide(kit, moderator, "suspend", ann)
            assert AccountClosed(ann) in kit.told.events
            assert AccountChanged(ann) in kit.told.events
            async with kit.site.reading() as work:
                assert (await in_force(work, "account", [ann]))[ann] == {"suspend"}
                seen = select(Status.id).where(not_hidden(Status, work.now))
                assert list(await work.session.scalars(seen)) == []
                told = (await work.session.scalars(select(Notification))).one()
                assert (told.kind, told.account_id, told.decision_id) == ("moderation_warning", ann, banned.id)
            reinstated = await lift(kit, moderator, ann, "suspend")
            async with kit.site.reading() as work:
                assert (await in_force(work, "account", [ann]))[ann] == frozenset()
                seen = select(Status.id).where(not_hidden(Status, work.now))
                assert list(await work.session.scalars(seen)) == [status_id]
                assert await work.session.scalar(select(func.count()).select_from(Follow)) == 1
                kept = list(await work.session.scalars(select(Decision).order_by(Decision.id)))
                assert [each.action for each in kept] == ["suspend", "reinstate"]
                interval = (await work.session.scalars(select(Restriction))).one()
                assert (interval.lifted_at, interval.lift_decision_id) == (reinstated.decided_at, reinstated.id)
                entries = await work.session.scalars(select(ModerationEntry).order_by(ModerationEntry.number))
                assert [each.verb for each in entries] == ["decided", "reinstated"]
                assert (await check_moderation(work.session))[1] == []

    run(test)


def test_a_decision_settles_the_reports_that_it_is_about_and_no_others(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            moderator, ann, bob = (
                await kit.account("mod", role="moderator"),
                await kit.account("ann"),
                await kit.account("bob"),
            )
            bad, other = await post(kit, ann, "Bad"), await post(kit, ann, "Other")
            about_bad, about_other = await report(kit, bob, ann, (bad,)), await report(kit, bob, ann, (other,))
            removed = await decide(kit, moderator, "remove", ann, status_ids=(bad,), report_id=about_bad.id)
            assert removed.source_type == "SOURCE_TYPE_OTHER_NOTIFICATION"
            assert removed.content_types == ["TEXT"]
            assert StatusDeleted(bad, ann) in kit.told.events
            async with kit.site.reading() as work:
                first = await work.session.get_one(Report, about_bad.id)
                assert (first.outcome, first.action_taken_by_id) == ("acted", moderator)
                assert (await work.session.get_one(Report, about_other.id)).action_taken_at is None
            await decide(kit, moderator, "silence", ann)
            async with kit.site.reading() as work:
                assert (await work.session.get_one(Report, about_other.id)).outcome == "acted"

    run(test)


def test_nobody_decides_about_themselves_or_somebody_of_their_rank_and_members_about_nobody(
    database_url: str, tmp_path: Path
) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            owner, mod, mod2 = (
                await kit.account("owner", role="owner"),
                await kit.account("mod", role="moderator"),
                await kit.account("mod2", role="moderator"),
            )
            for by, about in ((mod, mod2), (mod, owner), (mod, mod)):
                with pytest.raises(RefusedError, match="not allowed"):
                    await decide(kit, by, "suspend", about)
            with pytest.raises(RefusedError, match="not allowed"):
                await decide(kit, mod, "suspend", mod2, role="member")
            with pytest.raises(RefusedError, match="not allowed"):
                await decide(kit, owner, "suspend", owner, role="owner")
            assert (await decide(kit, owner, "suspend", mod, role="owner")).target_account_id == mod

    run(test)


def test_of_two_moderators_who_decide_at_once_one_is_told_that_the_other_was_faster(
    database_url: str, tmp_path: Path
) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            one, two = await kit.account("one", role="moderator"), await kit.account("two", role="moderator")
            ann, bob = await kit.account("ann"), await kit.account("bob")
            told = await report(kit, bob, ann)
            outcomes: list[object] = []

            async def try_(by: int) -> None:
                try:
                    outcomes.append((await decide(kit, by, "suspend", ann, report_id=told.id)).action)
                except RefusedError as error:
                    outcomes.append(error.status)

            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(try_(one), name="one")
                tasks.create_task(try_(two), name="two")
            assert sorted(outcomes, key=str) == [409, "suspend"]
            async with kit.site.reading() as work:
                assert await work.session.scalar(select(func.count()).select_from(Decision)) == 1
                assert await work.session.scalar(select(func.count()).select_from(Restriction)) == 1
                assert (await check_moderation(work.session))[1] == []
            lifts: list[object] = []

            async def try_lift(by: int) -> None:
                try:
                    lifts.append((await lift(kit, by, ann, "suspend")).action)
                except RefusedError as error:
                    lifts.append(error.status)

            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(try_lift(one), name="one")
                tasks.create_task(try_lift(two), name="two")
            assert sorted(lifts, key=str) == [409, "reinstate"]

    run(test)


def test_decisions_rejections_and_appeals_at_the_same_instant_never_wait_for_each_other_in_a_ring(
    database_url: str, tmp_path: Path
) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            mods = [await kit.account(f"mod{n}", role="moderator") for n in range(3)]
            ann, bob = await kit.account("ann"), await kit.account("bob")

            async def reject(by: int, report_id: int) -> None:
                with suppress(RefusedError):  # the decision was faster
                    async with kit.site.writing() as work:
                        await reports.reject(work, Moderator(by, "moderator"), report_id)

            async def judge(by: int, appeal_id: int) -> None:
                async with kit.site.writing() as work:
                    await appeals.judge(work, Moderator(by, "moderator"), appeal_id, reverse=True, answer="Yes")

            for _ in range(5):
                told = [(await report(kit, bob, ann)).id for _ in mods]
                warned = await decide(kit, mods[0], "none", ann)
                async with kit.site.writing() as work:
                    made = await appeals.appeal(work, Subject("decision", warned.id), "No", account_id=ann)
                async with asyncio.TaskGroup() as tasks:
                    for by, report_id in zip(mods, told, strict=True):
                        tasks.create_task(reject(by, report_id), name=f"reject {report_id}")
                    tasks.create_task(judge(mods[1], made.id), name="judge")
                    tasks.create_task(decide(kit, mods[2], "silence", ann), name="decide")
                await lift(kit, mods[2], ann, "silence")
            async with kit.site.reading() as work:
                open_ = select(func.count()).select_from(Report).where(Report.action_taken_at.is_(None))
                assert await work.session.scalar(open_) == 0
                assert (await check_moderation(work.session))[1] == []

    run(test)


def test_what_is_in_force_is_not_decided_again_unless_it_lasts_longer(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            moderator, ann = await kit.account("mod", role="moderator"), await kit.account("ann")
            week = kit.clock.now + timedelta(days=7)
            await decide(kit, moderator, "suspend", ann, ends_at=week)
            with pytest.raises(RefusedError, match="in force already"):
                await decide(kit, moderator, "suspend", ann, ends_at=week - timedelta(days=1))
            await decide(kit, moderator, "suspend", ann)
            with pytest.raises(RefusedError, match="in force already"):
                await decide(kit, moderator, "suspend", ann, ends_at=week)

    run(test)


@pytest.mark.parametrize(
    ("action", "values", "why"),
    [
        ("banish", {}, "Type is not included"),
        ("label", {}, "label is for status"),
        ("silence", {"ends_at": "past"}, "in the past"),
        ("suspend", {"reasons": {"ground": "mood"}}, "Ground is not included"),
        ("suspend", {"reasons": {"legal_ground": ""}}, "incompatible_content_ground"),
        ("suspend", {"reasons": {"legal_ground": "x" * 501}}, "incompatible_content_ground"),
        ("suspend", {"reasons": {"explanation": "x" * 2001}}, "incompatible_content_explanation"),
        ("suspend", {"reasons": {"facts": "x" * 5001}}, "decision_facts"),
        ("suspend", {"reasons": {"facts": "The user @ann wrote it."}}, "must not name anybody"),
        ("suspend", {"reasons": {"facts": "Ann wrote it."}}, "must not name anybody"),
        ("suspend", {"reasons": {"facts": "Mail of ann@example.com."}}, "must not name anybody"),
        ("suspend", {"reasons": {"category": "BAD"}}, "category"),
        ("suspend", {"reasons": {"territory": ("XX",)}}, "territorial_scope"),
    ],
)
def test_a_decision_without_a_full_statement_of_reasons_changes_nothing(
    sqlite_url: str, action: str, values: dict[str, Any], why: str, tmp_path: Path
) -> None:
    async def test() -> None:
        async with site_kit(sqlite_url, tmp_path) as kit:
            moderator, ann = await kit.account("mod", role="moderator"), await kit.account("ann")
            given = dict(values)
            if "reasons" in given:
                given["reasons"] = Reasons(
                    **{
                        "ground": "terms",
                        "legal_ground": "Rule 1",
                        "explanation": "Why",
                        "facts": "What",
                        **given["reasons"],
                    }
                )
            if "ends_at" in given:
                given["ends_at"] = kit.clock.now - timedelta(days=1)
            with pytest.raises(RefusedError, match=why):
                await decide(kit, moderator, action, ann, **given)
            async with kit.site.reading() as work:
                for table in (Decision, Restriction, ModerationEntry, Notification):
                    assert await work.session.scalar(select(func.count()).select_from(table)) == 0

    run(test)


def test_a_post_is_hidden_labelled_and_marked_and_shown_again(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            moderator, ann, bob = (
                await kit.account("mod", role="moderator"),
                await kit.account("ann"),
                await kit.account("bob"),
            )
            status_id, foreign = await post(kit, ann), await post(kit, bob)
            await decide(kit, moderator, "label", ann, status_ids=(status_id,), label="Disputed")
            await decide(kit, moderator, "mark_sensitive", ann, status_ids=(status_id,))
            assert StatusEdited(status_id, ann) in kit.told.events
            hidden = await decide(
                kit, moderator, "hide", ann, status_ids=(status_id,), ends_at=kit.clock.now + timedelta(days=2)
            )
            async with kit.site.reading() as work:
                assert (await in_force(work, "status", [status_id]))[status_id] == {"label", "sensitive", "hide"}
            kit.told.events.clear()
            kit.clock.pass_(days=2)
            await kit.do_jobs()
            assert StatusEdited(status_id, ann) in kit.told.events, "what is shown again is told"
            async with kit.site.reading() as work:
                assert (await in_force(work, "status", [status_id]))[status_id] == {"label", "sensitive"}
                expired = select(ModerationEntry.subject).where(ModerationEntry.verb == "expired")
                assert [each["decision"] for each in await work.session.scalars(expired)] == [str(hidden.id)]
            with pytest.raises(RefusedError, match="belongs to one account"):
                await decide(kit, moderator, "hide", ann, status_ids=(status_id, foreign))

    run(test)


def test_who_is_suspended_leaves_every_stage_that_is_still_to_come(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            moderator, ann, bob = (
                await kit.account("mod", role="moderator"),
                await kit.account("ann"),
                await kit.account("bob"),
            )
            for name, hours in (("tonight", 2), ("yesterday", -20)):
                start = kit.clock.now + timedelta(hours=hours)
                async with kit.site.writing() as work:
                    talk = Conversation(
                        id=work.make_id(),
                        name=name,
                        host_id=bob,
                        title=name,
                        language="en",
                        time_zone="UTC",
                        visibility="public",
                        starts_at=start,
                        doors_at=start,
                        ends_at=start + timedelta(hours=1),
                        created_at=work.now,
                        updated_at=work.now,
                    )
                    work.session.add(talk)
                    await work.session.flush()
                    work.session.add(
                        ConversationGuest(
                            id=work.make_id(),
                            conversation_id=talk.id,
                            account_id=ann,
                            role="speaker",
                            person="00112233aabbccdd",
                        )
                    )
                at_ns = int(start.timestamp()) * SECOND_NS
                await kit.stage.announce(name, Schedule(name, at_ns, at_ns, at_ns + 3600 * SECOND_NS, "UTC"))
            banned = await decide(kit, moderator, "suspend", ann)
            await kit.do_jobs()
            assert kit.stage.expelled == [("tonight", "00112233aabbccdd", str(moderator), f"suspend ({banned.id})")]
            async with kit.site.reading() as work:
                found = await work.session.scalars(select(Conversation.id).where(Conversation.name == "tonight"))
            assert kit.stage.revoked == [("tonight", listener_of(kit.site.settings, found.one(), ann))]

    run(test)


def test_what_was_altered_behind_the_log_is_found(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            moderator, ann, bob = (
                await kit.account("mod", role="moderator"),
                await kit.account("ann"),
                await kit.account("bob"),
            )
            told = await report(kit, bob, ann)
            banned = await decide(kit, moderator, "suspend", ann, report_id=told.id)
            await lift(kit, moderator, ann, "suspend")
            async with kit.site.reading() as work:
                assert (await check_moderation(work.session))[1] == []
            async with kit.site.writing() as work:
                await work.session.execute(
                    update(Decision).where(Decision.id == banned.id).values(explanation="Something else")
                )
                await work.session.execute(
                    update(ModerationEntry).where(ModerationEntry.number == 1).values(actor_id=moderator)
                )
                await work.session.execute(update(Restriction).values(ends_at=work.now))
            async with kit.site.reading() as work:
                found = {finding.where: finding.what for finding in (await check_moderation(work.session))[1]}
            assert "changed after it was made" in found[f"decision {banned.id}"]
            assert "changed after it was written" in found["moderation log entry 1"]
            assert any(where.startswith("restriction") for where in found)
            async with kit.site.writing() as work:
                await work.session.delete(await work.session.get_one(ModerationEntry, 2))
            async with kit.site.reading() as work:
                found = {finding.where: finding.what for finding in (await check_moderation(work.session))[1]}
            assert "are missing before it" in found["moderation log entry 3"]
            read, findings = await check_database(database_url)
            assert read > 0, "rostra fsck looks at the same"
            assert {finding.where for finding in findings} == set(found)
            assert f"decision {banned.id}" in found

    run(test)


def test_a_database_that_no_site_has_used_yet_has_nothing_to_find(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        absent = tmp_path / "absent.db"
        assert await check_database(f"sqlite:///{absent}") == (0, [])
        assert not absent.exists()
        (tmp_path / "broken.db").write_bytes(b"no database at all" * 100)
        read, findings = await check_database(f"sqlite:///{tmp_path / 'broken.db'}")
        assert (read, [finding.where for finding in findings]) == (0, ["database"])
        async with site_kit(database_url, tmp_path):
            assert await check_database(database_url) == (0, [])

    run(test)
