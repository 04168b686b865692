"""The code of `docs/frontends.md`, by the file that its fence names."""

from __future__ import annotations

import re

from tests.services.environment import ROOT

PAGE = ROOT / "docs" / "frontends.md"
FENCE = re.compile(r"^```(?:js|python) file=(?P<file>\S+)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)


def pieces() -> dict[str, str]:
    found = [(match["file"], match["code"]) for match in FENCE.finditer(PAGE.read_text(encoding="utf-8"))]
    assert len(found) == len(dict(found)), "two pieces of one name"
    return dict(found)
