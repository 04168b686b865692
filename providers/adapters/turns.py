"""The order of messages that Anthropic and Gemini demand, and what no vendor could answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from providers.errors import Unanswerable
from providers.messages import Message, Role

OPENING = "(The conversation begins with your message.)"
"""Stands for the user where the assistant speaks first: both vendors demand a user's turn there."""

CONTINUE = "Please continue."
"""Follows an assistant's message at the end. Newer models refuse to go on in another's message, and white space at its
end is refused, so they are asked to."""


class Turn(NamedTuple):
    role: Role
    text: str


def require_answerable(messages: Sequence[Message]) -> None:
    """Raises Unanswerable when nobody said anything; the same for every vendor, so that a fallback changes nothing."""
    if not any(message.content.strip() for message in messages):
        raise Unanswerable("There is nothing to answer: at least one user or assistant message must have text.")


def alternate(messages: Sequence[Message]) -> list[Turn]:
    """The same conversation beginning and ending with the user, roles alternating, no turn empty.

    Neighbours of one role become one turn, apart by a blank line; messages of white space alone are left out.
    Raises Unanswerable.
    """
    require_answerable(messages)
    turns: list[Turn] = []
    for message in messages:
        if not message.content.strip():
            continue
        if turns and turns[-1].role == message.role:
            turns[-1] = Turn(message.role, f"{turns[-1].text}\n\n{message.content}")
        else:
            turns.append(Turn(message.role, message.content))
    if turns[0].role == "assistant":
        turns.insert(0, Turn("user", OPENING))
    if turns[-1].role == "assistant":
        turns.append(Turn("user", CONTINUE))
    return turns
