"""The pages of moderators and of everybody, as browsers without scripts use them, in English and in Dutch."""

import re
from pathlib import Path

import pytest

from browsing import Browsing
from bus_server import run
from moderating import decide, post, report
from rostra.site.moderation.appeals import Subject, appeal
from site_kit import Kit, site_kit


async def desk(kit: Kit, name: str = "mod", role: str = "moderator") -> tuple[int, Browsing]:
    account_id = await kit.account(name, role=role, password="correct horse")
    browser = Browsing(kit)
    await browser.log_in(f"{name}@example.com", "correct horse")
    return account_id, browser


def test_a_moderator_works_a_report_through_to_a_decision_and_lifts_it_again(
    database_url: str, tmp_path: Path
) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            _, browser = await desk(kit)
            ann, bob = await kit.account("ann"), await kit.account("bob")
            status_id = await post(kit, ann, "You are a thief <script>")
            row = await report(kit, bob, ann, (status_id,))
            queue = (await browser.get("/moderation")).text
            assert f"/moderation/reports/{row.id}" in queue
            shown = (await browser.get(f"/moderation/reports/{row.id}")).text
            assert "You are a thief &lt;script&gt;" in shown
            for act, data in (("assign", {}), ("note", {"text": "I know this one"}), ("unassign", {})):
                changed = await browser.post(f"/moderation/reports/{row.id}/{act}", data)
                assert changed.status_code == 303
            assert "I know this one" in (await browser.get(f"/moderation/reports/{row.id}")).text
            form = (await browser.get(f"/moderation/decide?report={row.id}")).text
            assert f'name="status[]" value="{status_id}"' in form
            given = {
                "report": str(row.id),
                "status[]": str(status_id),
                "action": "hide",
                "days": "7",
                "ground": "terms",
                "legal_ground": "Rule 1: be kind",
                "explanation": "It calls somebody a thief.",
                "facts": "A post called another person a thief.",
                "category": "STATEMENT_CATEGORY_OTHER_VIOLATION_TC",
            }
            told = await browser.post("/moderation/decide", given | {"facts": "ann wrote it"})
            assert told.status_code == 422
            assert "must not name anybody" in told.text
            assert "It calls somebody a thief." in told.text, "what was written is not lost"
            decided = await browser.post("/moderation/decide", given)
            assert decided.headers["location"] == f"/moderation/accounts/{ann}"
            assert "Post hidden" in (await browser.get(f"/moderation/accounts/{ann}")).text
            assert (await browser.post("/moderation/decide", given)).status_code == 409
            suspended = await browser.post(
                "/moderation/decide",
                {**given, "action": "suspend", "report": "", "status[]": "", "account": str(ann), "days": ""},
            )
            assert suspended.status_code == 303, suspended.text
            page = (await browser.get(f"/moderation/accounts/{ann}")).text
            assert "In force now" in page
            no_reason = await browser.post(f"/moderation/accounts/{ann}/lift", {"kind": "suspend"})
            assert no_reason.status_code == 422
            lifted = await browser.post(
                f"/moderation/accounts/{ann}/lift", {"kind": "suspend", "why": "It was a mistake."}
            )
            assert lifted.status_code == 303
            again = await browser.post(f"/moderation/accounts/{ann}/lift", {"kind": "suspend", "why": "Again"})
            assert again.status_code == 409
            public = (await kit.anonymous.get("/transparency")).text
            for said in ("Account suspended", "Reinstated", "Lifted on", "A post called another person a thief."):
                assert said in public
            assert "@ann" not in public

    run(test)


def test_appeals_letters_and_rules_have_their_pages(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            one = await kit.account("one", role="moderator")
            _, browser = await desk(kit, "owner", "owner")
            ann = await kit.account("ann")
            banned = await decide(kit, one, "suspend", ann)
            async with kit.site.writing() as work:
                made = await appeal(work, Subject("decision", banned.id), "It was satire.", account_id=ann)
            assert "It was satire." in (await browser.get("/moderation/appeals")).text
            undecided = await browser.post(f"/moderation/appeals/{made.id}", {"answer": "Hm"})
            assert undecided.status_code == 422
            judged = await browser.post(
                f"/moderation/appeals/{made.id}", {"answer": "It was.", "outcome": "reversed"}
            )
            assert judged.status_code == 303
            letter = {
                "authority": "A commissioner",
                "kind": "warning",
                "received_at": "2026-11-20",
                "country": "NL",
                "text": "Be careful tonight.",
                "public": "1",
            }
            for bad in ({"authority": ""}, {"kind": "mood"}, {"received_at": "tomorrow"}, {"country": "XX"},
                        {"received_at": "2031-01-01"}, {"text": ""}):  # fmt: skip
                assert (await browser.post("/moderation/letters", letter | bad)).status_code == 422
            assert (await browser.post("/moderation/letters", letter)).status_code == 303
            page = (await browser.get("/moderation/letters")).text
            found = re.search(r"/moderation/letters/(\d+)/reply", page)
            assert found
            replied = await browser.post(
                f"/moderation/letters/{found[1]}/reply", {"reply": "We are.", "effect": "None", "decision": ""}
            )
            assert replied.status_code == 303
            public = (await kit.anonymous.get("/transparency")).text
            assert "Be careful tonight." in public
            assert "We are." in public
            assert (
                await browser.post("/moderation/rules", {"text": "Be kind", "text_nl": "Wees aardig"})
            ).is_redirect
            (rule,) = (await kit.anonymous.get("/api/v1/instance/rules")).json()
            assert (rule["text"], rule["translations"]["nl"]["text"]) == ("Be kind", "Wees aardig")
            assert (await browser.post(f"/moderation/rules/{rule['id']}/delete")).is_redirect
            assert (await browser.post(f"/moderation/rules/{rule['id']}/delete")).status_code == 404
            exported = (await browser.get("/moderation/statements.json")).json()
            assert [each["puid"] for each in exported["statements"]] == [str(banned.id)]

    run(test)


@pytest.mark.parametrize(
    "path",
    [
        "/moderation",
        "/moderation/reports/1",
        "/moderation/accounts/1",
        "/moderation/decide?account=1",
        "/moderation/appeals",
        "/moderation/letters",
        "/moderation/rules",
        "/moderation/statements.json",
    ],
)
def test_members_and_strangers_do_not_see_the_moderators_pages(sqlite_url: str, path: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(sqlite_url, tmp_path) as kit:
            assert (await Browsing(kit).get(path)).headers["location"].startswith("/login")
            _, member = await desk(kit, "ann", "member")
            assert (await member.get(path)).status_code == 403
            _, moderator = await desk(kit)
            if "1" in path:
                assert (await moderator.get(path)).status_code == 404
            bad = await moderator.post("/moderation/rules", {"text": "Mine"})
            assert bad.status_code == 403, "rules are the owner's"

    run(test)


def test_a_moderator_who_is_suspended_moderates_no_more(sqlite_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(sqlite_url, tmp_path) as kit:
            owner = await kit.account("owner", role="owner")
            mod, browser = await desk(kit)
            await decide(kit, owner, "suspend", mod, role="owner")
            assert (await browser.get("/moderation")).status_code == 403
            assert (await browser.get("/settings/decisions")).status_code == 200

    run(test)


@pytest.mark.parametrize("path", ["/notice", "/transparency", "/settings/decisions", "/moderation"])
def test_every_page_is_there_in_dutch(sqlite_url: str, path: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(sqlite_url, tmp_path) as kit:
            _, browser = await desk(kit)
            await browser.post("/language", {"language": "nl"})
            page = await browser.get(path)
            assert '<html lang="nl">' in page.text
            (heading,) = re.findall(r"<h1>(.*?)</h1>", page.text)
            assert heading in {
                "Iets melden",
                "Transparantie",
                "Beslissingen over je account",
                "Meldingen die wachten",
            }

    run(test)
