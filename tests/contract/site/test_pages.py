"""The pages as a browser without scripts has them: reading, writing, following, in both languages."""

import io
import re
from http import HTTPStatus
from pathlib import Path

from PIL import Image
from starlette.requests import Request

from browsing import Browsing
from bus_server import run
from rostra.site.answers import RefusedError
from rostra.site.pages.refused import refused_page
from rostra.site.posts.compose import post
from rostra.site.posts.draft import Draft
from site_kit import Kit, site_kit


async def _member(kit: Kit, name: str) -> Browsing:
    await kit.account(name, password="correct horse")
    browser = Browsing(kit)
    assert (await browser.log_in(f"{name}@example.com", "correct horse")).is_redirect
    return browser


async def _post(kit: Kit, account_id: int, text: str, visibility: str = "public") -> int:
    async with kit.site.writing() as work:
        return (await post(work, account_id, Draft(text=text, visibility=visibility))).id


def _picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(file, "PNG")
    return file.getvalue()


def test_every_page_for_visitors_answers_in_both_languages(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann = await kit.account("ann")
            status_id = await _post(kit, ann, "Good morning #water")
            browser = Browsing(kit)
            paths = (
                "/", "/public", "/tags/water", "/tags/nobody", "/@ann", "/@ann/with_replies", "/@ann/media",
                "/@ann/followers", "/@ann/following", f"/@ann/{status_id}", f"/@ann/{status_id}/history",
                f"/@ann/{status_id}/boosts", f"/@ann/{status_id}/favourites", "/about", "/about/rules",
                "/about/privacy", "/about/contact", "/login", "/join", "/password", "/search", "/search?q=wat",
            )  # fmt: skip
            for language in ("en", "nl"):
                browser.client.headers["Accept-Language"] = language
                for path in paths:
                    page = await browser.get(path)
                    assert page.status_code == 200, path
                    assert f'<html lang="{language}">' in page.text, path
                    assert "unsafe" not in page.headers["content-security-policy"]
                    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
                    assert page.headers["x-content-type-options"] == "nosniff"
                    assert " style=" not in page.text, path
                    assert not re.search(r"<script(?! (src|type=\"(module\" src|application/ld)))", page.text), path

    run(test)


def test_every_page_for_members_leads_visitors_to_the_entrance(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann = await _member(kit, "ann")
            for path in (
                "/compose", "/notifications", "/bookmarks", "/favourites", "/requests", "/scheduled",
                "/settings/profile", "/settings/preferences", "/settings/account", "/settings/security",
                "/settings/security/code", "/settings/sessions", "/settings/filters",
            ):  # fmt: skip
                page = await ann.get(path)
                assert page.status_code == 200, path
                assert page.headers["cache-control"] in {"private, no-cache", "no-store"}
                assert (await Browsing(kit).get(path)).headers["location"].startswith("/login?next="), path

    run(test)


def test_a_visitors_pages_may_be_kept_for_a_moment_and_set_no_cookie(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            page = await Browsing(kit).get("/public")
            assert page.headers["cache-control"].startswith("public, max-age=10")
            assert "set-cookie" not in page.headers

    run(test)


def test_the_language_is_switched_and_stays(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            browser = Browsing(kit)
            switched = await browser.client.post("/language", data={"language": "nl", "next": "/about"})
            assert switched.headers["location"] == "/about"
            assert "Over deze site" in (await browser.get("/about")).text
            away = await browser.client.post("/language", data={"language": "xx", "next": "//evil.example"})
            assert away.headers["location"] == "/"

    run(test)


def test_somebody_posts_with_a_picture_and_is_answered(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob = await _member(kit, "ann"), await _member(kit, "bob")
            form = {"status": "A view", "description_1": "Teal, all of it", "visibility": "public", "next": "/"}
            posted = await ann.post("/posts", form, files={"picture_1": ("view.png", _picture(), "image/png")})
            assert (posted.status_code, posted.headers["location"]) == (303, "/")
            seen = (await bob.get("/public")).text
            assert 'alt="Teal, all of it"' in seen
            status_id = re.findall(r'href="/@ann/(\d+)"', seen)[0]
            answer = {"status": "@ann Lovely", "in_reply_to_id": status_id, "visibility": "public"}
            answered = await bob.post("/posts", answer)
            assert answered.headers["location"].startswith("/@bob/")
            assert "Lovely" in (await Browsing(kit).get(f"/@ann/{status_id}")).text
            assert "mentioned you" in (await ann.get("/notifications")).text

    run(test)


def test_a_form_sent_twice_makes_one_post(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann = await _member(kit, "ann")
            key = re.findall(r'name="key" value="([^"]+)"', (await ann.get("/compose")).text)[0]
            for _ in range(2):
                assert (await ann.post("/posts", {"status": "Once", "key": key})).is_redirect
            assert (await ann.get("/@ann")).text.count(">Once<") == 1

    run(test)


def test_a_post_that_cannot_be_is_kept_in_the_form_with_what_is_wrong(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann = await _member(kit, "ann")
            ann.client.headers["Accept-Language"] = "nl"
            await ann.client.post("/language", data={"language": "nl"})
            long = "woord " * 200
            files = {"picture_1": ("view.png", _picture(), "image/png")}
            page = await ann.post("/posts", {"status": long, "description_1": "Een vlak"}, files=files)
            assert page.status_code == 422
            assert "De tekst is langer dan 500 tekens" in page.text
            assert long.strip() in page.text
            media_id = re.findall(r'name="media_ids\[\]" value="(\d+)"', page.text)[0]
            again = {"status": "kort", "media_ids[]": media_id, f"description_{media_id}": "Een ander vlak"}
            assert (await ann.post("/posts", again)).is_redirect
            assert 'alt="Een ander vlak"' in (await ann.get("/@ann")).text
            lying = {"picture_1": ("view.png", b"no picture at all", "image/png")}
            assert (await ann.post("/posts", {"status": "x"}, files=lying)).status_code == 422

    run(test)


def test_a_press_leads_back_to_where_the_post_stood_or_puts_it_there(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            bob_id = await kit.account("bob")
            status_id = await _post(kit, bob_id, "Good morning")
            ann = await _member(kit, "ann")
            for act, undo in (("favourite", "unfavourite"), ("boost", "unboost"), ("bookmark", "unbookmark")):
                done = await ann.post(f"/posts/{status_id}/{act}", {"next": "/public"})
                assert done.headers["location"] == f"/public#p{status_id}"
                script = {"HX-Request": "true"}
                put = await ann.post(f"/posts/{status_id}/{undo}", {"next": "/public"}, headers=script)
                assert put.status_code == 200
                assert f'id="p{status_id}"' in put.text
                assert "<html" not in put.text
            assert (await ann.post(f"/posts/{status_id}/explode")).status_code == 404
            assert (await ann.post(f"/posts/{status_id}/pin")).status_code == 422
            stranger = Browsing(kit)
            assert (await stranger.post(f"/posts/{status_id}/favourite")).status_code == 401
            unread = {"content": b"\xff" * 100, "headers": {"Content-Type": "multipart/form-data"}}
            assert (await stranger.client.post("/posts", **unread)).status_code == 401, "not a word of it was read"

    run(test)


def test_a_post_is_edited_and_its_history_shown_and_then_it_is_deleted(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob = await _member(kit, "ann"), await _member(kit, "bob")
            await ann.post("/posts", {"status": "First"})
            status_id = re.findall(r'href="/@ann/(\d+)"', (await ann.get("/@ann")).text)[0]
            assert (await bob.get(f"/posts/{status_id}/edit")).status_code == 404
            assert (await bob.post(f"/posts/{status_id}/delete")).status_code == 404
            assert (await ann.post(f"/posts/{status_id}/edit", {"status": "Second"})).is_redirect
            history = (await bob.get(f"/@ann/{status_id}/history")).text
            assert "First" in history
            assert "Second" in history
            assert "Delete this post?" in (await ann.get(f"/posts/{status_id}/delete")).text
            assert (await ann.post(f"/posts/{status_id}/delete")).is_redirect
            assert (await bob.get(f"/@ann/{status_id}")).status_code == 404

    run(test)


def test_a_poll_is_made_and_voted_in_once(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob = await _member(kit, "ann"), await _member(kit, "bob")
            form = {"status": "When?", "options[]": ["Eight", "Nine", "", ""], "lasts": "86400"}
            assert (await ann.post("/posts", form)).is_redirect
            page = (await bob.get("/@ann")).text
            form_pattern = r'action="/posts/(\d+)/vote".*?name="poll" value="(\d+)"'
            status_id, poll_id = re.findall(form_pattern, page, re.DOTALL)[0]
            ballot = {"poll": poll_id, "choices": "1", "next": "/@ann"}
            assert (await bob.post(f"/posts/{status_id}/vote", ballot)).is_redirect
            assert (await bob.post(f"/posts/{status_id}/vote", ballot)).status_code == 422
            assert "100 %" in (await bob.get("/@ann")).text

    run(test)


def test_a_post_for_later_is_listed_and_taken_back(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann = await _member(kit, "ann")
            form = {"status": "Tomorrow", "scheduled_at": "2026-11-22T08:00"}
            assert (await ann.post("/posts", form)).headers["location"] == "/scheduled"
            listed = (await ann.get("/scheduled")).text
            assert "Tomorrow" in listed
            assert (await ann.post("/posts", form | {"scheduled_at": "2026-11-21T19:01"})).status_code == 422
            assert (await ann.post("/posts", form | {"scheduled_at": "tomorrow"})).status_code == 422
            number = re.findall(r"/scheduled/(\d+)/withdraw", listed)[0]
            await ann.post(f"/scheduled/{number}/withdraw")
            assert "Tomorrow" not in (await ann.get("/scheduled")).text

    run(test)


def test_somebody_follows_and_a_locked_account_decides(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob = await _member(kit, "ann"), await _member(kit, "bob")
            await bob.post("/settings/profile", {"display_name": "Bob", "locked": "1"})
            await bob.post("/posts", {"status": "For my followers", "visibility": "private"})
            page = (await ann.get("/@bob")).text
            assert "For my followers" not in page
            follow = re.findall(r'action="(/people/\d+/follow)"', page)[0]
            await ann.post(follow, {"next": "/@bob"})
            accept = re.findall(r'action="(/people/\d+/accept)"', (await bob.get("/requests")).text)[0]
            await bob.post(accept, {"next": "/requests"})
            assert "For my followers" in (await ann.get("/")).text
            assert (await ann.post(follow.replace("follow", "adore"))).status_code == 404

    run(test)


def test_who_may_not_see_a_post_sees_no_more_than_that_there_is_nothing(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            bob = await kit.account("bob")
            await kit.account("ann")
            private = await _post(kit, bob, "secret plans", "private")
            public = await _post(kit, bob, "hello")
            browser = Browsing(kit)
            for path in (
                f"/@bob/{private}", f"/@bob/{private}/history", f"/@bob/{private}/embed", f"/@ann/{public}",
                "/@bob/1", "/@bob/x", "/@nobody", "/@bob/9999999999999999999999", "/%00", "/@bob/..%2f..",
            ):  # fmt: skip
                page = await browser.get(path)
                assert page.status_code == 404, path
                assert "secret" not in page.text

    run(test)


def test_hostile_words_stay_words(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann = await _member(kit, "ann")
            hostile = '<script>alert(1)</script>"><img src=x onerror=alert(1)>{{ 7*191 }}'
            form = {"display_name": hostile[:29], "note": hostile, "name_0": hostile, "value_0": hostile}
            assert (await ann.post("/settings/profile", form)).is_redirect
            await ann.post("/posts", {"status": hostile, "spoiler_text": hostile})
            for path in ("/", "/@ann", "/public", f"/search?q={hostile}", f"/compose?text={hostile}"):
                page = (await ann.get(path)).text
                assert "<script>alert" not in page, path
                assert "<img src=x" not in page, path
                assert "1337" not in page, path

    run(test)


def test_settings_are_kept_and_what_is_too_long_is_said(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann = await _member(kit, "ann")
            files = {"avatar": ("me.png", _picture(), "image/png")}
            form = {"display_name": "Ann", "note": "Hello", "name_0": "Where", "value_0": "Here"}
            assert (await ann.post("/settings/profile", form, files=files)).is_redirect
            page = (await ann.get("/@ann")).text
            for text in (">Ann<", "Hello", "Where", "/media/"):
                assert text in page
            refused = await ann.post("/settings/profile", form | {"note": "x" * 501})
            assert refused.status_code == 422
            assert "Note is too long" in refused.text
            form = {"locale": "nl", "time_zone": "Europe/Amsterdam", "privacy": "unlisted", "language": "nl"}
            assert (await ann.post("/settings/preferences", form)).is_redirect
            assert '<option value="unlisted" selected>' in (await ann.get("/compose")).text
            assert "Voorkeuren" in (await ann.get("/settings/preferences")).text
            form = {"title": "Voetbal", "keywords": "goal\nbal", "contexts[]": ["home", "public"]}
            assert (await ann.post("/settings/filters", form)).is_redirect
            assert "goal, bal" in (await ann.get("/settings/filters")).text

    run(test)


def test_an_account_that_is_not_confirmed_reads_but_does_not_write(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            browser = Browsing(kit)
            wish = {"username": "ann", "email": "ann@example.com", "password": "correct horse", "agreement": "1"}
            await browser.post("/join", wish)
            assert "Confirm your e-mail address" in (await browser.get("/")).text
            refused = await browser.post("/posts", {"status": "Hello"})
            assert refused.status_code == 403
            assert "missing a confirmed e-mail address" in refused.text

    run(test)


def test_a_failure_is_a_page_that_needs_no_database(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            headers = [(b"accept-language", b"nl"), (b"cookie", b"session=x")]
            request = Request(
                {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": headers}
            )
            await kit.site.database.close()
            failed = RefusedError(HTTPStatus.INTERNAL_SERVER_ERROR, "secret detail")
            page = await refused_page(request, kit.site, failed)
            assert page.status_code == 500
            assert "Er ging bij ons iets mis" in bytes(page.body).decode()
            assert b"secret detail" not in page.body

    run(test)


def test_a_machine_that_asks_for_a_page_is_told_no_in_its_own_words(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            answer = await kit.anonymous.get("/@nobody", headers={"Accept": "application/json"})
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["status"] == 404
            api = await kit.anonymous.get("/api/v1/accounts/1", headers={"Accept": "text/html"})
            assert api.json() == {"error": "Record not found"}

    run(test)


def test_what_was_written_is_found(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann = await kit.account("ann", display_name="Ann of the river")
            await _post(kit, ann, "A barge on the #river")
            page = (await Browsing(kit).get("/search?q=river")).text
            for found in ("Ann of the river", "A barge on the", 'href="/tags/river"'):
                assert found in page
            assert "Nothing was found" in (await Browsing(kit).get("/search?q=%22%27%3B--")).text

    run(test)


def test_notifications_are_counted_until_they_are_looked_at(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob = await _member(kit, "ann"), await _member(kit, "bob")
            await bob.post("/posts", {"status": "@ann hello"})
            assert 'class="unread">1<' in (await ann.get("/public")).text
            assert "mentioned you" in (await ann.get("/notifications")).text
            assert 'class="unread"' not in (await ann.get("/public")).text

    run(test)
