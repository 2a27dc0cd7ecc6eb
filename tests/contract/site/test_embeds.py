"""Posts on other sites: what machines read of a post, its frame, its quotation, its feed."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

from browsing import Browsing
from bus_server import run
from rostra.site.posts.compose import post
from rostra.site.posts.draft import Draft
from site_kit import Kit, site_kit

URL = "http://localhost:3000"


WORDS = 'Tonight at eight <b>"we"</b> talk'


async def _posted(kit: Kit, text: str = WORDS, visibility: str = "public", **more: str) -> int:
    ann = await kit.account("ann", display_name="Ann & <Co>")
    async with kit.site.writing() as work:
        return (await post(work, ann, Draft(text=text, visibility=visibility, language="en", **more))).id


def test_oembed_in_json_and_xml(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            url = f"{URL}/@ann/{await _posted(kit)}"
            told = (await kit.anonymous.get("/api/oembed", params={"url": url})).json()
            assert (told["type"], told["version"], told["author_name"]) == ("rich", "1.0", "Ann & <Co>")
            assert (told["author_url"], told["provider_url"]) == (f"{URL}/@ann", f"{URL}/")
            assert (told["width"], told["height"]) == (400, None)
            xml = await kit.anonymous.get("/api/oembed", params={"url": url, "format": "xml"})
            assert xml.headers["content-type"].startswith("text/xml")
            root = ET.fromstring(xml.content)  # noqa: S314 # our own answer
            assert root.findtext("html") == told["html"]
            wide = (await kit.anonymous.get("/api/oembed", params={"url": url, "maxwidth": "300"})).json()
            assert wide["width"] == 300
            assert (await kit.anonymous.get("/api/oembed", params={"url": url, "format": "x"})).status_code == 422

    run(test)


def test_the_quotation_reads_without_us(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            url = f"{URL}/@ann/{await _posted(kit)}"
            html = (await kit.anonymous.get("/api/oembed", params={"url": url})).json()["html"]
            assert html.startswith(f'<blockquote class="rostra-post" cite="{url}"')
            assert "Tonight at eight &lt;b&gt;&quot;we&quot;&lt;/b&gt; talk" in html
            assert "Ann &amp; &lt;Co&gt; (@ann)" in html
            assert f'<a href="{url}"><time datetime="2026-11-21T19:00' in html
            assert ">21 Nov 2026</time></a></blockquote>" in html

    run(test)


def test_what_is_not_for_everybody_is_not_embedded(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            status_id = await _posted(kit, "between us", "private")
            for url in (
                f"{URL}/@ann/{status_id}", f"{URL}/@ann/1", f"https://evil.example/@ann/{status_id}",
                f"{URL}/@nobody/{status_id}", f"{URL}/about", "", "http://[",
            ):  # fmt: skip
                answer = await kit.anonymous.get("/api/oembed", params={"url": url})
                assert answer.status_code == 404, url
                assert answer.json() == {"error": "Record not found"}

    run(test)


def test_the_frame_may_stand_anywhere_and_knows_nobody(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            status_id = await _posted(kit)
            await kit.account("bob", password="correct horse")
            browser = Browsing(kit)
            await browser.log_in("bob@example.com", "correct horse")
            frame = await browser.get(f"/@ann/{status_id}/embed")
            assert "frame-ancestors *" in frame.headers["content-security-policy"]
            assert "unsafe" not in frame.headers["content-security-policy"]
            assert "x-frame-options" not in frame.headers
            assert "set-cookie" not in frame.headers
            assert frame.headers["cache-control"] == "public, max-age=180"
            assert "Log out" not in frame.text
            assert "csrf" not in frame.text
            page = await browser.get(f"/@ann/{status_id}")
            assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
            script = await browser.get("/embed.js")
            assert "rostra-post" in script.text

    run(test)


def test_the_page_of_a_post_tells_machines_what_it_is(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            url = f"{URL}/@ann/{await _posted(kit)}"
            page = await Browsing(kit).get(url)
            tags = dict(re.findall(r'<meta (?:property|name)="([\w:.-]+)" content="([^"]*)">', page.text))
            assert tags["og:title"] == "Ann &amp; &lt;Co&gt; (@ann@localhost:3000)"
            assert tags["og:description"] == "Tonight at eight &lt;b&gt;&#34;we&#34;&lt;/b&gt; talk"
            assert (tags["og:type"], tags["og:url"], tags["og:locale"]) == ("article", url, "en_GB")
            assert tags["twitter:card"] == "summary"
            assert 'type="application/json+oembed"' in page.headers["link"]
            assert 'type="application/json+oembed"' in page.text
            told = json.loads(re.findall(r'<script type="application/ld\+json">(.*?)</script>', page.text)[0])
            assert told["@type"] == "SocialMediaPosting"
            assert told["articleBody"] == WORDS

    run(test)


def test_a_warning_stands_in_place_of_the_words_it_warns_of(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            url = f"{URL}/@ann/{await _posted(kit, 'The butler did it', spoiler_text='The end of the film')}"
            html = (await kit.anonymous.get("/api/oembed", params={"url": url})).json()["html"]
            assert "The end of the film" in html
            assert "butler" not in html
            head = (await Browsing(kit).get(url)).text.split("</head>")[0]
            assert "butler" not in head

    run(test)


def test_an_accounts_public_posts_are_a_feed(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            status_id = await _posted(kit)
            answer = await kit.anonymous.get("/@ann.rss")
            assert answer.headers["content-type"].startswith("application/rss+xml")
            channel = ET.fromstring(answer.content).find("channel")  # noqa: S314 # our own answer
            assert channel is not None
            assert channel.findtext("title") == "Ann & <Co>"
            assert [item.findtext("guid") for item in channel.findall("item")] == [f"{URL}/@ann/{status_id}"]
            assert (await kit.anonymous.get("/@nobody.rss")).status_code == 404

    run(test)
