"""Turns as tests write them: a few words instead of a request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import transaction

from conversations.models import Generation, Message, Status, Worker
from conversations.store.begin import Begun, begin
from conversations.store.endings import Finished, finish, lock_conversations
from conversations.turns import Claim, Turn
from providers.messages import Message as Utterance

WORKER = UUID(int=1)
OTHER_WORKER = UUID(int=2)


def user(text: str) -> Utterance:
    return Utterance("user", text)


def assistant(text: str) -> Utterance:
    return Utterance("assistant", text)


def a_turn(*said: str | Utterance, conversation_id: str | None = "session-1", **fields: Any) -> Turn:
    """A turn of a conversation without an owner; plain strings are the user's."""
    messages = tuple(user(text) if isinstance(text, str) else text for text in said)
    return Turn(**{"owner_id": None, "conversation_id": conversation_id, "messages": messages, **fields})


def regenerate(message_id: str, **fields: Any) -> Turn:
    return Turn(**{"owner_id": None, "kind": "regenerate", "target_id": message_id, **fields})


def edit(message_id: str, text: str, **fields: Any) -> Turn:
    return Turn(**{"owner_id": None, "kind": "edit", "target_id": message_id, "messages": (user(text),), **fields})


def a_claim(key: str = "key", *, route: str = "chat/gpt", body: str = "body", scope: str = "owner:1") -> Claim:
    return Claim(scope, key, route, body)


def start(turn: Turn, worker_id: UUID = WORKER) -> Begun:
    return begin(turn, worker_id, "gpt")


def end(begun: Begun, /, text: str = "", status: str = Status.COMPLETE, **fields: Any) -> None:
    """End a reply the way its own worker does."""
    fields = {"begun": bool(text), **fields}
    finished = Finished(begun.message_pk, begun.conversation_pk, status, text, said=begun.said, **fields)
    with transaction.atomic():
        lock_conversations({begun.conversation_pk})
        finish([finished])


def converse(*pairs: tuple[str, str], conversation_id: str = "session-1") -> list[Begun]:
    """Whole turns one after the other: what the user said and what was answered."""
    begun = []
    for said, answered in pairs:
        begun.append(start(a_turn(said, conversation_id=conversation_id)))
        end(begun[-1], answered)
    return begun


def a_worker(worker_id: UUID = WORKER) -> Worker:
    return Worker.objects.create(id=worker_id, host="elsewhere", pid=1, process_started=0)


def shown(conversation_id: str = "session-1") -> list[str]:
    """The history: a user's text as it is, a reply's after `> `."""
    rows = Message.objects.filter(conversation__public_id=conversation_id).history()
    return [message.content if message.role == "user" else f"> {message.content}" for message in rows]


def path_above(begun: Begun) -> list[str]:
    """Texts of what the reply stands under, oldest first, hidden ones included."""
    texts: list[str] = []
    message = Message.objects.get(pk=begun.message_pk).parent
    while message is not None:
        texts.append(message.content)
        message = message.parent
    return texts[::-1]


def state_of(begun: Begun) -> str:
    return Generation.objects.get(pk=begun.message_pk).state


def states(replies: Sequence[Begun]) -> list[str]:
    found = dict(Generation.objects.values_list("pk", "state"))
    return [found.get(each.message_pk, "ended") for each in replies]


def everything() -> dict[str, list[dict[str, Any]]]:
    """Every row of every table of ours."""
    models = apps.get_app_config("conversations").get_models()
    return {model.__name__: list(model._default_manager.order_by("pk").values()) for model in models}
