"""Replies are Markdown, and never anything that a browser would run."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.page.visiting import Chat
from tests.services.server import LiveServer
from tests.simulator import Simulator

RENDER = """async (text) => {
  const { markdown } = await import("/static/conversations/chat/markdown.js");
  const host = document.createElement("div");
  host.append(markdown(text));
  for (const node of host.querySelectorAll("[dir]")) node.removeAttribute("dir");
  return host.innerHTML;
}"""

CASES = {
    "**bold** *slanted*": "<p><strong>bold</strong> <em>slanted</em></p>",
    "~~gone~~ `*code*`": "<p><del>gone</del> <code>*code*</code></p>",
    "# Title\n## Part": "<h3>Title</h3><h4>Part</h4>",
    "## Part\n### Section": "<h3>Part</h3><h4>Section</h4>",
    "- one\n- two": "<ul><li>one</li><li>two</li></ul>",
    "3. three\n4. four": '<ol start="3"><li>three</li><li>four</li></ol>',
    "- a\n  - b": "<ul><li>a<ul><li>b</li></ul></li></ul>",
    "> said": "<blockquote><p>said</p></blockquote>",
    "```py\na < b\n```": '<pre tabindex="0"><code data-language="py">a &lt; b</code></pre>',
    "```\nnot yet clo": '<pre tabindex="0"><code>not yet clo</code></pre>',
    "a\nb": "<p>a<br>b</p>",
    "a\n\nb": "<p>a</p><p>b</p>",
    "---": "<hr>",
    "|a|b|\n|-|-|\n|1|2|": (
        '<div class="table" tabindex="0"><table><thead><tr><th>a</th><th>b</th></tr></thead>'
        "<tbody><tr><td>1</td><td>2</td></tr></tbody></table></div>"
    ),
    "[x](https://a.example)": '<p><a href="https://a.example" rel="noopener noreferrer" target="_blank">x</a></p>',
    "see https://a.example/b.": (
        '<p>see <a href="https://a.example/b" rel="noopener noreferrer" target="_blank">https://a.example/b</a>.</p>'
    ),
    "snake_case_name": "<p>snake_case_name</p>",
    "***both*** **a *b***": "<p><strong><em>both</em></strong> <strong>a <em>b</em></strong></p>",
    "2 * 3 * 4": "<p>2 * 3 * 4</p>",
    "\\*plain\\* \\`too\\`": "<p>*plain* `too`</p>",
    "`` a ` b ``": "<p><code>a ` b</code></p>",
    '[x](https://a.example "Title")': (
        '<p><a href="https://a.example" rel="noopener noreferrer" target="_blank">x</a></p>'
    ),
    "![chart](https://a.example/c.png)": (
        '<p><a href="https://a.example/c.png" rel="noopener noreferrer" target="_blank">chart</a></p>'
    ),
    "<https://a.example/b>": (
        '<p><a href="https://a.example/b" rel="noopener noreferrer" target="_blank">https://a.example/b</a></p>'
    ),
    "https://a.example/b_(c)": (
        '<p><a href="https://a.example/b_(c)" rel="noopener noreferrer" target="_blank">https://a.example/b_(c)</a></p>'
    ),
    "1. a\n\n   ```py\n   b\n     c\n\n   d\n   ```\n\n2. e": (
        '<ol start="1"><li><p>a</p><pre tabindex="0"><code data-language="py">b\n  c\n\nd</code></pre></li>'
        "<li><p>e</p></li></ol>"
    ),
    "- a\n\n    ```\n    b\n    ```": '<ul><li><p>a</p><pre tabindex="0"><code>b</code></pre></li></ul>',
    "1. a\n\n   more\n2. b": '<ol start="1"><li><p>a</p><p>more</p></li><li><p>b</p></li></ol>',
    "- a\n  - b\n    - c\n- d": ("<ul><li>a<ul><li>b<ul><li>c</li></ul></li></ul></li><li>d</li></ul>"),
    "1. a\n  - b\n2. c": '<ol start="1"><li>a<ul><li>b</li></ul></li><li>c</li></ol>',
    "- a\nstill a": "<ul><li>a<br>still a</li></ul>",
    "- a\n\nafter": "<ul><li>a</li></ul><p>after</p>",
    "- [ ] to do\n- [x] done": "<ul><li>☐ to do</li><li>☑ done</li></ul>",
    "````md\n```py\nx\n```\n````": '<pre tabindex="0"><code data-language="md">```py\nx\n```</code></pre>',
    "  ```\n  a\n    b\n  ```": '<pre tabindex="0"><code>a\n  b</code></pre>',
    "So:\n|a|b|\n|:-:|-:|\n|1 \\| 2||": (
        '<p>So:</p><div class="table" tabindex="0"><table><thead><tr><th class="center">a</th>'
        '<th class="right">b</th></tr></thead><tbody><tr><td class="center">1 | 2</td>'
        '<td class="right"></td></tr></tbody></table></div>'
    ),
}

ATTACKS = [
    "<script>document.title = 'gotcha'</script>",
    "<img src=x onerror=\"document.title = 'gotcha'\">",
    "<svg onload=\"document.title = 'gotcha'\">",
    "<iframe src=\"javascript:parent.document.title = 'gotcha'\"></iframe>",
    "[x](javascript:document.title='gotcha')",
    "[x]( javascript:document.title='gotcha')",
    "[x](JaVaScRiPt:document.title='gotcha')",
    "[x](data:text/html,<script>1</script>)",
    "![x](https://outside.example/pixel.png)",
    "<style>body { display: none }</style>",
    '```"><script>document.title = 1</script>\nx\n```',
]


ENDLESS = ["> " * 5000 + "deep", "- " * 5000 + "deep", "**" * 5000, "[" * 5000, "`" * 5001, "_a " * 8000, "*a" * 8000]


@pytest.fixture(scope="module")
def rendered(browser: Browser, server: LiveServer) -> dict[str, str]:
    """All cases, from one page."""
    page = browser.new_page()
    page.goto(f"{server.url}/")
    texts = [*CASES, *ATTACKS, *ENDLESS]
    found = {text: page.evaluate(RENDER, text) for text in texts}
    page.close()
    return found


@pytest.mark.parametrize("text", CASES)
def test_it_renders(rendered: dict[str, str], text: str) -> None:
    assert rendered[text] == CASES[text]


@pytest.mark.parametrize("text", ATTACKS)
def test_it_makes_nothing_that_runs_or_loads(rendered: dict[str, str], text: str) -> None:
    html = rendered[text]
    for dangerous in ("<script", "<img", "<svg", "<iframe", "<style", 'href="javascript', 'href="data', 'href=" '):
        assert dangerous not in html.lower()


def test_it_bears_what_is_nested_without_end(rendered: dict[str, str]) -> None:
    assert rendered["> " * 5000 + "deep"].count("<blockquote>") < 20


def test_it_shows_an_attack_as_text(chat: Chat, simulator: Simulator) -> None:
    simulator.script(text="\n\n".join(ATTACKS[:4]))
    chat.ask("Attack me")
    expect(chat.reply).to_contain_text(ATTACKS[0])
    assert chat.page.title() == "Attack me · Dialogix"


def test_it_shows_what_the_person_wrote_as_it_is(chat: Chat, simulator: Simulator) -> None:
    simulator.script(text="Yes")
    chat.ask("<b>not bold</b> **neither**")
    expect(chat.said).to_have_text("<b>not bold</b> **neither**")


def test_it_copies_a_reply_as_it_was_written(chat: Chat, simulator: Simulator) -> None:
    chat.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    simulator.script(text="It is **noon**.")
    chat.ask("What time is it?").press("Copy", within=chat.replies.last)
    expect(chat.page.get_by_role("status")).to_have_text("Copied.")
    assert chat.page.evaluate("navigator.clipboard.readText()") == "It is **noon**."


def test_it_copies_code_alone(chat: Chat, simulator: Simulator) -> None:
    chat.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    simulator.script(text="Do:\n\n```py\nprint(1)\n```\n")
    chat.ask("How?").press("Copy the code")
    expect(chat.page.get_by_role("status")).to_have_text("Copied.")
    assert chat.page.evaluate("navigator.clipboard.readText()") == "print(1)"


def test_it_copies_where_browsers_offer_no_clipboard(chat: Chat, simulator: Simulator) -> None:
    chat.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    simulator.script(text="Noon")
    chat.page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined, configurable: true })")
    chat.ask("What time is it?").press("Copy", within=chat.replies.last)
    expect(chat.page.get_by_role("status")).to_have_text("Copied.")
    chat.page.evaluate("delete navigator.clipboard")
    assert chat.page.evaluate("navigator.clipboard.readText()") == "Noon"
