"""What is published: counts, both a ban and its lifting, nobody's name; statements that the database would take."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bus_server import run
from moderating import decide, lift, post, report
from rostra.core.errors import BadInputError
from rostra.site.moderation import appeals, reports, transparency
from rostra.site.moderation.appeals import Subject
from rostra.site.moderation.moderators import Moderator
from rostra.site.moderation.statement import Statement
from site_kit import site_kit

YEAR = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))


def test_the_figures_of_a_year_count_what_happened_in_it(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            one, two = await kit.account("one", role="moderator"), await kit.account("two", role="moderator")
            ann, bob = await kit.account("ann"), await kit.account("bob")
            status_id = await post(kit, ann)
            first, second = await report(kit, bob, ann, (status_id,)), await report(kit, bob, ann)
            kit.clock.pass_(hours=2)
            await decide(kit, one, "remove", ann, status_ids=(status_id,), report_id=first.id)
            kit.clock.pass_(hours=2)
            async with kit.site.writing() as work:
                await reports.reject(work, Moderator(one, "moderator"), second.id)
            await decide(kit, one, "suspend", ann)
            await lift(kit, one, ann, "suspend")
            silenced = await decide(kit, one, "silence", ann)
            async with kit.site.writing() as work:
                made = await appeals.appeal(work, Subject("decision", silenced.id), "No", account_id=ann)
            kit.clock.pass_(hours=1)
            async with kit.site.writing() as work:
                await appeals.judge(work, Moderator(two, "moderator"), made.id, reverse=True, answer="Yes")
            async with kit.site.reading() as work:
                figures = await transparency.figures(work, *YEAR)
                before = await transparency.figures(work, YEAR[0] - timedelta(days=365), YEAR[0])
            assert figures["reports"] == {"spam": 2}
            assert figures["reports_by_source"] == {"user": 2}
            assert figures["reports_rejected"] == 1
            assert figures["report_median_hours"] == 3.0
            assert figures["decisions"] == {"remove": 1, "silence": 1, "suspend": 1}
            assert figures["own_initiative"] == 2
            assert figures["reinstatements"] == 2
            assert (figures["appeals"], figures["appeals_by_outcome"]) == (1, {"reversed": 1})
            assert figures["appeal_median_hours"] == 1.0
            assert (before["decisions"], before["report_median_hours"]) == ({}, None)

    run(test)


def test_a_ban_and_its_lifting_stand_side_by_side_and_nobody_is_named(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            one, ann = await kit.account("one", role="moderator"), await kit.account("ann")
            banned = await decide(kit, one, "suspend", ann)
            back = await lift(kit, one, ann, "suspend")
            body = (await kit.anonymous.get("/transparency.json")).json()
            newest, oldest = body["decisions"]
            assert (newest["action"], newest["lifts"]) == ("reinstate", [str(banned.id)])
            assert (oldest["action"], oldest["lifted_by"]) == ("suspend", str(back.id))
            assert oldest["lifted_at"] == newest["decided_at"]
            text = (await kit.anonymous.get("/transparency.json")).text
            for private in ("ann", str(ann), "one@", str(one)):
                assert private not in text
            assert [each["id"] for each in (await kit.anonymous.get(
                f"/transparency.json?before={back.id}")).json()["decisions"]] == [str(banned.id)]  # fmt: skip
            assert (await kit.anonymous.get("/transparency.json?year=1999")).status_code == 422

    run(test)


def test_every_action_exports_a_statement_that_the_database_would_take(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            one, ann = await kit.account("one", role="moderator"), await kit.account("ann")
            status_id = await post(kit, ann)
            for action in ("silence", "disable", "sensitive", "suspend"):
                await decide(kit, one, action, ann, ends_at=kit.clock.now + timedelta(days=30))
            for action in ("label", "mark_sensitive", "hide", "remove"):
                label = "Disputed" if action == "label" else ""
                await decide(kit, one, action, ann, status_ids=(status_id,), label=label)
            await lift(kit, one, ann, "suspend")
            async with kit.site.reading() as work:
                found = await transparency.statements(work.session, *YEAR)
            assert len(found) == 8, "a reversal is no statement"
            assert len({each.puid for each in found}) == 8
            assert await transparency.statements_of_database(database_url, *YEAR) == found
            with pytest.raises(BadInputError, match="cannot be read"):
                await transparency.statements_of_database(f"sqlite:///{tmp_path / 'none' / 'site.db'}", *YEAR)
            for each in found:
                assert Statement.model_validate(each.as_submitted()) == each
            ends = {each.decision_account: each.end_date_account_restriction for each in found}
            assert ends["DECISION_ACCOUNT_SUSPENDED"] == (kit.clock.now + timedelta(days=30)).date()

    run(test)
