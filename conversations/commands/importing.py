"""Files of conversations, told apart by their beginnings, and each conversation made into rows."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
from django.core.management.base import CommandError

from conversations.commands import chatgpt, ours
from conversations.commands.foreign import ForeignConversation, ForeignMessage, message_id
from conversations.models import Conversation, Message
from conversations.store import importing

INSIDE = "conversations.json"
"""The file within the archive that ChatGPT sends."""

BEGINNING = 4096


class Source:
    """A file of conversations. Raises CommandError where it cannot be read or is of no kind that we know."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            with path.open("rb") as file:
                beginning = file.read(BEGINNING).lstrip(b"\xef\xbb\xbf \t\r\n")
            self.total = self._count(beginning)
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}.") from error

    def _count(self, beginning: bytes) -> int | None:
        """How many conversations it has, as far as that is known without reading all of it."""
        self._ours = beginning.startswith(b"{") or not beginning
        self._raw: list[msgspec.Raw] = [] if self._ours else self._chatgpt(zipped=beginning.startswith(b"PK"))
        return None if self._ours else len(self._raw)

    def _chatgpt(self, *, zipped: bool) -> list[msgspec.Raw]:
        """The conversations unread, so that a file of gigabytes costs its size and no more."""
        try:
            if zipped:
                with zipfile.ZipFile(self._path) as archive:
                    content = archive.read(INSIDE)
            else:
                content = self._path.read_bytes()
            return _apart(content)
        except (msgspec.DecodeError, zipfile.BadZipFile, KeyError, UnicodeDecodeError) as error:
            kinds = f"neither our JSON Lines nor ChatGPT's {INSIDE} nor the archive that holds it"
            raise CommandError(f"{self._path} is {kinds}.") from error

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        """Number (from 1) and text of every conversation."""
        if not self._ours:
            yield from ((number, bytes(raw)) for number, raw in enumerate(self._raw, start=1))
            return
        with self._path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield number, line

    def read(self, text: bytes) -> ForeignConversation:
        """Raises `UnreadableError`."""
        return (
            ours.conversation(text.strip().removeprefix(b"\xef\xbb\xbf")) if self._ours else chatgpt.conversation(text)
        )


def _apart(content: bytes) -> list[msgspec.Raw]:
    """The conversations of ChatGPT's file, each still in JSON. Raises `msgspec.DecodeError`."""
    try:
        return msgspec.json.decode(content, type=list[msgspec.Raw])
    except msgspec.DecodeError:
        # Halves of surrogate pairs occur, which only the standard library reads, in a multiple of the memory.
        try:
            found = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise msgspec.DecodeError(str(error)) from error
        if not isinstance(found, list):
            raise msgspec.DecodeError("it is no list") from None
        return [msgspec.Raw(json.dumps(each).encode()) for each in found]


def exists(told: ForeignConversation, owner_id: int | None) -> bool:
    return Conversation.objects.owned_by(owner_id).filter(public_id=told.id).exists()


def store(told: ForeignConversation, owner_id: int | None) -> bool:
    """False where it is there already."""
    if exists(told, owner_id):
        return False
    conversation = Conversation(
        public_id=told.id,
        owner_id=owner_id,
        title=told.title,
        instructions=told.instructions,
        archived=told.archived,
        created_at=told.created_at,
        last_activity_at=told.updated_at,
    )
    taken = importing.taken_ids([message.id for message in told.messages])
    index = {message.id: number for number, message in enumerate(told.messages)}
    messages = [_row(message, _id(told, message, owner_id, taken)) for message in told.messages]
    parents = [None if message.parent_id is None else index[message.parent_id] for message in told.messages]
    return importing.add(conversation, messages, parents)


def _id(told: ForeignConversation, message: ForeignMessage, owner_id: int | None, taken: set[str]) -> str:
    """Its own id where it looks like one of ours and is free."""
    free = message.id.startswith("msg-") and message.id[4:].isdecimal() and message.id not in taken
    return message.id if free else message_id(owner_id, told.id, message)


def _row(told: ForeignMessage, public_id: str) -> Message:
    return Message(
        public_id=public_id,
        active=told.active,
        role=told.role,
        content=told.content,
        created_at=told.created_at,
        status=told.status,
        requested_provider=told.provider,
        provider=told.provider,
        model=told.model,
        finish_reason=told.finish_reason,
        error=told.error,
        input_tokens=told.input_tokens,
        output_tokens=told.output_tokens,
        usage_estimated=told.usage_estimated,
        feedback_rating=told.feedback_rating,
        feedback_comment=told.feedback_comment,
    )
