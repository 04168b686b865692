"""Reads the `conversations.json` of ChatGPT's data export: each conversation is a tree of nodes.

Nodes that were never shown (system texts, tool calls and their results, hidden ones) are left out, and what follows
them follows the node before them. The branch shown is the way to `current_node`. Images and files are named, not kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from conversations.commands.foreign import ForeignConversation, ForeignMessage, UnreadableError, cleaned
from conversations.identifiers import CHOSEN_ID

ROLES = ("user", "assistant")
TEXTS = ("text", "multimodal_text")
"""Kinds of content that are shown as what was said."""

Nodes = Mapping[str, dict[str, Any]]


def conversation(raw: bytes) -> ForeignConversation:
    """Raises `UnreadableError`."""
    try:
        told = json.loads(raw)  # lone halves of surrogate pairs occur, which stricter parsers refuse
        return _conversation(told)
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError, RecursionError) as error:
        # Their format is written down nowhere: what is not as it usually is must cost this conversation only.
        raise UnreadableError(f"it is not as ChatGPT writes one ({type(error).__name__}: {error})") from error


def _conversation(told: dict[str, Any]) -> ForeignConversation:
    name = str(told.get("conversation_id") or told["id"])
    if not CHOSEN_ID.fullmatch(name):
        raise UnreadableError(f"{name!r} cannot be the id of a conversation")
    nodes: Nodes = told["mapping"]
    created = _moment(told.get("create_time"), datetime.fromtimestamp(0, UTC))
    messages = list(_messages(nodes, _way(nodes, told.get("current_node")), created))
    newest = max([created, *(message.created_at for message in messages)])
    return ForeignConversation(
        id=name,
        title=cleaned(str(told.get("title") or ""))[:200],
        created_at=created,
        updated_at=_moment(told.get("update_time"), newest),
        messages=messages,
        archived=bool(told.get("is_archived")),
    )


def _way(nodes: Nodes, node_id: str | None) -> set[str]:
    """The nodes from the root to this one; without one, to the newest."""
    at = node_id if node_id in nodes else next(reversed(list(nodes)), None)
    way: set[str] = set()
    while at is not None and at in nodes and at not in way:
        way.add(at)
        at = nodes[at].get("parent")
    return way


def _messages(nodes: Nodes, way: set[str], created: datetime) -> Iterator[ForeignMessage]:
    """Parents before children, else by time."""
    roots = [name for name, node in nodes.items() if node.get("parent") not in nodes]
    waiting: list[tuple[str, str | None, datetime]] = [(name, None, created) for name in reversed(roots)]
    seen: set[str] = set()
    while waiting:
        name, parent, before = waiting.pop()
        if name in seen or name not in nodes:
            continue
        seen.add(name)
        node = nodes[name]
        message = _message(name, parent, node.get("message"), before, active=name in way)
        if message is not None:
            yield message
            parent, before = message.id, message.created_at
        waiting += [(child, parent, before) for child in reversed(node.get("children") or [])]


def _message(
    name: str, parent: str | None, told: dict[str, Any] | None, before: datetime, *, active: bool
) -> ForeignMessage | None:
    """The node as a message; None where it was never shown."""
    if told is None or told["author"]["role"] not in ROLES:
        return None
    metadata = told.get("metadata") or {}
    if metadata.get("is_visually_hidden_from_conversation") or told.get("recipient", "all") != "all":
        return None
    text = _text(told.get("content") or {})
    if not text:
        return None
    role = told["author"]["role"]
    return ForeignMessage(
        id=name,
        parent_id=parent,
        role=role,
        content=text,
        created_at=_moment(told.get("create_time"), before),
        active=active,
        model=str(metadata.get("model_slug") or "")[:200] if role == "assistant" else "",
    )


def _text(content: dict[str, Any]) -> str:
    if content.get("content_type") not in TEXTS:
        return ""
    parts = [part if isinstance(part, str) else _named(part) for part in content.get("parts") or []]
    return cleaned("\n\n".join(part for part in parts if part))


def _named(part: Any) -> str:
    """What stands in the place of an image or a file; a spoken text is its transcription."""
    if not isinstance(part, dict):
        return ""
    if isinstance(part.get("text"), str):
        return str(part["text"])
    kind = str(part.get("content_type") or "attachment").removesuffix("_asset_pointer").replace("_", " ")
    return f"[{kind}]"


def _moment(seconds: Any, otherwise: datetime) -> datetime:
    return datetime.fromtimestamp(float(seconds), UTC) if seconds else otherwise
