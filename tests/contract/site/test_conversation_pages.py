"""Talks in a browser without scripts: announced with a form, read by strangers, led by their hosts."""

import re
from pathlib import Path

import httpx2
import msgspec

from bus_server import run
from moderating import REASONS
from rostra.core.conversation import Tick
from rostra.site.conversations import announce
from rostra.site.database.tables.people import Account
from rostra.site.login.sessions import begin
from rostra.site.moderation import decisions, targets
from rostra.site.moderation.decisions import Verdict
from rostra.site.moderation.moderators import Moderator
from rostra.site.people import leaving
from site_kit import START, Kit, site_kit
from verdicts import OWN_FAULT, Told

HTML = {"Accept": "text/html"}
EVENING = {
    "title": "Een avond <op> het forum",
    "starts": "2026-11-22T20:00",
    "time_zone": "Europe/Amsterdam",
    "language": "nl",
    "description": "Vragen & antwoorden",
    "doors_minutes": "30",
    "duration_minutes": "90",
    "visibility": "public",
}


async def browser(kit: Kit, username: str, locale: str = "en") -> httpx2.AsyncClient:
    account_id = await kit.account(username, display_name=username.title())
    async with kit.site.writing() as work:
        token = await begin(work, account_id, user_agent="a test", second_factor=False)
    client = kit.client("")
    del client.headers["Authorization"]
    client.headers |= HTML | {"Accept-Language": locale}
    client.cookies.set("session", token, domain="localhost.local")
    return client


async def post(client: httpx2.AsyncClient, page: str, path: str, **fields: str) -> httpx2.Response:
    """What the form on `page` sends."""
    found = re.search(r'name="csrf" value="([^"]+)"', (await client.get(page)).text)
    assert found is not None
    return await client.post(path, data=fields | {"csrf": found[1]})


def test_a_host_announces_a_talk_and_strangers_read_it(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann = await browser(kit, "ann")
            made = await post(ann, "/conversations/new", "/conversations/new", **EVENING)
            assert made.status_code == 303, made.text
            page = (await kit.anonymous.get(made.headers["location"], headers=HTML)).text
            assert "Een avond &lt;op&gt; het forum" in page
            assert "22 November 2026, 20:00 CET" in page
            assert 'property="og:title"' in page
            assert "For the hosts" not in page
            assert "For the hosts" in (await ann.get(made.headers["location"])).text
            dutch = await kit.anonymous.get("/conversations", headers=HTML | {"Accept-Language": "nl"})
            assert "Een avond &lt;op&gt; het forum" in dutch.text
            assert "Aangekondigd" in dutch.text

    run(test)


def test_a_form_that_cannot_be_kept_comes_back_with_what_was_written_and_why(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def test() -> None:
        async with site_kit(sqlite_url, tmp_path) as kit:
            ann = await browser(kit, "ann")
            fields = EVENING | {"starts": "2020-01-01T20:00"}
            refused = await post(ann, "/conversations/new", "/conversations/new", **fields)
            assert refused.status_code == 422
            assert "has passed already" in refused.text
            assert "Vragen &amp; antwoorden" in refused.text
            forged = await ann.post("/conversations/new", data=EVENING)
            assert forged.status_code == 403
            assert (await kit.anonymous.get("/api/rostra/v1/conversations")).json() == []

    run(test)


def test_hosts_lead_from_the_page_and_nobody_else_does(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        urls = {"gate_urls": ("http://localhost:8070",), "ledgers_url": "https://witness.example"}
        async with site_kit(database_url, tmp_path, **urls) as kit:
            ann, bob = await browser(kit, "ann"), await browser(kit, "bob")
            start = START.replace(minute=10)
            fields = EVENING | {"starts": start.strftime("%Y-%m-%dT%H:%M"), "time_zone": "UTC"}
            page = (await post(ann, "/conversations/new", "/conversations/new", **fields)).headers["location"]
            name = page.rpartition("/")[2]
            await kit.do_jobs()
            assert (await post(bob, page, f"{page}/reminder", on="1")).status_code == 303
            assert "fifteen minutes before" in (await bob.get(page)).text
            for path, asked in (("notice", {"text": "Mine"}), ("cancel", {}), ("end", {}), ("guests", {})):
                assert (await post(bob, page, f"{page}/{path}", **asked)).status_code == 403
            assert (await bob.get(f"{page}/edit")).status_code == 403
            assert (await post(ann, page, f"{page}/guests", account="bob", role="speaker")).status_code == 303
            assert "http://localhost:8070/stage/" in (await bob.get(page)).text
            await post(ann, page, f"{page}/notice", text="The train is late.")
            await kit.do_jobs()
            assert "The train is late." in (await kit.anonymous.get(f"{page}/now", headers=HTML)).text
            kit.clock.pass_(minutes=10)
            kit.stage.advance(name, Tick(occupied=True))
            live = (await kit.anonymous.get(page, headers=HTML)).text
            assert "On the air" in live
            assert "/ledgers/" not in live
            assert (await post(ann, page, f"{page}/end")).status_code == 303
            over = (await kit.anonymous.get(page, headers=HTML)).text
            assert "Over" in over
            assert f'href="https://witness.example/ledgers/{name}/report"' in over

    run(test)


WARNED = "claimed: attack; evidence so far: limited; part in the harm: 0-2 %; verdict: own (firm)"


def test_p9_who_says_more_than_the_evidence_shows_is_warned_and_may_say_it_nevertheless(
    database_url: str, tmp_path: Path
) -> None:
    async def test() -> None:
        told = Told()
        async with site_kit(database_url, tmp_path, testimony=told) as kit:
            ann, page = await browser(kit, "ann"), ""
            fields = EVENING | {"starts": START.replace(hour=20).strftime("%Y-%m-%dT%H:%M"), "time_zone": "UTC"}
            page = (await post(ann, "/conversations/new", "/conversations/new", **fields)).headers["location"]
            await kit.do_jobs()
            name, notice = page.rpartition("/")[2], f"{page}/notice"
            kit.stage.seen.hear(msgspec.structs.replace(OWN_FAULT, conversation=name), now_s=0.0)
            asked = await post(ann, page, notice, text="Een aanval!", claims="")
            assert (asked.status_code, told.changes) == (422, [])
            assert "Choose below what you say" in asked.text
            warned = await post(ann, page, notice, text="Een aanval!", claims="attack", seen="unclaimed")
            assert (warned.status_code, told.changes) == (422, [])
            assert "Claimed: it was an attack. Evidence so far: limited support." in warned.text
            assert "What the evidence shows so far: The platform itself was at fault" in warned.text
            assert f'name="seen" value="{WARNED}"' in warned.text
            assert ">Een aanval!</textarea>" in warned.text
            said = await post(ann, page, notice, text="Een aanval!", claims="attack", seen=WARNED)
            assert said.status_code == 303
            assert [(each.what, each.claims, each.warned) for each in told.changes] == [
                ("statement", "attack", WARNED)
            ]
            assert (await post(ann, page, notice, text="Een aanval? Nee.", seen="unclaimed")).status_code == 303
            assert (await post(ann, page, notice, text="Wij waren het.", claims="own")).status_code == 303

    run(test)


def test_who_is_not_logged_in_is_led_to_the_log_in_page(sqlite_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(sqlite_url, tmp_path) as kit:
            answer = await kit.anonymous.get("/conversations/new", headers=HTML)
            assert answer.status_code in {302, 303, 401}
            assert (await kit.anonymous.get("/conversations/nothing", headers=HTML)).status_code == 404

    run(test)


def test_the_page_of_a_talk_shows_what_is_said_about_it_and_takes_a_reply(
    database_url: str, tmp_path: Path
) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob = await browser(kit, "ann"), await browser(kit, "bob")
            made = await post(ann, "/conversations/new", "/conversations/new", **EVENING)
            path = made.headers["location"]
            form = (await bob.get(path)).text
            answered = re.search(r'name="in_reply_to_id" value="(\d+)"', form)
            assert answered is not None
            reply = {"status": "I shall be there", "in_reply_to_id": answered[1], "key": "once", "next": path}
            assert (await post(bob, path, "/posts", **reply)).status_code == 303
            page = (await kit.anonymous.get(path, headers=HTML)).text
            assert "I shall be there" in page
            assert "1 reply" in page
            assert "Log in to reply" in page

    run(test)


def test_the_page_of_a_talk_says_that_moderators_have_limited_it_and_that_its_host_left(
    database_url: str, tmp_path: Path
) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann = await browser(kit, "ann")
            path = (await post(ann, "/conversations/new", "/conversations/new", **EVENING)).headers["location"]
            async with kit.site.writing() as work:
                row = await announce.find(work, path.rpartition("/")[2])
                moderator = work.make_id()
                work.session.add(Account(id=moderator, username="mod", username_key="mod", created_at=work.now))
                await work.session.flush()
                about = await targets.of_conversations(work, [row.id])
                verdict = Verdict(action="limit", account_id=row.host_id, targets=tuple(about), reasons=REASONS)
                await decisions.decide(work, Moderator(moderator, "moderator"), verdict)
            assert "out of all lists" in (await kit.anonymous.get(path, headers=HTML)).text
            async with kit.site.writing() as work:
                await leaving.leave(work, row.host_id)
            await kit.do_jobs()
            assert "De host is vertrokken." in (await kit.anonymous.get(path, headers=HTML)).text

    run(test)
