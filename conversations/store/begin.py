"""The beginning of a stored reply: the conversation, the user's messages and the empty reply, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, IntegrityError, transaction
from django.db.models.functions import Now

from conversations import identifiers
from conversations.database import own_connection
from conversations.models import Conversation, Generation, Message, Status
from conversations.refusals import Busy, NotThere
from conversations.store import claims, statements
from conversations.store.branches import Branch, branch_of
from conversations.store.paths import show_path_to
from conversations.turns import Turn, context
from providers.messages import Message as Utterance

TITLE_LENGTH = 80
RACES = 2
"""How often a turn may be overtaken: once for its conversation, once for its key."""

SHOWN = ("title", "opening", "instructions")  # in the order of the model, as `from_db` wants them
READ = ("id", "public_id", "owner_id", *SHOWN)
UNDER_WAY = "SELECT message_id FROM conversations_generation WHERE conversation_id = %s ORDER BY message_id"
NOTE = """
    UPDATE conversations_conversation
    SET message_count = message_count + %s, last_activity_at = {now}, last_status = 'streaming',
        title = %s, opening = %s, instructions = %s
    WHERE id = %s
"""


@dataclass(frozen=True, slots=True)
class Begun:
    """A turn as it now stands in the database.

    messages:     what goes upstream; empty where the turn waits (`context_of` tells, once it has its go)
    provider:     the one asked for, or "" where any may answer
    running:      whether it may start at once; otherwise it waits for another reply
    claimed:      whether an idempotency key stands for it
    fresh:        False: an earlier request with the same key began it
    to_cancel:    keys of replies that this turn interrupts
    said:         (key, text) of the messages that the turn added; a search finds them when the reply ends
    """

    message_pk: int
    message_id: str
    conversation_pk: int
    conversation_id: str
    provider: str
    instructions: str
    messages: Sequence[Utterance]
    running: bool
    claimed: bool = True
    fresh: bool = True
    to_cancel: Sequence[int] = ()
    said: Sequence[tuple[int, str]] = ()


def begin(turn: Turn, worker_id: UUID, default_provider: str) -> Begun:
    """Write the turn. Raises `TurnRefused`; then nothing is stored.

    default_provider: names the chunks of a reply for which no provider was asked
    """
    for _ in range(RACES):
        try:
            return _begin(turn, worker_id, default_provider)
        except IntegrityError:
            # Another process created the conversation or claimed the key between our look and our insert: look again.
            continue
    return _begin(turn, worker_id, default_provider)


def refusal(turn: Turn) -> None:
    """Raise the `TurnRefused` that `begin` would raise as things stand, storing nothing."""
    with transaction.atomic():
        if turn.claim is not None and claims.held(turn.claim) is not None:
            return
        branch_of(turn, _existing(turn))


def replay(turn: Turn) -> Begun | None:
    """The turn that an earlier request with the same key began, if there is one. Raises `NotThere` and `KeyReused`."""
    if turn.claim is None:
        return None
    if turn.target_id and _existing(turn) is None:
        raise NotThere("This message does not exist.")
    claim = claims.held(turn.claim)
    return None if claim is None or claim.released else _begun_before(claim.message)


@transaction.atomic
def _begin(turn: Turn, worker_id: UUID, default_provider: str) -> Begun:
    conversation = _existing(turn, lock=True)
    claim = claims.held(turn.claim) if turn.claim is not None else None
    if claim is not None and not claim.released:
        return _begun_before(claim.message)
    branch = branch_of(turn, conversation, claim)
    if branch.opens or conversation is None:
        conversation, under_way = _create(turn, branch), []
    else:
        _note(turn, conversation, branch)
        under_way = [key for (key,) in statements.rows(UNDER_WAY, (conversation.pk,))]
    if under_way and turn.on_busy == "reject":
        raise Busy("A reply is under way in this conversation.")
    to_cancel = _interrupt(under_way) if turn.on_busy == "interrupt" else ()
    said, reply = _write(turn, conversation, branch, default_provider)
    state = Generation.State.WAITING if under_way else Generation.State.RUNNING
    generation = {
        "message_id": reply.key,
        "conversation_id": conversation.pk,
        "worker_id": statements.uuid_parameter(worker_id),
        "state": state.value,
        "previous_leaf": branch.previous_leaf,
    }
    statements.insert(Generation, generation)
    if turn.claim is not None:
        claims.take(turn.claim, reply.key)
    return Begun(
        message_pk=reply.key,
        message_id=reply.public_id,
        conversation_pk=conversation.pk,
        conversation_id=conversation.public_id,
        provider=branch.provider or "",
        instructions=conversation.instructions,
        messages=() if under_way else context([*branch.path, *branch.new]),
        running=not under_way,
        claimed=turn.claim is not None,
        to_cancel=to_cancel,
        said=said,
    )


def _existing(turn: Turn, *, lock: bool = False) -> Conversation | None:
    """The turn's conversation, None where it is to be created."""
    if turn.conversation_id is not None and not turn.target_id:
        return _named(turn.owner_id, turn.conversation_id, lock=lock)
    rows = Conversation.objects.owned_by(turn.owner_id)
    if lock:
        rows = rows.select_for_update(of=("self",))
    if turn.target_id:
        return rows.filter(messages__public_id=turn.target_id).first()
    before = claims.held(turn.claim) if turn.claim is not None else None
    return rows.filter(pk=before.message.conversation_id).first() if before is not None else None


def _named(owner_id: int | None, public_id: str, *, lock: bool) -> Conversation | None:
    """A conversation by its id, with the columns that a turn reads; the others are loaded when somebody asks."""
    whose = "owner_id IS NULL" if owner_id is None else "owner_id = %s"
    locked = " FOR UPDATE" if lock and own_connection().features.has_select_for_update else ""
    statement = f"SELECT {', '.join(READ)} FROM conversations_conversation WHERE {whose} AND public_id = %s{locked}"  # noqa: S608
    found = statements.rows(statement, (public_id,) if owner_id is None else (owner_id, public_id))
    return Conversation.from_db(DEFAULT_DB_ALIAS, READ, found[0]) if found else None


def _create(turn: Turn, branch: Branch) -> Conversation:
    """A conversation as it stands with this turn in it."""
    public_id = turn.conversation_id or identifiers.conversation_id()
    # Made of its columns: to make it of names Django would look for a default of each of the others.
    conversation = Conversation.from_db(DEFAULT_DB_ALIAS, READ, (None, public_id, turn.owner_id, "", "", ""))
    _show(turn, conversation, branch)
    counted = {"message_count": len(branch.new) + 1, "last_status": Status.STREAMING.value}
    conversation.pk = statements.insert(
        Conversation, {**{name: getattr(conversation, name) for name in READ[1:]}, **counted}
    )
    return conversation


def _interrupt(keys: Sequence[int]) -> Sequence[int]:
    Generation.objects.filter(pk__in=keys, cancel_requested_at=None).update(cancel_requested_at=Now())
    return keys


@dataclass(frozen=True, slots=True)
class _Written:
    key: int
    public_id: str


def _write(
    turn: Turn, conversation: Conversation, branch: Branch, default_provider: str
) -> tuple[Sequence[tuple[int, str]], _Written]:
    """The new messages, as keys and texts, and the empty reply under them."""
    if branch.leaves_active_path:
        show_path_to(conversation.pk, branch.parent)
    parent = branch.parent
    said = []
    for message in branch.new:
        parent = _insert(conversation, parent, message.role, message.content, turn).key
        said.append((parent, message.content))
    return said, _insert(conversation, parent, "assistant", "", turn, branch.provider or default_provider)


def _insert(
    conversation: Conversation, parent: int | None, role: str, content: str, turn: Turn, provider: str = ""
) -> _Written:
    public_id = identifiers.message_id()
    row = {
        "public_id": public_id,
        "conversation_id": conversation.pk,
        "parent_id": parent,
        "role": role,
        "content": content,
        "status": (Status.STREAMING if provider else Status.COMPLETE).value,
        "requested_provider": provider,
        "request_id": turn.request_id,
    }
    return _Written(statements.insert(Message, row), public_id)


def _note(turn: Turn, conversation: Conversation, branch: Branch) -> None:
    """The turn in the columns of a conversation that exists already."""
    _show(turn, conversation, branch)
    shown = (getattr(conversation, name) for name in SHOWN)
    statements.run(NOTE, (len(branch.new) + 1, *shown, conversation.pk))


def _show(turn: Turn, conversation: Conversation, branch: Branch) -> None:
    """What the conversation itself shows of a turn that begins."""
    if turn.instructions is not None:
        conversation.instructions = turn.instructions
    first = next((message for message in branch.new if message.role == "user"), None)
    if first is not None and not conversation.opening:
        conversation.opening = " ".join(first.content.split())[:TITLE_LENGTH].rstrip()
        conversation.title = conversation.title or conversation.opening


def _begun_before(reply: Message) -> Begun:
    return Begun(
        message_pk=reply.pk,
        message_id=reply.public_id,
        conversation_pk=reply.conversation_id,
        conversation_id=reply.conversation.public_id,
        provider=reply.requested_provider,
        instructions="",
        messages=(),
        running=False,
        fresh=False,
    )
