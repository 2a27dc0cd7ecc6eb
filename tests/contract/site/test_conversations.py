"""Talks on the site: announced, changed, put off, called off; calendars, reminders, passes, invitations."""

import re
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from icalendar import Calendar

from bus_server import run
from rostra.core.conversation import Tick
from rostra.core.invitation import verify as verify_invitation
from rostra.core.roster import StageRole
from rostra.core.ticket import TicketClass, verify_pass
from site_kit import START, Kit, site_kit
from verdicts import Told

API = "/api/rostra/v1/conversations"
EVENING = {
    "title": "An evening at the forum",
    "starts": "2026-11-22 20:00",
    "time_zone": "Europe/Amsterdam",
    "language": "nl",
    "description": "Vragen & antwoorden.",
}


async def announced(host: httpx2.AsyncClient, **changed: Any) -> dict[str, Any]:
    answer = await host.post(API, json=EVENING | changed)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def entry(kit: Kit, name: str) -> Any:
    answer = await kit.anonymous.get(f"/conversations/{name}.ics")
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    (event,) = Calendar.from_ical(answer.content).walk("VEVENT")
    return event


def test_a_talk_is_announced_and_the_stage_learns_of_it_a_day_before_its_doors(
    database_url: str, tmp_path: Path
) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            host = await kit.person("ann", display_name="Ann")
            talk = await announced(host, starts="2026-11-24 20:00")
            assert talk["starts_at"] == "2026-11-24T19:00:00.000Z"
            assert talk["state"] == "scheduled"
            assert [(each["role"], each["account"]["username"]) for each in talk["hosts"]] == [("host", "ann")]
            await kit.do_jobs()
            assert kit.stage.record(talk["name"]) is None
            kit.clock.pass_(days=2)
            await kit.do_jobs()
            record = kit.stage.record(talk["name"])
            assert record is not None
            assert (record.title, record.language, record.timezone) == (talk["title"], "nl", "Europe/Amsterdam")
            assert record.starts_ns == int(datetime(2026, 11, 24, 19, tzinfo=UTC).timestamp()) * 10**9

    run(test)


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": ""},
        {"title": "x" * 201},
        {"title": "two\nlines"},
        {"starts": "2020-01-01 20:00"},
        {"starts": "soon"},
        {"starts": "2027-03-28 02:30"},
        {"time_zone": "Europe/Nowhere"},
        {"time_zone": "../../etc/passwd"},
        {"language": "tlh"},
        {"doors_lead": 999_999},
        {"doors_lead": "many"},
        {"duration": 0},
        {"description": "x" * 5_001},
        {"visibility": "direct"},
    ],
    ids=str,
)
def test_what_cannot_be_kept_is_refused_with_a_reason_and_changes_nothing(
    sqlite_url: str, wrong: dict[str, Any], tmp_path: Path
) -> None:
    async def test() -> None:
        async with site_kit(sqlite_url, tmp_path) as kit:
            host = await kit.person("ann")
            answer = await host.post(API, json=EVENING | wrong)
            assert answer.status_code == 422
            assert len(answer.json()["error"]) > 10
            assert (await kit.anonymous.get(API)).json() == []
            assert kit.told.events == []

    run(test)


def test_a_change_of_time_raises_the_sequence_in_calendars_and_reaches_the_stage(
    database_url: str, tmp_path: Path
) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            host = await kit.person("ann")
            talk = await announced(host)
            await kit.do_jobs()
            first = await entry(kit, talk["name"])
            moved = await host.put(f"{API}/{talk['name']}", json={"starts": "2026-11-22 21:00"})
            assert moved.json()["starts_at"] == "2026-11-22T20:00:00.000Z"
            await kit.do_jobs()
            second = await entry(kit, talk["name"])
            assert (first["UID"], int(first["SEQUENCE"])) == (second["UID"], int(second["SEQUENCE"]) - 1)
            assert second["DTSTART"].dt.isoformat() == "2026-11-22T21:00:00+01:00"
            assert second["CONFERENCE"] == talk["url"]
            record = kit.stage.record(talk["name"])
            assert record is not None
            assert record.starts_ns == int(datetime(2026, 11, 22, 20, tzinfo=UTC).timestamp()) * 10**9
            same = await host.put(f"{API}/{talk['name']}", json={})
            assert same.json()["revision"] == moved.json()["revision"], "no change, no new sequence"

    run(test)


def test_a_talk_that_is_called_off_is_cancelled_in_calendars_and_on_the_stage(
    database_url: str, tmp_path: Path
) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            host = await kit.person("ann")
            talk = await announced(host)
            await kit.do_jobs()
            off = (await host.post(f"{API}/{talk['name']}/cancel", json={"why": "Ann is ill."})).json()
            assert (off["state"], off["cancelled_why"], off["listen_url"]) == ("cancelled", "Ann is ill.", None)
            await kit.do_jobs()
            record = kit.stage.record(talk["name"])
            assert record is not None
            assert record.state == "cancelled"
            event = await entry(kit, talk["name"])
            assert (event["STATUS"], int(event["SEQUENCE"]), len(event.subcomponents)) == ("CANCELLED", 1, 0)
            again = await host.post(f"{API}/{talk['name']}/cancel", json={"why": "Twice."})
            assert again.status_code == 422

    run(test)


def test_only_hosts_lead_and_a_cohost_is_one(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            host, bob, cat = [await kit.person(name) for name in ("ann", "bob", "cat")]
            talk = await announced(host)
            path = f"{API}/{talk['name']}"
            for asked in (
                bob.put(path, json={"title": "Mine"}),
                bob.post(f"{path}/cancel"),
                bob.post(f"{path}/notice", json={"text": "Hello"}),
                bob.post(f"{path}/end"),
                bob.post(f"{path}/guests", json={"account": "bob", "role": "cohost"}),
            ):
                assert (await asked).status_code == 403
            assert (await kit.anonymous.post(f"{path}/cancel")).status_code == 401
            added = await host.post(f"{path}/guests", json={"account": "@bob", "role": "cohost"})
            assert added.status_code == 200
            assert (await bob.put(path, json={"title": "Ours"})).json()["title"] == "Ours"
            assert (await cat.put(path, json={"title": "Mine"})).status_code == 403
            assert (await host.post(f"{path}/guests", json={"account": "cat", "role": "host"})).status_code == 422

    run(test)


def test_p9_what_a_host_says_of_the_cause_is_in_the_ledger_and_the_host_is_not(
    database_url: str, tmp_path: Path
) -> None:
    async def test() -> None:
        told = Told()
        async with site_kit(database_url, tmp_path, testimony=told) as kit:
            host = await kit.person("ann")
            path = f"{API}/{(talk := await announced(host))['name']}/notice"
            assert (await host.post(path, json={"text": "The train is late."})).status_code == 200
            attack = {"text": "It is an attack.", "claims": "attack"}
            asked = await host.post(path, json=attack)
            assert asked.status_code == 422
            unknown = "claimed: attack; evidence so far: none"
            assert unknown in asked.json()["error"]
            assert (await host.post(path, json=attack | {"seen": unknown})).status_code == 200
            assert (await host.post(path, json={"text": "Who knows.", "claims": "aliens"})).status_code == 422
            said = [(each.what, each.subject, each.text, each.claims, each.warned) for each in told.changes]
            assert said == [
                ("notice", talk["name"], "The train is late.", "", ""),
                ("statement", talk["name"], "It is an attack.", "attack", unknown),
            ]
            (by,) = {change.by for change in told.changes}
            assert re.fullmatch("host [0-9a-f]{16}", by)

    run(test)


def test_a_notice_is_shown_where_people_wait_and_moves_the_start_if_it_says_so(
    database_url: str, tmp_path: Path
) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            host = await kit.person("ann")
            talk = await announced(host)
            await kit.do_jobs()
            text = "We start ten minutes later: the train is late."
            asked = {"text": text, "starts": "2026-11-22 20:10"}
            told = (await host.post(f"{API}/{talk['name']}/notice", json=asked)).json()
            assert (told["starts_at"], told["revision"]) == ("2026-11-22T19:10:00.000Z", 1)
            assert told["ends_at"] == "2026-11-22T21:10:00.000Z", "as long as it was to last"
            await kit.do_jobs()
            record = kit.stage.record(talk["name"])
            assert record is not None
            assert record.notice == text
            assert record.starts_ns == int(datetime(2026, 11, 22, 19, 10, tzinfo=UTC).timestamp()) * 10**9
            assert (await kit.anonymous.get(f"{API}/{talk['name']}")).json()["notice"] == text
            for wrong in ({"text": ""}, {"text": "x" * 301}, {"text": "Hm", "starts": "2026-11-20 20:00"}):
                assert (await host.post(f"{API}/{talk['name']}/notice", json=wrong)).status_code == 422

    run(test)


def test_the_announcement_is_a_post_that_follows_its_talk_and_carries_its_thread(
    database_url: str, tmp_path: Path
) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            host, bob = await kit.person("ann"), await kit.person("bob")
            talk = await announced(host)
            post = (await bob.get(f"/api/v1/statuses/{talk['status_id']}")).json()
            assert post["account"]["username"] == "ann"
            assert talk["title"] in post["content"]
            assert "zondag 22 november 2026, 20:00 CET" in post["content"]
            assert talk["url"].partition("://")[2] in post["content"]
            asked = {"status": "I will be there.", "in_reply_to_id": talk["status_id"]}
            assert (await bob.post("/api/v1/statuses", json=asked)).status_code == 200
            text = {"text": "Later: the train is late.", "starts": "2026-11-22 20:10"}
            await host.post(f"{API}/{talk['name']}/notice", json=text)
            thread = (await bob.get(f"/api/v1/statuses/{talk['status_id']}/context")).json()["descendants"]
            assert [each["account"]["username"] for each in thread] == ["bob", "ann"]
            assert "the train is late" in thread[1]["content"]
            edited = (await bob.get(f"/api/v1/statuses/{talk['status_id']}/history")).json()
            assert ["20:00" in each["content"] for each in edited] == [True, False]
            await host.delete(f"/api/v1/statuses/{talk['status_id']}")
            off = await host.post(f"{API}/{talk['name']}/cancel", json={"why": "Ill."})
            assert off.json()["state"] == "cancelled", "a talk does not need its announcement"

    run(test)


def test_who_has_a_reminder_is_told_before_and_when_it_moves_or_is_called_off(
    database_url: str, tmp_path: Path
) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            host, bob = await kit.person("ann"), await kit.person("bob")
            talk = await announced(host)
            path = f"{API}/{talk['name']}"
            await bob.post(f"{path}/reminder", json={"push": False})

            async def subjects() -> list[str]:
                await kit.do_jobs()
                folder = kit.site.settings.mail.folder
                letters = [message_from_bytes(file.read_bytes()) for file in sorted(folder.glob("*.eml"))]
                assert {letter["To"] for letter in letters} <= {"bob@example.com"}
                return [letter["Subject"] for letter in letters]

            assert await subjects() == []
            await host.put(path, json={"starts": "2026-11-22 21:00"})
            assert await subjects() == [f"Another time: {talk['title']}"]
            kit.clock.pass_(hours=23, minutes=46)
            assert await subjects() == [f"Another time: {talk['title']}"], (
                "not at the time that was announced first"
            )
            kit.clock.pass_(hours=1)
            assert (await subjects())[1:] == [f"It starts soon: {talk['title']}"]
            await host.post(f"{path}/cancel", json={"why": "Ann is ill."})
            assert (await subjects())[2:] == [f"Called off: {talk['title']}"]

    run(test)


def test_what_has_begun_is_not_put_off(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            host = await kit.person("ann")
            talk = await announced(host, starts=(START + timedelta(minutes=5)).isoformat())
            await kit.do_jobs()
            kit.clock.pass_(minutes=6)
            kit.stage.advance(talk["name"], Tick(occupied=True))
            path = f"{API}/{talk['name']}"
            assert (await kit.anonymous.get(path)).json()["state"] == "live"
            asked = {"text": "Later", "starts": (START + timedelta(minutes=30)).isoformat()}
            assert (await host.post(f"{path}/notice", json=asked)).status_code == 422
            assert (await host.put(path, json={"title": "Another title"})).json()["title"] == "Another title"
            assert (await host.post(f"{path}/notice", json={"text": "The sound is better now."})).status_code == 200
            live, upcoming, recent = [
                (await kit.anonymous.get(API, params={"when": when})).json()
                for when in ("live", "upcoming", "recent")
            ]
            assert ([each["name"] for each in live], upcoming, recent) == ([talk["name"]], [], [])
            assert (await host.post(f"{path}/end")).json()["state"] == "ended"
            recent = (await kit.anonymous.get(API, params={"when": "recent"})).json()
            assert [each["name"] for each in recent] == [talk["name"]]

    run(test)


def test_who_has_a_reminder_comes_to_the_door_as_a_registered_listener_and_a_guest_to_the_stage(
    database_url: str, tmp_path: Path
) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path, gate_urls=("http://localhost:8070",)) as kit:
            host, bob = await kit.person("ann"), await kit.person("bob")
            talk = await announced(host)
            path, keys = f"{API}/{talk['name']}", kit.site.settings.ticket_keys
            now_s = int(START.timestamp())

            async def ticket() -> Any:
                address = urlsplit((await bob.get(f"{path}/addresses")).json()["listen_url"])
                text = parse_qs(address.fragment)["pass"][0]
                return verify_pass(text, conversation=talk["name"], keys=keys, now_s=now_s)

            before = await ticket()
            assert before.ticket_class is TicketClass.SIGNED_IN
            assert (await bob.post(f"{path}/reminder")).json()["reminder"] is True
            after = await ticket()
            assert (after.ticket_class, after.listener) == (TicketClass.REGISTERED, before.listener)
            assert (await bob.delete(f"{path}/reminder")).json()["reminder"] is False
            assert (await ticket()).ticket_class is TicketClass.SIGNED_IN
            assert (await bob.get(f"{path}/addresses")).json()["stage_url"] is None
            links = [(await host.get(f"{path}/addresses")).json()["stage_url"] for _ in range(2)]
            invitations = [
                verify_invitation(
                    link.partition("#t=")[2],
                    conversation=talk["name"],
                    key=kit.site.settings.invitation_key,
                    now_s=now_s,
                )
                for link in links
            ]
            assert {each.role for each in invitations if each} == {StageRole.HOST}
            assert len({each.person for each in invitations if each}) == 1, "the same seat each time"

    run(test)


def test_an_unlisted_talk_is_found_by_its_address_only(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            host = await kit.person("ann")
            talk = await announced(host, visibility="unlisted")
            assert (await kit.anonymous.get(API)).json() == []
            assert talk["name"] not in (await kit.anonymous.get("/conversations.ics")).text
            assert talk["name"] not in (await kit.anonymous.get("/@ann/conversations.ics")).text
            assert (await kit.anonymous.get(f"{API}/{talk['name']}")).json()["title"] == talk["title"]
            for path in (f"{API}/nothing", "/conversations/nothing.ics", "/@nobody/conversations.ics"):
                assert (await kit.anonymous.get(path)).status_code == 404

    run(test)


def test_a_hosts_calendar_has_all_their_talks_and_its_time_zones(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob = await kit.person("ann"), await kit.person("bob")
            await announced(ann, title="One; with, signs\\")
            await announced(ann, title="Two", time_zone="America/New_York")
            await announced(bob, title="Three")
            calendar = Calendar.from_ical((await kit.anonymous.get("/@ann/conversations.ics")).content)
            assert [str(event["SUMMARY"]) for event in calendar.walk("VEVENT")] == ["One; with, signs\\", "Two"]
            assert {str(zone["TZID"]) for zone in calendar.walk("VTIMEZONE")} == {
                "Europe/Amsterdam",
                "America/New_York",
            }
            (alarm,) = calendar.walk("VEVENT")[0].walk("VALARM")
            assert alarm["TRIGGER"].dt == timedelta(minutes=-10)

    run(test)
