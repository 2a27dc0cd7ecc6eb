"""Files of posts that nobody sees now: gone from their addresses, back with their posts, there for moderators."""

from io import BytesIO
from pathlib import Path

import httpx2
from PIL import Image

from bus_server import run
from moderating import decide, lift
from rostra.site.login.sessions import begin
from rostra.site.moderation import decisions
from rostra.site.moderation.moderators import Moderator
from rostra.site.people import leaving
from site_kit import Kit, site_kit


async def _post_with_picture(kit: Kit, account_id: int) -> tuple[int, str]:
    """Its id, and the address of its picture."""
    client, picture = kit.client(await kit.token(account_id)), BytesIO()
    Image.new("RGB", (60, 40)).save(picture, "PNG")
    uploaded = await client.post("/api/v2/media", files={"file": ("picture.png", picture.getvalue())})
    sent = {"status": "Look", "media_ids": [uploaded.json()["id"]]}
    posted = await client.post("/api/v1/statuses", json=sent)
    return int(posted.json()["id"]), uploaded.json()["url"]


async def _browser_of(kit: Kit, account_id: int) -> httpx2.AsyncClient:
    async with kit.site.writing() as work:
        token = await begin(work, account_id, user_agent="a test", second_factor=False)
    client = kit.client("")
    del client.headers["Authorization"]
    client.cookies.set("session", token, domain="localhost.local")
    return client


def test_the_file_of_a_hidden_post_is_seen_by_moderators_alone_until_it_is_shown_again(
    database_url: str, tmp_path: Path
) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            moderator, ann = await kit.account("mod", role="moderator"), await kit.account("ann")
            status_id, url = await _post_with_picture(kit, ann)
            assert (await kit.anonymous.get(url)).status_code == 200
            await decide(kit, moderator, "hide", ann, status_ids=(status_id,))
            await kit.do_jobs()
            assert (await kit.anonymous.get(url)).status_code == 404
            assert (await (await _browser_of(kit, ann)).get(url)).status_code == 404
            seen = await (await _browser_of(kit, moderator)).get(url)
            assert seen.status_code == 200
            assert seen.headers["cache-control"] == "private, no-store"
            async with kit.site.writing() as work:
                hidden = await decisions.open_restrictions(work, "status", status_id, ["hide"])
                await decisions.lift(work, Moderator(moderator, "moderator"), hidden, "It was a mistake.")
            await kit.do_jobs()
            assert (await kit.anonymous.get(url)).status_code == 200

    run(test)


def test_the_files_of_a_suspended_account_and_of_one_that_left_are_gone(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            moderator, ann = await kit.account("mod", role="moderator"), await kit.account("ann")
            _, url = await _post_with_picture(kit, ann)
            await decide(kit, moderator, "suspend", ann)
            await kit.do_jobs()
            assert (await kit.anonymous.get(url)).status_code == 404
            await lift(kit, moderator, ann, "suspend")
            await kit.do_jobs()
            assert (await kit.anonymous.get(url)).status_code == 200
            async with kit.site.writing() as work:
                await leaving.leave(work, ann)
            await kit.do_jobs()
            assert (await kit.anonymous.get(url)).status_code == 404
            kit.clock.pass_(days=400)
            await kit.do_jobs()
            assert not [each for each in kit.site.settings.media.rglob("*.png") if each.is_file()]

    run(test)
