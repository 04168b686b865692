"""The journal's rows of one reply, put together."""

from __future__ import annotations

from collections.abc import Iterable


def joined(pieces: Iterable[tuple[int, str]]) -> str:
    """The text from where the first piece begins. pieces: (position, text) in the order in which they were written.

    Where the acknowledgement of a commit was lost, its text was written once more, together with what followed: what
    is known already is left out.
    """
    texts: list[str] = []
    end: int | None = None
    for position, text in pieces:
        known = 0 if end is None else max(0, end - position)
        texts.append(text[known:])
        end = max(end or 0, position + len(text))
    return "".join(texts)
