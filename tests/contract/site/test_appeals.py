"""Who is decided about may appeal for half a year, also without being able to log in; somebody else judges."""

import asyncio
import re
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from browsing import Browsing
from bus_server import run
from moderating import decide, letters, post, report
from rostra.site.answers import RefusedError
from rostra.site.database.tables.media import MediaAttachment
from rostra.site.database.tables.moderation import Appeal, Decision, Report
from rostra.site.database.tables.posts import Status
from rostra.site.moderation import appeals, reports
from rostra.site.moderation.appeals import Subject
from rostra.site.moderation.check import check_moderation
from rostra.site.moderation.moderators import Moderator
from rostra.site.moderation.restrictions import in_force
from site_kit import Kit, site_kit


async def appeal(kit: Kit, subject: Subject, account_id: int | None, text: str = "It was satire.") -> Appeal:
    async with kit.site.writing() as work:
        return await appeals.appeal(work, subject, text, account_id=account_id)


async def judge(kit: Kit, by: int, appeal_id: int, *, reverse: bool, answer: str = "You are right.") -> Appeal:
    async with kit.site.writing() as work:
        return await appeals.judge(work, Moderator(by, "moderator"), appeal_id, reverse=reverse, answer=answer)


def test_who_is_suspended_appeals_by_the_link_of_the_letter_and_is_reinstated(
    database_url: str, tmp_path: Path
) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            one, two = await kit.account("one", role="moderator"), await kit.account("two", role="moderator")
            ann = await kit.account("ann")
            banned = await decide(kit, one, "suspend", ann)
            await kit.do_jobs()
            ((subject, to, words),) = letters(tmp_path / "mail")
            assert (subject, to) == ("Your account was suspended", "ann@example.com")
            for said in ("Rule 1: be kind", "called another person a liar", "which rule 1 forbids", str(banned.id)):
                assert said in words
            assert "made by a person" in words
            found = re.search(r"http://localhost:3000(/appeal/\S+)", words)
            assert found
            browser = Browsing(kit)
            page = await browser.get(found[1])
            assert page.status_code == 200, page.text
            assert "Your account was suspended" in page.text
            sent = await browser.post(found[1], {"text": "It was satire."})
            assert "We have your appeal" in sent.text
            assert (await browser.post(found[1], {"text": "Again"})).text.count("There is an appeal already") == 1
            async with kit.site.reading() as work:
                (row,) = await appeals.waiting(work)
            with pytest.raises(RefusedError, match="Somebody else"):
                await judge(kit, one, row.id, reverse=True)
            await judge(kit, two, row.id, reverse=True)
            async with kit.site.reading() as work:
                assert (await in_force(work, "account", [ann]))[ann] == frozenset()
                kept = (await work.session.scalars(select(Decision).order_by(Decision.id))).all()
                assert [each.action for each in kept] == ["suspend", "reinstate"]
                assert (kept[0].overruled_by_id, kept[0].overruled_at) == (kept[1].id, kept[1].decided_at)
                assert (await work.session.get_one(Appeal, row.id)).lift_decision_id == kept[1].id
                assert (await check_moderation(work.session))[1] == []
            await kit.do_jobs()
            subjects = [subject for subject, _, _ in letters(tmp_path / "mail")]
            assert sorted(subjects[1:]) == ["A restriction of yours was lifted", "Your appeal was granted"]

    run(test)


def test_a_member_appeals_on_their_own_page_also_while_suspended_and_does_nothing_else_there(
    database_url: str, tmp_path: Path
) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            one = await kit.account("one", role="moderator")
            ann = await kit.account("ann", password="correct horse")
            banned = await decide(kit, one, "suspend", ann)
            browser = Browsing(kit)
            await browser.log_in("ann@example.com", "correct horse")
            page = await browser.get("/settings/decisions")
            assert page.status_code == 200, page.text
            assert "Your account was suspended" in page.text
            refused = await browser.post("/conversations/new", {"title": "I am still here"})
            assert refused.status_code == 403
            appealed = await browser.post(f"/settings/decisions/decision/{banned.id}/appeal", {"text": "Satire"})
            assert appealed.headers["location"] == "/settings/decisions"
            assert "Satire" in (await browser.get("/settings/decisions")).text

    run(test)


def test_a_notifier_whose_report_was_rejected_appeals_and_it_is_open_again(
    database_url: str, tmp_path: Path
) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            one, two = await kit.account("one", role="moderator"), await kit.account("two", role="moderator")
            ann, bob = await kit.account("ann"), await kit.account("bob")
            row = await report(kit, bob, ann)
            with pytest.raises(RefusedError, match="Only a report that was rejected"):
                await appeal(kit, Subject("report", row.id), bob)
            async with kit.site.writing() as work:
                await reports.reject(work, Moderator(one, "moderator"), row.id)
            await kit.do_jobs()
            ((subject, to, words),) = letters(tmp_path / "mail")
            assert (subject, to) == ("We have looked at your report", "bob@example.com")
            assert "/appeal/" in words
            with pytest.raises(RefusedError, match="Record not found"):
                await appeal(kit, Subject("report", row.id), ann)
            made = await appeal(kit, Subject("report", row.id), bob)
            await judge(kit, two, made.id, reverse=True)
            async with kit.site.reading() as work:
                assert (await work.session.get_one(Report, row.id)).action_taken_at is None

    run(test)


def test_appeals_that_are_late_empty_foreign_or_forged_are_refused(sqlite_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(sqlite_url, tmp_path) as kit:
            one, ann, bob = (
                await kit.account("one", role="moderator"),
                await kit.account("ann"),
                await kit.account("bob"),
            )
            banned = await decide(kit, one, "silence", ann)
            for text in ("", "  ", "x" * 2001):
                with pytest.raises(RefusedError, match="An appeal has"):
                    await appeal(kit, Subject("decision", banned.id), ann, text)
            for subject, account_id in ((Subject("decision", banned.id), bob), (Subject("decision", 77), ann)):
                with pytest.raises(RefusedError, match="Record not found"):
                    await appeal(kit, subject, account_id)
            code = appeals.link_code(Subject("decision", banned.id), kit.site.settings.key)
            assert appeals.parse_link_code(code, kit.site.settings.key) == Subject("decision", banned.id)
            forged = appeals.link_code(Subject("decision", banned.id), b"another key")
            for bad in (forged, code[:-2], code + "A", "x", "..%2f", "é"):
                assert appeals.parse_link_code(bad, kit.site.settings.key) is None
                assert (await kit.anonymous.get(f"/appeal/{bad}")).status_code == 404
            kit.clock.pass_(days=183)
            with pytest.raises(RefusedError, match="time for an appeal is over"):
                await appeal(kit, Subject("decision", banned.id), ann)

    run(test)


def test_of_two_who_judge_at_once_one_is_told_and_nothing_is_lifted_twice(
    database_url: str, tmp_path: Path
) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            one, two, three = [await kit.account(name, role="moderator") for name in ("one", "two", "three")]
            ann = await kit.account("ann")
            banned = await decide(kit, one, "suspend", ann)
            made = await appeal(kit, Subject("decision", banned.id), ann)
            outcomes: list[object] = []

            async def try_(by: int) -> None:
                try:
                    outcomes.append((await judge(kit, by, made.id, reverse=True)).outcome)
                except RefusedError as error:
                    outcomes.append(error.status)

            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(try_(two), name="two")
                tasks.create_task(try_(three), name="three")
            assert sorted(outcomes, key=str) == [409, "reversed"]
            async with kit.site.reading() as work:
                assert await work.session.scalar(select(func.count()).select_from(Decision)) == 2

    run(test)


def test_the_only_moderator_of_a_small_site_judges_also_what_they_decided(sqlite_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(sqlite_url, tmp_path) as kit:
            one, ann = await kit.account("one", role="moderator"), await kit.account("ann")
            warned = await decide(kit, one, "none", ann)
            made = await appeal(kit, Subject("decision", warned.id), ann)
            with pytest.raises(RefusedError, match="An answer has"):
                await judge(kit, one, made.id, reverse=False, answer=" ")
            assert (await judge(kit, one, made.id, reverse=True)).outcome == "reversed"
            async with kit.site.reading() as work:
                assert (await work.session.get_one(Decision, warned.id)).overruled_at is not None

    run(test)


def test_nothing_removed_is_destroyed_before_its_appeal_window_has_ended_nor_while_an_appeal_waits(
    database_url: str, tmp_path: Path
) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            one, two, ann = (
                await kit.account("one", role="moderator"),
                await kit.account("two", role="moderator"),
                await kit.account("ann"),
            )
            gone, appealed, back = [await post(kit, ann, text) for text in ("Gone", "Appealed", "Back")]
            file = tmp_path / "media" / "files" / "ab" / ("c" * 30 + ".png")
            file.parent.mkdir(parents=True)
            file.write_bytes(b"picture")
            async with kit.site.writing() as work:
                work.session.add(
                    MediaAttachment(
                        id=work.make_id(),
                        account_id=ann,
                        status_id=gone,
                        kind="image",
                        state="ready",
                        file=f"ab/{'c' * 30}.png",
                        created_at=work.now,
                    )
                )
            await decide(kit, one, "remove", ann, status_ids=(gone,))
            second = await decide(kit, one, "remove", ann, status_ids=(appealed,))
            third = await decide(kit, one, "remove", ann, status_ids=(back,))
            kit.clock.pass_(days=182)
            waiting = await appeal(kit, Subject("decision", second.id), ann)
            reversed_ = await appeal(kit, Subject("decision", third.id), ann)
            await judge(kit, two, reversed_.id, reverse=True)
            await kit.do_jobs()
            withheld = tmp_path / "media" / "withheld" / "ab" / file.name
            assert not file.exists(), "nobody sees it meanwhile"
            assert withheld.exists()

            async def texts() -> list[str]:
                async with kit.site.reading() as work:
                    return list(await work.session.scalars(select(Status.text).order_by(Status.id)))

            assert await texts() == ["Gone", "Appealed", "Back"]
            kit.clock.pass_(days=2)
            await kit.do_jobs()
            assert await texts() == ["", "Appealed", "Back"]
            assert not withheld.exists()
            await judge(kit, two, waiting.id, reverse=False, answer="It stays removed.")
            kit.clock.pass_(days=1, hours=2)
            await kit.do_jobs()
            assert await texts() == ["", "", "Back"]
            async with kit.site.reading() as work:
                assert (await check_moderation(work.session))[1] == []

    run(test)


def test_an_appeal_against_a_restriction_whose_time_is_over_still_clears_the_name(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def test() -> None:
        async with site_kit(sqlite_url, tmp_path) as kit:
            one, two, ann = (
                await kit.account("one", role="moderator"),
                await kit.account("two", role="moderator"),
                await kit.account("ann"),
            )
            banned = await decide(kit, one, "suspend", ann, ends_at=kit.clock.now + timedelta(days=3))
            kit.clock.pass_(days=10)
            made = await appeal(kit, Subject("decision", banned.id), ann)
            await judge(kit, two, made.id, reverse=True)
            async with kit.site.reading() as work:
                assert (await work.session.get_one(Decision, banned.id)).overruled_at is not None

    run(test)
