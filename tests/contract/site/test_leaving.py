"""How somebody leaves, and how a new installation gets its owner."""

from pathlib import Path

from sqlalchemy import select

from browsing import Browsing
from bus_server import run
from rostra.site.database.tables.moderation import ModerationEntry
from rostra.site.database.tables.people import Account, User
from rostra.site.events import AccountClosed
from rostra.site.people import leaving, owner
from site_kit import site_kit


def test_who_leaves_is_gone_at_once_and_destroyed_when_nothing_can_be_appealed(
    database_url: str, tmp_path: Path
) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann_id, bob_id = await kit.account("ann"), await kit.account("bob")
            ann, bob = kit.client(await kit.token(ann_id)), kit.client(await kit.token(bob_id))
            await ann.post(f"/api/v1/accounts/{bob_id}/follow")
            async with kit.site.writing() as work:
                await leaving.leave(work, ann_id)
            assert AccountClosed(ann_id) in kit.told.events
            assert (await ann.get("/api/v1/preferences")).status_code == 401
            assert (await bob.get(f"/api/v1/accounts/{ann_id}")).status_code == 404
            assert (await bob.get(f"/api/v1/accounts/{bob_id}")).json()["followers_count"] == 0
            await kit.do_jobs()
            async with kit.site.reading() as work:
                assert await work.session.get(Account, ann_id) is not None
            kit.clock.pass_(days=184)
            await kit.do_jobs()
            async with kit.site.reading() as work:
                assert await work.session.get(Account, ann_id) is None
                assert await work.session.get(User, ann_id) is None

    run(test)


def test_a_newcomer_with_the_printed_link_becomes_the_owner_and_nobody_after(
    database_url: str, tmp_path: Path
) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path, registrations="closed") as kit:
            async with kit.site.writing() as work:
                first, second = await owner.offer(work), await owner.offer(work)
            assert first is not None
            assert second is not None
            browser = Browsing(kit)
            page = await browser.get(first)
            assert page.status_code == 200
            token = first.partition("token=")[2]
            asked = {"token": token, "username": "Octavia", "email": "o@example.com", "password": "correct horse"}
            bad = await browser.post("/owner", asked | {"password": "x"})
            assert bad.status_code == 422
            done = await browser.post("/owner", asked)
            assert done.status_code == 303
            async with kit.site.reading() as work:
                user = (await work.session.scalars(select(User))).one()
                assert (user.role, user.email) == ("owner", "o@example.com")
                assert await owner.offer(work) is None
            other = Browsing(kit)
            assert (await other.get(second)).status_code == 410
            late = await other.post("/owner", asked | {"token": second.partition("token=")[2], "username": "eve"})
            assert late.status_code in {410, 422}
            async with kit.site.reading() as work:
                assert (await work.session.scalars(select(User).where(User.role == "owner"))).one() is not None

    run(test)


def test_owners_appoint_and_one_of_them_stays(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            await kit.account("octavia", role="owner", password="correct horse")
            await kit.account("ann", password="correct horse")
            browser, other = Browsing(kit), Browsing(kit)
            await browser.log_in("octavia@example.com", "correct horse")
            await other.log_in("ann@example.com", "correct horse")
            forged = await other.post("/moderation/team", {"account": "ann", "role": "owner"})
            assert forged.status_code == 403
            named = await browser.post("/moderation/team", {"account": "@Ann", "role": "moderator"})
            assert named.status_code == 303
            beyond = await other.post("/moderation/team", {"account": "ann", "role": "owner"})
            assert beyond.status_code == 403, "a moderator names nobody"
            for account, role in (("octavia", "member"), ("nobody", "moderator"), ("ann", "emperor")):
                refused = await browser.post("/moderation/team", {"account": account, "role": role})
                assert refused.status_code in {404, 422}, account
            page = await browser.get("/moderation/team")
            assert "@octavia</a> · owner" in page.text
            assert "@ann</a> · moderator" in page.text
            async with kit.site.reading() as work:
                entry = (await work.session.scalars(select(ModerationEntry))).one()
                assert (entry.verb, entry.subject["to"]) == ("appointed", "moderator")

    run(test)


def test_leaving_needs_the_password_and_ends_the_session(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann = await kit.account("ann", password="correct horse")
            browser = Browsing(kit)
            await browser.log_in("ann@example.com", "correct horse")
            wrong = await browser.post("/settings/account/leave", {"leave_password": "wrong"})
            assert wrong.status_code == 422
            assert (await kit.anonymous.get(f"/api/v1/accounts/{ann}")).status_code == 200
            done = await browser.post("/settings/account/leave", {"leave_password": "correct horse"})
            assert done.status_code == 303
            assert (await kit.anonymous.get(f"/api/v1/accounts/{ann}")).status_code == 404
            again = await browser.log_in("ann@example.com", "correct horse")
            assert again.status_code == 422

    run(test)
