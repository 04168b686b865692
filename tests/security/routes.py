"""Every route there is, as the URLconf has it, filled with what a test wants to meet there.

A route that is added is met by these tests without a word; one whose path has a new kind of parameter, or that answers
to nobody in particular, has to be entered here first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.schema.routes import Operation, routed

MOUNT = "/api/v1"
ALL = sorted(routed(), key=lambda operation: (operation[1], operation[0]))
ROOT = [(method, path) for method, path in ALL if not path.startswith(MOUNT)]
"""The other mount has the same views, which is tested, too."""

OPEN_PATHS = re.compile(r"/health(/\{provider\})?|/livez|/readyz|/metrics|/api/schema|/api/docs")
"""What answers whoever asks, also where conversations have owners."""

SOCKETS = "/ws/"

GUARDED = [(method, path) for method, path in ROOT if not OPEN_PATHS.fullmatch(path) and not path.startswith(SOCKETS)]
UNSAFE = [(method, path) for method, path in GUARDED if method != "GET"]
NAMED = [(method, path) for method, path in GUARDED if "{conversation_id}" in path or "{message_id}" in path]
"""Those whose address names a thing that somebody owns."""

BODIES: dict[str, object] = {
    "chat/completions": {"message": "Hello"},
    "conversation/message": {"message": "Hello"},
    "chat/{provider}": {"messages": [{"role": "user", "content": "Hello"}]},
    "v1/chat/completions": {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}]},
    "chat/conversations/{conversation_id}": {"title": "Mine now"},
    "chat/messages/{message_id}/edit": {"content": "Changed"},
    "chat/messages/{message_id}/feedback": {"rating": "down"},
}
"""Good ones, so that nothing but the thing itself is a reason to refuse; where none is named, an empty one is good."""


@dataclass(frozen=True)
class Things:
    """What somebody has. question, reply: a user's message and the assistant's"""

    conversation: str
    question: str
    reply: str

    def path(self, path: str) -> str:
        message = self.question if path.endswith("/edit") else self.reply
        named = {"conversation_id": self.conversation, "message_id": message, "provider": "gpt", "model": "gpt-4o"}
        return path.format(**named)

    def hidden_in(self, text: str) -> str:
        """The text with these ids taken out, so that answers about different things can be compared."""
        for each in (self.conversation, self.question, self.reply):
            text = text.replace(each, "…")
        return text


NOWHERE = Things("session-" + "1" * 38, "msg-" + "2" * 38, "msg-" + "3" * 38)
"""What nobody has."""


def body_of(operation: Operation) -> object | None:
    method, path = operation
    return None if method in ("GET", "DELETE") else BODIES.get(path.lstrip("/"), {})
