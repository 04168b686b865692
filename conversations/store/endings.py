"""The end of a stored reply: text, outcome, attempts, and the next turn's go."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from conversations.database import own_connection
from conversations.models import Conversation, Generation, Message
from conversations.store import statements
from conversations.store.claims import release_unanswered
from conversations.store.indexing import index_texts
from conversations.store.paths import show_path_to

END = """
    UPDATE conversations_message
    SET status = %s, content = %s, finish_reason = %s, error = %s,
        input_tokens = %s, output_tokens = %s, usage_estimated = %s, duration_ms = %s,
        provider = COALESCE(%s, provider), model = COALESCE(%s, model),
        time_to_first_token_ms = COALESCE(%s, time_to_first_token_ms)
    WHERE id = %s AND status = 'streaming'
"""
HIDE = "UPDATE conversations_message SET active = %s WHERE id = %s"
ATTEMPT = """
    INSERT INTO conversations_attempt (message_id, provider, model, outcome, http_status, error, duration_ms)
    VALUES (%s, %s, %s, %s, %s, %s, %s)
"""
FOLD = "DELETE FROM conversations_journalentry WHERE message_id = %s"
RELEASE = "DELETE FROM conversations_generation WHERE message_id = %s"
UNDER_WAY = """
    SELECT message_id, conversation_id, state, cancel_requested_at FROM conversations_generation
    WHERE conversation_id IN ({}) ORDER BY message_id
"""
NOTE = """
    UPDATE conversations_conversation
    SET message_count = message_count - %s, input_tokens = input_tokens + %s, output_tokens = output_tokens + %s,
        last_activity_at = {now}, last_status = COALESCE(%s, last_status),
        last_provider = COALESCE(%s, last_provider), last_model = COALESCE(%s, last_model)
    WHERE id = %s
"""


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

    begun:      its stream had been answered with 200, or it has text
    abandoned:  nobody is left to be told of the end
    journalled: whether the journal may hold text of it
    said:       (key, text) of the messages that its turn added
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
    journalled: bool = True
    attempts: Sequence[Tried] = field(default_factory=tuple)
    said: Sequence[tuple[int, str]] = ()

    def texts(self) -> Iterator[tuple[int, int, str]]:
        """What a search can find now: (key of the message, key of the conversation, text)."""
        for key, text in (*self.said, (self.message_pk, self.text)):
            yield key, self.conversation_pk, text


def lock_conversations(keys: Collection[int]) -> None:
    """Take the locks of several conversations in the one order in which all processes take them."""
    if own_connection().features.has_select_for_update:  # elsewhere the transaction itself is the lock
        list(Conversation.objects.select_for_update().filter(pk__in=keys).order_by("pk").values_list("pk"))


def finish(ends: Sequence[Finished]) -> Collection[int]:
    """Write the ends. The caller holds the conversations' locks and knows that these replies are its own to end.

    Returns the keys of the replies, of whichever worker, that have their go now.
    """
    before = _before([end.message_pk for end in ends if not end.text])
    written = [end for end in ends if _write_message(end)]
    statements.run_many(HIDE, [(False, end.message_pk) for end in written if not end.text])
    statements.run_many(FOLD, [(end.message_pk,) for end in written if end.journalled])
    statements.run_many(RELEASE, [(end.message_pk,) for end in written])
    statements.run_many(ATTEMPT, _attempts(written))
    index_texts([text for end in written for text in end.texts()])
    _show_again([end for end in written if not end.text], before)
    for end in written:
        if end.claimed:
            release_unanswered(end.message_pk, end.status, begun=end.begun, abandoned=end.abandoned)
    under_way = _under_way({end.conversation_pk for end in written}) if written else {}
    for end in written:
        _note(end, newest=all(reply.key < end.message_pk for reply in under_way.get(end.conversation_pk, ())))
    return _give_go(under_way)


def _write_message(end: Finished) -> bool:
    """Change the message from `streaming` into its end; False where another has done so, or it is gone."""
    outcome = (str(end.status), end.text, end.finish_reason, end.error)
    cost = (end.input_tokens, end.output_tokens, end.usage_estimated, end.duration_ms)
    served = (end.provider, end.model, end.time_to_first_token_ms) if end.model else (None, None, None)
    return bool(statements.run(END, (*outcome, *cost, *served, end.message_pk)))


def _attempts(ends: Sequence[Finished]) -> list[tuple[object, ...]]:
    return [
        (end.message_pk, one.provider, one.model, one.outcome, one.http_status, one.error, one.duration_ms)
        for end in ends
        for one in end.attempts
    ]


def _before(keys: Collection[int]) -> dict[int, tuple[int | None, bool]]:
    """Per reply that is about to end without text: what was shown before it, and whether it is shown itself."""
    if not keys:
        return {}
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
    places = ", ".join(["%s"] * len(conversations))
    for key, conversation, state, cancel in statements.rows(UNDER_WAY.format(places), tuple(conversations)):
        found.setdefault(conversation, []).append(_UnderWay(key, state == "running", cancel is not None))
    return found


def _note(end: Finished, *, newest: bool) -> None:
    status = str(end.status) if newest else None
    served = (end.provider, end.model) if newest and end.model else (None, None)
    added = (0 if end.text else 1, end.input_tokens or 0, end.output_tokens or 0)
    statements.run(NOTE, (*added, status, *served, end.conversation_pk))


def _give_go(under_way: dict[int, list[_UnderWay]]) -> Collection[int]:
    """Where nothing runs any more, the turn that came first of those that wait is next.

    What is to be cancelled ends without a go: whoever asked for that with a turn of his own goes first.
    """
    next_ones: list[int] = []
    for replies in under_way.values():
        if not any(reply.running for reply in replies):
            next_ones += [reply.key for reply in replies if not reply.cancelled][:1]
    if next_ones:
        Generation.objects.filter(pk__in=next_ones).update(state=Generation.State.RUNNING)
    return next_ones
