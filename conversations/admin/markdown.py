"""Markdown as safe HTML: markdown-it-py renders it, nh3 keeps of that what may be shown. Nothing is ours but the lists.

Pictures become links: to show one would tell its host who reads what.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import nh3
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

RENDERED = 60_000
"""Code points beyond which a text is shown as it is."""

TAGS = {
    *("p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "ul", "ol", "li", "pre", "code"),
    *("strong", "em", "s", "a", "table", "thead", "tbody", "tr", "th", "td"),
}
ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}, "pre": {"data-language"}}
LANGUAGE = re.compile(r"[\w+#.-]{1,30}")


def _fence(renderer: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    """A block of code that says its language."""
    words = tokens[index].info.split()
    language = words[0] if words and LANGUAGE.fullmatch(words[0]) else ""
    return f'<pre data-language="{language}"><code>{escape(tokens[index].content)}</code></pre>\n'


_markdown = MarkdownIt("commonmark", {"html": False, "breaks": True})
_markdown.enable(["table", "strikethrough"]).disable("image")
_markdown.add_render_rule("fence", _fence)
_cleaner = nh3.Cleaner(
    tags=TAGS,
    attributes=ATTRIBUTES,
    url_schemes={"http", "https", "mailto"},
    link_rel="noopener noreferrer nofollow",
    set_tag_attribute_values={"a": {"target": "_blank"}},
)


def render(text: str) -> SafeString:
    """The text as HTML that can be put into a page."""
    html = _markdown.render(text) if len(text) <= RENDERED else f"<pre>{escape(text)}</pre>"
    return mark_safe(_cleaner.clean(html))  # noqa: S308  (it has just been cleaned)
