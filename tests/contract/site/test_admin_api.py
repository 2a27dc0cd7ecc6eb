"""Moderators work over Mastodon's API; nobody else does, whatever their token says."""

from pathlib import Path

import httpx2
import pytest
from sqlalchemy import select

from bus_server import run
from rostra.site.database.tables.moderation import Decision, Rule
from site_kit import Kit, site_kit

ADMIN = "read write admin:read admin:write"


async def staff(kit: Kit, name: str = "mod", role: str = "moderator") -> httpx2.AsyncClient:
    return await kit.person(name, role=role, scopes=ADMIN)


async def id_of(client: httpx2.AsyncClient) -> str:
    found = (await client.get("/api/v1/accounts/verify_credentials")).json()
    return str(found["id"])


def test_every_restriction_is_put_on_and_lifted_as_mastodons_clients_do_it(
    database_url: str, tmp_path: Path
) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            mod, ann = await staff(kit), await kit.account("ann")
            for action, field, lift in (
                ("disable", "disabled", "enable"),
                ("silence", "silenced", "unsilence"),
                ("sensitive", "sensitized", "unsensitive"),
                ("suspend", "suspended", "unsuspend"),
            ):
                acted = await mod.post(f"/api/v1/admin/accounts/{ann}/action", data={"type": action})
                assert (acted.status_code, acted.json()) == (200, {})
                seen = (await mod.get(f"/api/v1/admin/accounts/{ann}")).json()
                assert seen[field] is True
                again = await mod.post(f"/api/v1/admin/accounts/{ann}/action", data={"type": action})
                assert again.status_code == 409
                lifted = (await mod.post(f"/api/v1/admin/accounts/{ann}/{lift}")).json()
                assert lifted[field] is False
                assert (await mod.post(f"/api/v1/admin/accounts/{ann}/{lift}")).json()[field] is False
            async with kit.site.reading() as work:
                actions = list(await work.session.scalars(select(Decision.action).order_by(Decision.id)))
            each = ("disable", "silence", "sensitive", "suspend")
            assert actions == [one for action in each for one in (action, "reinstate")]

    run(test)


def test_who_is_suspended_is_refused_over_the_api_and_let_in_again(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            mod, ann = await staff(kit), await kit.person("ann")
            ann_id = await id_of(ann)
            posted = (await ann.post("/api/v1/statuses", data={"status": "Hello"})).json()
            await mod.post(f"/api/v1/admin/accounts/{ann_id}/action", data={"type": "suspend", "text": "Enough"})
            assert (await ann.get("/api/v1/accounts/verify_credentials")).status_code == 403
            assert (await kit.anonymous.get(f"/api/v1/statuses/{posted['id']}")).status_code == 404
            await mod.post(f"/api/v1/admin/accounts/{ann_id}/unsuspend")
            assert (await ann.get("/api/v1/accounts/verify_credentials")).status_code == 200
            assert (await kit.anonymous.get(f"/api/v1/statuses/{posted['id']}")).json()["content"] == "<p>Hello</p>"

    run(test)


def test_the_list_of_accounts_is_filtered_and_paged(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            mod, ann = await staff(kit), await kit.account("ann")
            await kit.account("bob")
            await mod.post(f"/api/v1/admin/accounts/{ann}/action", data={"type": "silence"})

            async def names(path: str) -> list[str]:
                answer = await mod.get(path)
                assert answer.status_code == 200, answer.text
                return sorted(each["username"] for each in answer.json())

            assert await names("/api/v1/admin/accounts") == ["ann", "bob", "mod"]
            assert await names("/api/v1/admin/accounts?silenced=true") == ["ann"]
            assert await names("/api/v1/admin/accounts?staff=true") == ["mod"]
            assert await names("/api/v1/admin/accounts?remote=true") == []
            assert await names("/api/v2/admin/accounts?status=silenced&origin=local") == ["ann"]
            assert await names("/api/v2/admin/accounts?permissions=staff") == ["mod"]
            assert await names("/api/v2/admin/accounts?origin=remote") == []
            assert await names("/api/v2/admin/accounts?email=bob%40example") == ["bob"]
            assert (await mod.get("/api/v2/admin/accounts?status=sick")).status_code == 422
            page = await mod.get("/api/v1/admin/accounts?limit=1")
            assert 'rel="next"' in page.headers["Link"]

    run(test)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/admin/accounts"),
        ("GET", "/api/v2/admin/accounts"),
        ("GET", "/api/v1/admin/accounts/1"),
        ("POST", "/api/v1/admin/accounts/1/action"),
        ("POST", "/api/v1/admin/accounts/1/unsuspend"),
        ("POST", "/api/v1/admin/accounts/1/approve"),
        ("GET", "/api/v1/admin/reports"),
        ("GET", "/api/v1/admin/reports/1"),
        ("POST", "/api/v1/admin/reports/1/resolve"),
        ("POST", "/api/v1/admin/reports/1/assign_to_self"),
    ],
)
def test_the_wrong_role_and_the_wrong_scope_are_refused(
    sqlite_url: str, method: str, path: str, tmp_path: Path
) -> None:
    async def test() -> None:
        async with site_kit(sqlite_url, tmp_path) as kit:
            assert (await kit.anonymous.request(method, path)).status_code == 401
            member = await kit.person("ann", scopes=ADMIN)
            refused = await member.request(method, path)
            assert (refused.status_code, refused.json()["error"]) == (403, "This action is not allowed")
            narrow = await kit.person("mod", role="moderator", scopes="read write")
            refused = await narrow.request(method, path)
            assert refused.json()["error"] == "This action is outside the authorized scopes"
            mod = await staff(kit, "mod2")
            if "/1" in path:
                found = await mod.request(method, path, data={"type": "suspend"} if method == "POST" else None)
                assert (found.status_code, found.json()["error"]) == (404, "Record not found")

    run(test)


def test_nobody_acts_on_their_own_rank_nor_by_an_action_that_does_not_exist(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def test() -> None:
        async with site_kit(sqlite_url, tmp_path) as kit:
            mod, owner = await staff(kit), await staff(kit, "owner", "owner")
            owner_id, mod_id = await id_of(owner), await id_of(mod)
            for client, about in ((mod, owner_id), (mod, mod_id), (owner, owner_id)):
                refused = await client.post(f"/api/v1/admin/accounts/{about}/action", data={"type": "suspend"})
                assert refused.status_code == 403
            for bad in ("", "delete", "reinstate"):
                refused = await owner.post(f"/api/v1/admin/accounts/{mod_id}/action", data={"type": bad})
                assert refused.status_code == 422
            unknown = await owner.post(
                f"/api/v1/admin/accounts/{mod_id}/action", data={"type": "suspend", "report_id": "123"}
            )
            assert unknown.status_code == 404
            approved = await owner.post(f"/api/v1/admin/accounts/{mod_id}/reject")
            assert approved.status_code == 403, "who is let in already is not rejected"

    run(test)


def test_reports_go_through_the_queue_as_mastodons_clients_see_it(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            mod, ann, bob = await staff(kit), await kit.person("ann"), await kit.person("bob")
            ann_id, mod_id = await id_of(ann), await id_of(mod)
            async with kit.site.writing() as work:
                rule = Rule(id=work.make_id(), position=1, text="Be kind")
                work.session.add(rule)
            posted = (await ann.post("/api/v1/statuses", data={"status": "You fool"})).json()
            filed = await bob.post(
                "/api/v1/reports/",
                json={
                    "account_id": ann_id,
                    "status_ids": [posted["id"]],
                    "comment": "Rude",
                    "rule_ids": [str(rule.id)],
                },
            )
            made = filed.json()
            assert filed.status_code == 200
            assert (made["category"], made["status_ids"], made["rule_ids"], made["action_taken"]) == (
                "violation",
                [posted["id"]],
                [str(rule.id)],
                False,
            )
            (listed,) = (await mod.get("/api/v1/admin/reports")).json()
            assert (listed["statuses"][0]["content"], listed["rules"][0]["text"]) == ("<p>You fool</p>", "Be kind")
            path = f"/api/v1/admin/reports/{made['id']}"
            assert (await mod.post(f"{path}/assign_to_self")).json()["assigned_account"]["id"] == mod_id
            assert (await mod.post(f"{path}/unassign")).json()["assigned_account"] is None
            resolved = (await mod.post(f"{path}/resolve")).json()
            assert resolved["action_taken_by_account"]["id"] == mod_id
            assert (await mod.post(f"{path}/resolve")).status_code == 409
            assert (await mod.get("/api/v1/admin/reports")).json() == []
            assert len((await mod.get("/api/v1/admin/reports?resolved=true")).json()) == 1
            assert len((await mod.get("/api/v1/admin/reports?resolved=true&unresolved=true")).json()) == 1
            assert (await mod.post(f"{path}/reopen")).json()["action_taken"] is False
            acted = await mod.post(
                f"/api/v1/admin/accounts/{ann_id}/action", data={"type": "silence", "report_id": made["id"]}
            )
            assert acted.status_code == 200, acted.text
            assert (await mod.get(path)).json()["action_taken"] is True
            async with kit.site.reading() as work:
                decision = (await work.session.scalars(select(Decision))).one()
                assert (decision.legal_ground, decision.rule_id) == ("Be kind", rule.id)

    run(test)
