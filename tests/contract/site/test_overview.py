"""What operators see of the edges on the site."""

import asyncio
from pathlib import Path

import msgspec

from browsing import Browsing
from rostra.core.messages import EdgeReport
from rostra.site.conversations.draft import to_ns
from site_kit import site_kit
from verdicts import OWN_FAULT

EDGE = EdgeReport("edge-1", "http://edge", 0, {"evening": 12_345}, 20_000, 500, 0.1, rung="500 ms", lag_ms=400.0)


def test_owners_and_moderators_watch_the_edges_and_nobody_else(database_url: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            kit.stage.seen.hear(EDGE, now_s=0.0)
            kit.stage.seen.hear(msgspec.structs.replace(OWN_FAULT, at_ns=to_ns(kit.clock.now)), now_s=0.0)
            for name, role in (("octavia", "owner"), ("max", "moderator"), ("ann", "member")):
                await kit.account(name, role=role, password="correct horse")
                browser = Browsing(kit)
                await browser.log_in(f"{name}@example.com", "correct horse")
                page = await browser.get("/moderation/edges")
                part = await browser.get("/moderation/edges/now")
                if role == "member":
                    assert (page.status_code, part.status_code) == (403, 403)
                    continue
                assert "12,345 listen, room for 7,655 more" in page.text
                assert "so far: The platform itself was at fault</strong>\nFirm" in page.text
                assert "Of those who wanted to listen, 34 % (30–38) were harmed." in part.text
                assert "That there was an attack: limited support." in part.text
                assert "what edge-7 can carry was not rehearsed" in part.text
                assert "edge-1 is 400 ms late: newcomers wait" in part.text
                assert 'hx-get="/moderation/edges/now"' in part.text
                assert "<html" not in part.text
            assert (await Browsing(kit).get("/moderation/edges")).status_code == 303

    asyncio.run(scenario())
