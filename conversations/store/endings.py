"""The end of a stored reply: text, outcome, attempts, and the next turn's go."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from django.db.models import F
from django.db.models.functions import Now

from conversations.models import Attempt, Conversation, Generation, JournalEntry, Message, Status
from conversations.store.claims import release_unanswered
from conversations.store.indexing import index_texts
from conversations.store.paths import show_path_to


@dataclass(frozen=True, slots=True)
class Tried:
    """One attempt, as it is stored. `outcome` is `complete` or the kind of the error that ended it."""

    provider: str
    model: str
    outcome: str
    http_status: int | None
    error: str
    duration_ms: int


@dataclass(frozen=True, slots=True)
class Finished:
    """A reply's end, ready to be written.

    begun:     its stream had been answered with 200, or it has text
    abandoned: nobody is left to be told of the end
    """

    message_pk: int
    conversation_pk: int
    status: str
    text: str
    provider: str = ""
    model: str = ""
    finish_reason: str | None = None
    error: str = ""
    input_tokens: int | None = None
    output_tokens: int | None = None
    usage_estimated: bool = False
    time_to_first_token_ms: int | None = None
    duration_ms: int | None = None
    begun: bool = False
    abandoned: bool = False
    claimed: bool = True
    attempts: Sequence[Tried] = field(default_factory=tuple)


def lock_conversations(keys: Collection[int]) -> None:
    """Take the locks of several conversations in the one order in which all processes take them."""
    list(Conversation.objects.select_for_update().filter(pk__in=keys).order_by("pk").values_list("pk"))


def finish(ends: Sequence[Finished]) -> None:
    """Write the ends. The caller holds the conversations' locks and knows that these replies are its own to end."""
    before = _before([end.message_pk for end in ends])
    written = [end for end in ends if _write_message(end)]
    keys = [end.message_pk for end in written]
    JournalEntry.objects.filter(message_id__in=keys).delete()
    Generation.objects.filter(pk__in=keys).delete()
    Attempt.objects.bulk_create(_attempts(written))
    index_texts([(end.message_pk, end.conversation_pk, end.text) for end in written if end.text])
    _show_again([end for end in written if not end.text], before)
    for end in written:
        if end.claimed:
            release_unanswered(end.message_pk, end.status, begun=end.begun, abandoned=end.abandoned)
    under_way = _under_way({end.conversation_pk for end in written})
    for end in written:
        _note(end, newest=all(reply.key < end.message_pk for reply in under_way.get(end.conversation_pk, ())))
    _give_go(under_way)


def _write_message(end: Finished) -> bool:
    """Change the message from `streaming` into its end; False where another has done so, or it is gone."""
    fields: dict[str, object] = {
        "status": end.status,
        "content": end.text,
        "finish_reason": end.finish_reason,
        "error": end.error,
        "input_tokens": end.input_tokens,
        "output_tokens": end.output_tokens,
        "usage_estimated": end.usage_estimated,
        "duration_ms": end.duration_ms,
    }
    if end.model:
        fields |= {
            "provider": end.provider,
            "model": end.model,
            "time_to_first_token_ms": end.time_to_first_token_ms,
        }
    if not end.text:
        fields["active"] = False
    return bool(Message.objects.filter(pk=end.message_pk, status=Status.STREAMING).update(**fields))


def _attempts(ends: Sequence[Finished]) -> list[Attempt]:
    return [
        Attempt(
            message_id=end.message_pk,
            provider=tried.provider,
            model=tried.model,
            outcome=tried.outcome,
            http_status=tried.http_status,
            error=tried.error,
            duration_ms=tried.duration_ms,
        )
        for end in ends
        for tried in end.attempts
    ]


def _before(keys: Collection[int]) -> dict[int, tuple[int | None, bool]]:
    """Per reply that is about to end: what was shown before it, and whether it is shown itself."""
    rows = Generation.objects.filter(pk__in=keys).values_list("pk", "previous_leaf", "message__active")
    return {key: (leaf, active) for key, leaf, active in rows}


def _show_again(vanished: Sequence[Finished], before: dict[int, tuple[int | None, bool]]) -> None:
    """Replies beside others that ended without text: what was shown before is shown again.

    Not where more followed meanwhile, nor where a person has turned to another branch. What was shown before may be
    gone in the same way: then it is what was shown before that.
    """
    leaves = {end.message_pk: leaf for end in vanished if (leaf := before[end.message_pk][0])}
    for end in vanished:
        leaf = leaves.get(end.message_pk)
        while leaf in leaves:
            leaf = leaves[leaf]
        if leaf is None:
            continue
        replies = Generation.objects.filter(conversation_id=end.conversation_pk)
        replies.filter(previous_leaf=end.message_pk).update(previous_leaf=leaf)
        followed = Message.objects.filter(conversation_id=end.conversation_pk, active=True, pk__gt=end.message_pk)
        if before[end.message_pk][1] and not followed.exists():
            show_path_to(end.conversation_pk, leaf)


@dataclass(frozen=True, slots=True)
class _UnderWay:
    key: int
    running: bool
    cancelled: bool


def _under_way(conversations: Collection[int]) -> dict[int, list[_UnderWay]]:
    """Per conversation its running and waiting replies, oldest first."""
    found: dict[int, list[_UnderWay]] = {}
    rows = Generation.objects.filter(conversation_id__in=conversations).order_by("pk")
    for key, conversation, state, cancel in rows.values_list("pk", "conversation_id", "state", "cancel_requested_at"):
        reply = _UnderWay(key, state == Generation.State.RUNNING, cancel is not None)
        found.setdefault(conversation, []).append(reply)
    return found


def _note(end: Finished, *, newest: bool) -> None:
    changes: dict[str, object] = {
        "message_count": F("message_count") - (0 if end.text else 1),
        "input_tokens": F("input_tokens") + (end.input_tokens or 0),
        "output_tokens": F("output_tokens") + (end.output_tokens or 0),
        "last_activity_at": Now(),
    }
    if newest:
        changes["last_status"] = end.status
        if end.model:
            changes |= {"last_provider": end.provider, "last_model": end.model}
    Conversation.objects.filter(pk=end.conversation_pk).update(**changes)


def _give_go(under_way: dict[int, list[_UnderWay]]) -> None:
    """Where nothing runs any more, the turn that came first of those that wait is next.

    What is to be cancelled ends without a go: whoever asked for that with a turn of his own goes first.
    """
    next_ones: list[int] = []
    for replies in under_way.values():
        if not any(reply.running for reply in replies):
            next_ones += [reply.key for reply in replies if not reply.cancelled][:1]
    if next_ones:
        Generation.objects.filter(pk__in=next_ones).update(state=Generation.State.RUNNING)
