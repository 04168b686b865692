from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.admin.markdown import RENDERED, TAGS, render


class Elements(HTMLParser):
    """What a browser would make of some HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def harm_in(html: str) -> list[object]:
    """Elements and attributes that may not be there, and addresses that are not the web's."""
    allowed = {"href", "title", "rel", "target", "start", "data-language"}
    harm: list[object] = []
    for tag, attributes in Elements(html).found:
        if tag not in TAGS or not allowed.issuperset(attributes):
            harm.append((tag, attributes))
        address = (attributes.get("href") or "").strip().lower()
        if ":" in address.split("/")[0] and not address.startswith(("http:", "https:", "mailto:")):
            harm.append(address)
    return harm


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<iframe src=//evil.example></iframe>",
    "<style>*{display:none}</style>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:msgbox)",
    "<javascript:alert(1)>",
    '[x](http://a.example "\\" onmouseover=alert(1) \\"")',
    '```html" onclick="alert(1)\nx\n```',
    "```\n</code></pre><script>alert(1)</script>\n```",
    "`<script>alert(1)</script>`",
    "| a |\n|---|\n| <script>alert(1)</script> |",
    "![x](x \"onerror='alert(1)'\")",
    "[a]: javascript:alert(1)\n\n[a]",
    "<a href='x' style='position:fixed;inset:0'>x</a>",
    "<form action=//evil.example><input name=password></form>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_it_lets_nothing_harmful_through(text: str) -> None:
    assert harm_in(render(text)) == []


PIECES = st.sampled_from(
    [*HOSTILE, "\n", "\n\n", "> ", "- ", "`", "```", "**", "[", "](", ")", "<", ">", '"', "&lt;", "a"]
)


@given(st.lists(PIECES, max_size=12).map("".join))
def test_it_lets_nothing_harmful_through_however_it_is_put_together(text: str) -> None:
    assert harm_in(render(text)) == []


def test_it_renders_markdown() -> None:
    html = render("# Title\n\nSome **bold** and `code`.\n\n- one\n- two")
    assert [part in html for part in ("<h1>Title</h1>", "<strong>bold</strong>", "<li>one</li>")] == [True] * 3


def test_it_names_the_language_of_code() -> None:
    assert '<pre data-language="python"><code>x &lt; 1\n</code></pre>' in render("```python\nx < 1\n```")


def test_it_renders_tables() -> None:
    assert "<td>1</td>" in render("| a |\n|---|\n| 1 |")


def test_it_keeps_line_breaks() -> None:
    assert "<br" in render("one\ntwo")


def test_it_loads_no_pictures() -> None:
    html = render("![a cat](https://evil.example/cat.png)")
    assert "<img" not in html
    assert '<a href="https://evil.example/cat.png"' in html


def test_it_opens_links_without_telling_where_from() -> None:
    html = render("[x](https://a.example)")
    assert 'rel="noopener noreferrer nofollow"' in html
    assert 'target="_blank"' in html


def test_it_shows_very_long_texts_as_they_are() -> None:
    assert render("**a** " * RENDERED).startswith("<pre>**a** **a**")
