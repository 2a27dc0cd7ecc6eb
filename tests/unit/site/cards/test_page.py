"""What pages say of themselves, also when they lie, and which link of a post counts."""

from rostra.site.cards.page import decoded, first_link, read, with_oembed

_URL = "https://paper.example/2024/talk"


def test_open_graph_comes_before_the_title_and_addresses_become_whole() -> None:
    page = read(
        """<html lang="nl-NL"><head><title>Plain</title>
        <meta property="og:title" content="  The
        talk "><meta property="og:description" content="What &amp; when"><meta property="og:image" content="/a.jpg">
        <meta property="og:site_name" content="Paper"><meta property="og:url" content="/2024/talk?id=1">
        <meta property="article:published_time" content="2024-08-12T20:00:00Z">
        <link rel="alternate" type="application/json+oembed" href="/oembed?u=1"></head>""",
        _URL,
    )
    assert page is not None
    assert (page.title, page.description, page.language) == ("The talk", "What & when", "nl")
    assert (page.url, page.picture_url) == ("https://paper.example/2024/talk?id=1", "https://paper.example/a.jpg")
    assert (page.provider_name, page.oembed_url) == ("Paper", "https://paper.example/oembed?u=1")


def test_a_page_with_a_title_only_has_a_card_and_one_without_has_none() -> None:
    page = read("<title>Plain</title><p>text", _URL)
    assert page is not None
    assert (page.title, page.url, page.picture_url) == ("Plain", _URL, "")
    assert read("<p>text", _URL) is None
    assert read("", _URL) is None


def test_a_page_does_not_speak_for_another_host_nor_name_what_is_no_address() -> None:
    page = read(
        """<title>T</title><meta property="og:url" content="https://bank.example/">
        <meta property="og:image" content="javascript:alert(1)"><meta property="article:author" content="file:///etc">""",
        _URL,
    )
    assert page is not None
    assert (page.url, page.picture_url, page.author_url) == (_URL, "", "")


def test_texts_are_cut() -> None:
    page = read(f"<title>{'x' * 5000}</title><meta name=description content='{'y ' * 5000}'>", _URL)
    assert page is not None
    assert len(page.title) == 300
    assert len(page.description) == 1000


def test_of_an_oembed_video_only_its_frame_is_taken() -> None:
    page = read("<title>T</title>", _URL)
    assert page is not None
    html = '<script>alert(1)</script><iframe onload="alert(1)" src="https://v.example/1?a=1&quot;b"></iframe>'
    video = with_oembed(page, {"type": "video", "html": html, "width": "640", "height": 360, "author_name": "Ann"})
    assert video.kind == "video"
    assert "alert" not in video.html
    assert video.html.startswith('<iframe src="https://v.example/1?a=1&quot;b" width="640" height="360" sandbox="')
    assert (video.width, video.height, video.author_name) == (640, 360, "Ann")


def test_an_oembed_answer_that_makes_no_sense_leaves_a_link() -> None:
    page = read("<title>T</title>", _URL)
    assert page is not None
    for answer in (
        {"type": "video", "html": "<iframe src='http://v.example/'></iframe>"},
        {"type": "video", "html": 7, "width": -1},
        {"type": "photo", "url": "data:image/png,1"},
        {"type": ["link"], "title": {"a": 1}},
        {},
    ):
        assert with_oembed(page, answer).kind == "link"


def test_the_charset_is_that_of_the_answer_or_of_the_head() -> None:
    assert decoded("é".encode("latin-1"), "latin-1") == "é"
    assert decoded('<meta charset="latin-1">é'.encode("latin-1"), None).endswith("é")
    assert decoded("é".encode(), "no-such-charset") == "é"
    assert decoded(b"\xff", None) == "\ufffd"


def test_the_first_link_is_neither_a_mention_nor_a_hashtag() -> None:
    content = (
        '<p><span class="h-card"><a href="https://a.example/@b" class="u-url mention">@b</a></span> '
        '<a href="https://a.example/tags/c" class="mention hashtag">#c</a> <a href="mailto:a@b">d</a> '
        '<a href="https://paper.example/x?a=1&amp;b=2">e</a> <a href="https://late.example/">f</a></p>'
    )
    assert first_link(content) == "https://paper.example/x?a=1&b=2"
    assert first_link("<p>text</p>") is None
