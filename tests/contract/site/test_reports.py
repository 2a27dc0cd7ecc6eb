"""Anybody may report: over the API, or on a page without an account; what was seen is kept as it was."""

import re
from pathlib import Path

import pytest
from sqlalchemy import select, update

from browsing import Browsing
from bus_server import run
from moderating import decide, letters, post, report
from rostra.site.answers import RefusedError
from rostra.site.database.tables.attention import Notification
from rostra.site.database.tables.moderation import Report, ReportTarget
from rostra.site.database.tables.posts import Status
from rostra.site.moderation import misuse, reports
from rostra.site.moderation.check import check_moderation
from rostra.site.moderation.log import hash_of
from rostra.site.moderation.moderators import Moderator
from site_kit import Kit, site_kit


async def notice(kit: Kit, **values: str) -> tuple[int, str]:
    given = {
        "addresses": "",
        "kind": "legal",
        "comment": "This is defamation under article 261 of the criminal code.",
        "name": "Eva Jansen",
        "email": "eva@example.org",
        "good_faith": "1",
    } | values
    answer = await Browsing(kit).post("/notice", {name: value for name, value in given.items() if value})
    return answer.status_code, answer.text


def test_somebody_without_an_account_gives_notice_and_gets_receipt_and_outcome_by_mail(
    database_url: str, tmp_path: Path
) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            moderator, ann = await kit.account("mod", role="moderator"), await kit.account("ann")
            status_id = await post(kit, ann, "He is a thief")
            address = f"http://localhost:3000/@ann/{status_id}"
            status, text = await notice(kit, addresses=address)
            assert status == 200, text
            await kit.do_jobs()
            ((subject, to, words),) = letters(tmp_path / "mail")
            assert (subject, to) == ("We have your notice", "eva@example.org")
            assert address in words
            async with kit.site.reading() as work:
                row = (await work.session.scalars(select(Report))).one()
                assert (row.category, row.source, row.good_faith, row.account_id) == (
                    "legal",
                    "anonymous",
                    True,
                    None,
                )
                assert row.receipt_sent_at is not None
                told = (await work.session.scalars(select(Notification))).one()
                assert (told.kind, told.account_id, told.report_id) == ("admin.report", moderator, row.id)
            decision = await decide(kit, moderator, "remove", ann, status_ids=(status_id,), report_id=row.id)
            assert decision.source_type == "SOURCE_ARTICLE_16"
            await kit.do_jobs()
            by_reader = {to: (subject, words) for subject, to, words in letters(tmp_path / "mail")}
            assert by_reader["eva@example.org"][0] == "We have acted on your report"
            assert "out-of-court" in by_reader["eva@example.org"][1]
            assert by_reader["ann@example.com"][0] == "Your post was removed"
            assert "Eva" not in by_reader["ann@example.com"][1], "whom it is about does not learn who reported"

    run(test)


@pytest.mark.parametrize(
    ("missing", "told"),
    [
        ({"comment": ""}, "Say why."),
        ({"name": ""}, "Give your name."),
        ({"email": ""}, "Give your e-mail address."),
        ({"email": "nobody"}, "Give your e-mail address."),
        ({"good_faith": ""}, "This must be confirmed."),
        ({"addresses": "http://elsewhere.example/@ann"}, "There is nothing of this site at this address."),
        ({"addresses": "http://localhost:3000/@nobody"}, "There is nothing of this site at this address."),
        ({"addresses": "javascript:alert(1)"}, "There is nothing of this site at this address."),
        ({"addresses": "http://localhost:3000/@ann\n" * 21}, "at most 20 addresses"),
        ({"comment": "x" * 5001}, "Comment is too long"),
        ({"name": "Eva\r\nBcc: all@example.org"}, "A name has at most"),
    ],
)
def test_a_notice_holds_what_the_law_asks_for_or_is_not_taken(
    sqlite_url: str, missing: dict[str, str], told: str, tmp_path: Path
) -> None:
    async def test() -> None:
        async with site_kit(sqlite_url, tmp_path) as kit:
            await kit.account("ann")
            status, text = await notice(kit, **({"addresses": "http://localhost:3000/@ann"} | missing))
            assert status == 422
            assert told in text
            async with kit.site.reading() as work:
                assert (await work.session.scalars(select(Report))).all() == []

    run(test)


def test_who_reports_the_abuse_of_children_need_not_say_who_they_are(sqlite_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(sqlite_url, tmp_path) as kit:
            await kit.account("ann")
            status, text = await notice(
                kit, addresses="http://localhost:3000/@ann", name="", email="", child_abuse="1"
            )
            assert status == 200, text
            await kit.do_jobs()
            assert letters(tmp_path / "mail") == []

    run(test)


def test_addresses_of_two_accounts_are_two_reports_and_the_same_form_sent_twice_is_one_notice(
    sqlite_url: str,
    tmp_path: Path,
) -> None:
    async def test() -> None:
        async with site_kit(sqlite_url, tmp_path) as kit:
            ann = await kit.account("ann")
            await kit.account("bob")
            status_id = await post(kit, ann)
            given = (
                f"http://localhost:3000/@ann/{status_id}\nhttp://localhost:3000/@ann/{status_id}/embed\n"
                "http://localhost:3000/@Bob"
            )
            for _ in range(2):
                assert (await notice(kit, addresses=given))[0] == 200
            async with kit.site.reading() as work:
                rows = (await work.session.scalars(select(Report))).all()
                assert len(rows) == 2
                targets = await reports.targets_of(work, [row.id for row in rows])
            assert sorted(target.kind for some in targets.values() for target in some) == ["account", "status"]

    run(test)


def test_the_form_knows_the_item_that_somebody_came_from(sqlite_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(sqlite_url, tmp_path) as kit:
            ann = await kit.account("ann")
            status_id = await post(kit, ann)
            browser = Browsing(kit)
            item = (await browser.get(f"/@ann/{status_id}")).text
            found = re.search(r'href="(/notice\?url=[^"]+)"', item)
            assert found
            assert f"http://localhost:3000/@ann/{status_id}</textarea>" in (await browser.get(found[1])).text
            assert "></textarea>" in (await browser.get("/notice?url=http%3A%2F%2Fevil.example%2F")).text

    run(test)


def test_a_form_that_was_not_made_here_is_refused(sqlite_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(sqlite_url, tmp_path) as kit:
            await kit.account("ann")
            forged = await kit.anonymous.post("/notice", data={"addresses": "http://localhost:3000/@ann"})
            assert forged.status_code == 403

    run(test)


def test_what_was_seen_stays_as_it_was_when_the_post_is_changed(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob = await kit.account("ann"), await kit.account("bob")
            status_id = await post(kit, ann, "Something rude")
            await report(kit, bob, ann, (status_id,))
            async with kit.site.writing() as work:
                await work.session.execute(update(Status).values(text="Something nice"))
            async with kit.site.reading() as work:
                seen = (await work.session.scalars(select(ReportTarget))).one()
                assert seen.snapshot["text"] == "Something rude"
                assert seen.snapshot_hash == hash_of(seen.snapshot)
                assert (await check_moderation(work.session))[1] == []
            async with kit.site.writing() as work:
                row = (await work.session.scalars(select(ReportTarget))).one()
                row.snapshot = row.snapshot | {"text": "Something worse"}
            async with kit.site.reading() as work:
                (finding,) = (await check_moderation(work.session))[1]
                assert "snapshot" in finding.what

    run(test)


def test_of_two_who_resolve_a_report_one_is_told(sqlite_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(sqlite_url, tmp_path) as kit:
            moderator, ann = await kit.account("mod", role="moderator"), await kit.account("ann")
            bob = await kit.account("bob")
            row = await report(kit, bob, ann)
            for outcome in (None, "Somebody has resolved this report already"):
                try:
                    async with kit.site.writing() as work:
                        await reports.reject(work, Moderator(moderator, "moderator"), row.id)
                except RefusedError as error:
                    assert error.message == outcome  # noqa: PT017 # the first one does not raise
            own = await report(kit, bob, moderator)
            async with kit.site.writing() as work:
                with pytest.raises(RefusedError, match="not allowed"):
                    await reports.reject(work, Moderator(moderator, "moderator"), own.id)
                with pytest.raises(RefusedError, match="A note has"):
                    await reports.note(work, Moderator(moderator, "moderator"), row.id, " ")

    run(test)


def test_who_reports_in_vain_again_and_again_is_known_for_it(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            moderator, ann = await kit.account("mod", role="moderator"), await kit.account("ann")
            bob = await kit.account("bob")
            for _ in range(5):
                row = await report(kit, bob, ann)
                async with kit.site.writing() as work:
                    await reports.reject(work, Moderator(moderator, "moderator"), row.id)
            async with kit.site.reading() as work:
                counted = await misuse.notifier_standing(work, row)
                assert (counted.reports, counted.acted, counted.rejected) == (5, 0, 5)
                assert counted.often_in_vain
                assert await misuse.standing(work, ann) == misuse.Standing(decisions=0, overruled=0, reports=5)
            kit.clock.pass_(days=366)
            async with kit.site.reading() as work:
                assert not (await misuse.notifier_standing(work, row)).often_in_vain

    run(test)


def test_a_report_over_the_api_names_what_exists_and_may_be_seen(sqlite_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(sqlite_url, tmp_path) as kit:
            ann, bob = await kit.account("ann"), await kit.person("bob")
            secret = await post(kit, ann, "Secret", "direct")
            for asked, status in (
                ({}, 404),
                ({"account_id": "12345"}, 404),
                ({"account_id": str(ann), "category": "mood"}, 422),
                ({"account_id": str(ann), "rule_ids[]": "99"}, 422),
                ({"account_id": str(ann), "comment": "x" * 5001}, 422),
            ):
                assert (await bob.post("/api/v1/reports", data=asked)).status_code == status
            made = (
                await bob.post("/api/v1/reports", data={"account_id": str(ann), "status_ids[]": str(secret)})
            ).json()
            assert made["status_ids"] is None, "a post that bob may not see is not confirmed to exist"
            assert (await kit.anonymous.post("/api/v1/reports", data={"account_id": str(ann)})).status_code == 401

    run(test)
