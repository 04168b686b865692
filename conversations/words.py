"""Text as a search sees it: case-folded words, the same for every database.

A word is a run of letters, digits and the marks on them. Scripts written without spaces have no such words: of a run
of their characters every two neighbours count as one, so that any two neighbouring characters find it.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import chain

LONGEST = 24
"""Characters of a word that count; longer ones are told apart by their beginnings only."""

MOST = 4000
"""Different words of one text that are indexed: its 24 000 characters have fewer, unless chosen for that."""

SEEN = 100_000
"""Characters of a text that are looked at."""

ASCII_WORD = re.compile(r"[a-z0-9]+")
IGNORED = re.compile("[\u00ad\u200c\u200d\u2060]")
"""Soft hyphens and joiners, which are in a word without being part of it."""

SPACELESS = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff]+"
)
"""Thai and Lao, Burmese, Khmer, the Japanese syllabaries, and Han."""


def words_of(text: str) -> list[str]:
    """The different words of a text, as they are indexed; at most `MOST`."""
    found: dict[str, None] = {}
    for run in _runs(text[:SEEN]):
        if SPACELESS.match(run):
            # The last character begins no pair, and yet can be searched for.
            found |= dict.fromkeys([*_pairs(run), run[-1]])
        else:
            found[run[:LONGEST]] = None
    return list(found)[:MOST]


def wanted(query: str) -> list[str]:
    """Beginnings of words, each of which must occur, the longest first; what another one implies is left out."""
    found: dict[str, None] = {}
    for run in _runs(query):
        pairs = _pairs(run) if SPACELESS.match(run) else ()
        found |= dict.fromkeys(pairs or [run[:LONGEST]])
    chosen: list[str] = []
    for word in sorted(found, key=len, reverse=True):
        if not any(longer.startswith(word) for longer in chosen):
            chosen.append(word)
    return chosen


def _runs(text: str) -> Iterable[str]:
    """Different words in the order of their first occurrence; of a spaceless script whole runs."""
    if text.isascii():
        return dict.fromkeys(ASCII_WORD.findall(text.lower()))
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", IGNORED.sub("", text)).casefold())
    runs = dict.fromkeys(_word().findall(folded))
    return chain.from_iterable(map(_by_script, runs)) if SPACELESS.search(folded) else runs


def _by_script(run: str) -> Iterator[str]:
    at = 0
    for match in SPACELESS.finditer(run):
        if match.start() > at:
            yield run[at : match.start()]
        yield match[0]
        at = match.end()
    if at < len(run):
        yield run[at:]


def _pairs(run: str) -> list[str]:
    return [run[at : at + 2] for at in range(len(run) - 1)]


@cache
def _word() -> re.Pattern[str]:
    """Letters and digits as Python knows them, and marks, which it does not count among them."""
    marks: list[list[int]] = []
    for code in range(0x300, min(0x1F000, sys.maxunicode)):
        if unicodedata.category(chr(code)) not in ("Mn", "Mc"):
            continue
        if marks and marks[-1][1] == code - 1:
            marks[-1][1] = code
        else:
            marks.append([code, code])
    ranges = "".join(f"{chr(first)}-{chr(last)}" for first, last in marks)
    return re.compile(f"[^\\W_]+(?:[{ranges}]+[^\\W_]*)*")
