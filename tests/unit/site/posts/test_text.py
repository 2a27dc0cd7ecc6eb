"""The text of posts: what Mastodon counts, links and shows, and nothing that a reader's browser would run."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.site.posts.text import Link, hashtags, length, mentioned, pieces, render

URL = "http://localhost:3000"
ALLOWED = {
    "p": set(),
    "br": set(),
    "span": {"class", "translate"},
    "a": {"href", "class", "rel", "target", "translate"},
}
CLASSES = {"h-card", "u-url mention", "mention hashtag", "invisible", "ellipsis", ""}


def links(text: str) -> list[str]:
    return [piece.url for piece in pieces(text) if isinstance(piece, Link)]


def html_of(text: str) -> str:
    return render(text, site_url=URL, usernames={"ann": "Ann", "bob": "bob"})


@pytest.mark.parametrize(
    ("text", "characters"),
    [
        ("", 0),
        ("abc", 3),
        ("👨‍👩‍👧 e\u0301", 3),
        ("https://example.com/" + "a" * 200, 23),
        ("see http://a.b.", 4 + 23 + 1),
        ("@ann@some.where.example hi", 4 + 3),
        ("@ann@localhost:3000", 4),
        ("ann@some.where.example", 22),
        ("#tag", 4),
        ("example.com", 11),
    ],
)
def test_it_counts_as_clients_do(text: str, characters: int) -> None:
    assert length(text) == characters


def test_an_address_is_shown_as_three_spans() -> None:
    assert html_of("https://www.example.com/a/very/long/way/to/go?x=1&y=2") == (
        '<p><a href="https://www.example.com/a/very/long/way/to/go?x=1&amp;y=2" target="_blank" '
        'rel="nofollow noopener" translate="no"><span class="invisible">https://www.</span>'
        '<span class="ellipsis">example.com/a/very/long/way/to</span>'
        '<span class="invisible">/go?x=1&amp;y=2</span></a></p>'
    )


def test_people_and_tags_are_linked_and_strangers_stay_words() -> None:
    assert html_of("@Ann @eve @bob@localhost:3000 @ann@else.example #Rostra") == (
        '<p><span class="h-card" translate="no"><a href="http://localhost:3000/@Ann" class="u-url mention">'
        "@<span>Ann</span></a></span> @eve "
        '<span class="h-card" translate="no"><a href="http://localhost:3000/@bob" class="u-url mention">'
        "@<span>bob</span></a></span> @ann@else.example "
        '<a href="http://localhost:3000/tags/rostra" class="mention hashtag" rel="tag">#<span>Rostra</span></a></p>'
    )


def test_paragraphs_and_lines() -> None:
    assert html_of("a\r\nb\n\n\nc\n") == "<p>a<br>b</p><p>c</p>"
    assert html_of(" \n ") == ""


def test_what_is_named() -> None:
    text = "@Ann @ann@localhost:3000 x@bob #Één #één #12 a#b https://a.b/#c/@d &#39; /#e"
    assert mentioned(text, "localhost:3000") == ["ann"]
    assert hashtags(text) == {"één": "Één"}
    assert links(text) == ["https://a.b/#c/@d"]


@pytest.mark.parametrize("text", ["javascript:alert(1)", "ftp://a.b", "//a.b", "mailto:a@b.c", "data:text/html,x"])
def test_only_web_addresses_become_links(text: str) -> None:
    assert links(text) == []


class Checked(HTMLParser):
    """Fails on any tag, attribute, class or address that the wire rules do not name; gathers the text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in ALLOWED
        if tag != "br":
            self.open.append(tag)
        for name, value in attrs:
            assert name in ALLOWED[tag]
            assert value is not None
            assert name != "class" or value in CLASSES
            assert name != "href" or value.lower().startswith(("http://", "https://"))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    handle_decl = handle_pi = unknown_decl = handle_comment


HOSTILE = st.lists(
    st.sampled_from(
        [
            "<script>", "</p>", "<img src=x onerror=alert(1)>", '"', "'", ">", "<", "&", "&#60;", "<!--", "]]>",
            "javascript:", "http://", "https://a.b/", "HTTPS://", "@ann", "@", "@ann@", "localhost:3000", "#",
            "#tag", "\n", "\r\n", "\t", " ", "(", "?q=", "\u202e", "\u200d", "👩", "a", "://", ".", "/", "\\", "`",
        ]
    )
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=5),
    max_size=30,
).map("".join)  # fmt: skip


@given(HOSTILE)
def test_no_tag_no_attribute_and_no_script_survives(text: str) -> None:
    parser = Checked()
    parser.feed(html_of(text))
    parser.close()
    assert parser.open == []
    assert "".join(parser.text.split()).casefold() == "".join(text.split()).casefold()


@given(HOSTILE)
def test_the_pieces_are_the_text(text: str) -> None:
    written = [
        getattr(piece, "text", None) or getattr(piece, "url", None) or piece.written for piece in pieces(text)
    ]
    assert "".join(written) == text
