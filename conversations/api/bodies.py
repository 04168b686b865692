"""What a client may send, checked: bytes in, values or an `ApiError` out.

Content is kept byte for byte: nothing is trimmed, nothing converted.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, Struct, UnsetType

from conversations.api.errors import ApiError
from conversations.identifiers import CHOSEN_ID
from conversations.turns import DEFAULT_PARENT, DefaultParent, OnBusy, OnDisconnect
from providers.messages import Message

MAX_LENGTH = 24_000
MAX_MESSAGES = 50
ROLES = ("user", "assistant", "system")
MISSING = re.compile(r"Object missing required field `(\w+)`(?: - at `\$\.?(.*)`)?")
PLACE = re.compile(r" - at `\$\.?(.*)`$")
IDEMPOTENCY_KEY = re.compile(r'"([\x21-\x7e]{1,255})"|(?!""\Z)([\x21-\x7e]{1,255})')

T = TypeVar("T", bound=Struct)


class TurnFields(Struct):
    """What every route that produces a reply takes, meaningless where nothing is stored."""

    conversation_id: str | None = None
    on_disconnect: OnDisconnect | None = None
    on_busy: OnBusy = "wait"
    parent_id: str | UnsetType | None = UNSET

    @property
    def parent(self) -> str | DefaultParent | None:
        """Where the turn goes. Raises `ApiError` 400."""
        if isinstance(self.parent_id, UnsetType):
            return DEFAULT_PARENT
        if self.parent_id is not None and not CHOSEN_ID.fullmatch(self.parent_id):
            raise ApiError(400, "parent_id must be the id of an assistant's message of this conversation.")
        return self.parent_id


class MessageIn(Struct):
    """One entry of the streaming contract's `messages`; its `timestamp` and `model` mean nothing in a request."""

    role: str
    content: str


class ChatBody(TurnFields, kw_only=True):
    messages: list[MessageIn]


class CompletionBody(TurnFields, kw_only=True):
    message: str
    provider: str | None = None


class RegenerateBody(TurnFields, kw_only=True):
    provider: str | None = None


class EditBody(TurnFields, kw_only=True):
    content: str
    provider: str | None = None


def decoded(body: bytes, kind: type[T]) -> T:
    """Parse and check the types of a JSON body. Raises `ApiError` 400 naming the field."""
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise ApiError(400, _sentence(str(error))) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ApiError(400, "The body is not valid JSON.") from None


def _sentence(problem: str) -> str:
    if missing := MISSING.fullmatch(problem):
        field, place = missing.groups()
        return f"{place}.{field} field is required" if place else f"{field} field is required"
    if place := PLACE.search(problem):
        return f"{place.group(1) or 'body'}: {PLACE.sub('', problem)}"
    return problem


def checked_text(text: str, name: str) -> str:
    """The text itself, where it may be stored and sent to a model. Raises `ApiError` 400."""
    if not text or text.isspace():
        raise ApiError(400, f"{name} must not be empty or only white space.")
    if len(text) > MAX_LENGTH:
        raise ApiError(400, f"{name} is too long: at most {MAX_LENGTH} characters are allowed.")
    if "\0" in text:
        raise ApiError(400, f"{name} must not contain NUL characters.")
    return text


def checked_messages(messages: Sequence[MessageIn]) -> tuple[list[Message], str | None]:
    """The user's and the assistant's messages, and the `system` ones joined (None where there are none)."""
    if not messages:
        raise ApiError(400, "messages must not be empty.")
    if len(messages) > MAX_MESSAGES:
        raise ApiError(400, f"Too many messages: the maximum is {MAX_MESSAGES}.")
    spoken: list[Message] = []
    system: list[str] = []
    for index, message in enumerate(messages):
        if message.role not in ROLES:
            raise ApiError(400, f"messages[{index}].role must be one of user, assistant, system.")
        text = checked_text(message.content, f"messages[{index}].content")
        if message.role == "system":
            system.append(text)
        else:
            spoken.append(Message(message.role, text))  # type: ignore[arg-type]
    return spoken, "\n\n".join(system) if system else None


def checked_conversation_id(conversation_id: str | None) -> str | None:
    """Raises `ApiError` 400 for an id that a client may not choose."""
    if conversation_id is not None and not CHOSEN_ID.fullmatch(conversation_id):
        raise ApiError(
            400,
            "conversation_id must be 1 to 128 of A-Z a-z 0-9 . _ : ~ - and begin with a letter or digit.",
        )
    return conversation_id


def idempotency_key(header: str | None) -> str | None:
    """The key without its quotes. Raises `ApiError` 400."""
    if header is None:
        return None
    match = IDEMPOTENCY_KEY.fullmatch(header)
    if match is None:
        raise ApiError(400, "Idempotency-Key must be 1 to 255 visible ASCII characters, quoted or not.")
    return match.group(1) or match.group(2)


def body_hash(body: bytes) -> str:
    """The same for bodies that mean the same; `timestamp` does not count.

    Fields that mean nothing here may hold what no value stands for, such as a number beyond any float: then only the
    same bytes are the same.
    """
    try:
        meaning = _meaning(msgspec.json.decode(body or b"{}"))
    except (msgspec.MsgspecError, ValueError, RecursionError):
        meaning = body
    return hashlib.sha256(meaning).hexdigest()


def _meaning(value: dict[str, Any]) -> bytes:
    messages = value.get("messages")
    for each in (value, *(messages if isinstance(messages, list) else ())):
        if isinstance(each, dict):
            each.pop("timestamp", None)
    return msgspec.json.encode(value, order="sorted")
