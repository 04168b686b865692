"""The table of cases of what `messages` adds to a stored conversation."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.turns import CONTEXT_MESSAGES, NothingNewError, StoredPath, context, new_messages
from providers.messages import Message
from tests.conversations.stored import assistant, user


def said(*texts: str) -> list[Message]:
    """Plain texts are the user's, those after `> ` the assistant's."""
    return [assistant(text[2:]) if text.startswith("> ") else user(text) for text in texts]


def stored(*texts: str) -> StoredPath:
    """What has to be known of a path with these messages."""
    path = said(*texts)
    unanswered: list[str] = []
    for message in reversed(path):
        if message.role == "assistant":
            break
        unanswered.insert(0, message.content)
    return StoredPath([message.content for message in path if message.role == "user"], unanswered)


ADDED = [
    # Nothing is stored yet: all of it is.
    ("the first message", [], ["hi"], ["hi"]),
    ("several first messages", [], ["hi", "there"], ["hi", "there"]),
    ("a conversation brought along", [], ["a", "> A", "b"], ["a", "> A", "b"]),
    ("one that begins with the assistant", [], ["> hello", "a"], ["> hello", "a"]),
    ("a repeated text in what is brought along", [], ["a", "a"], ["a", "a"]),
    # A whole list: no assistant entries, all stored user texts, and more.
    ("a whole list of user texts", ["a", "> A", "b", "> B"], ["a", "b", "c"], ["c"]),
    ("a whole list with two more", ["a", "> A"], ["a", "b", "c"], ["b", "c"]),
    ("a whole list over an unanswered message", ["a", "> A", "b"], ["a", "b", "c"], ["c"]),
    ("the same text once more in a whole list", ["a", "> A"], ["a", "a"], ["a"]),
    ("user texts that do not begin as what is stored", ["a", "> A"], ["x", "a", "b"], ["x", "a", "b"]),
    ("user texts in another order", ["a", "> A", "b", "> B"], ["b", "a", "c"], ["b", "a", "c"]),
    ("a beginning of the stored texts only", ["a", "> A", "b", "> B"], ["a"], ["a"]),
    ("all stored texts and nothing more, answered", ["a", "> A", "b", "> B"], ["a", "b"], ["a", "b"]),
    ("fewer texts than are stored", ["a", "> A", "b", "> B", "c", "> C"], ["a", "b"], ["a", "b"]),
    # Otherwise what stands after the last assistant entry.
    ("only what is new", ["a", "> A"], ["b"], ["b"]),
    ("two that are new", ["a", "> A"], ["b", "c"], ["b", "c"]),
    ("the whole list with replies", ["a", "> A"], ["a", "> A", "b"], ["b"]),
    ("replies that differ from the stored ones", ["a", "> A"], ["a", "> edited", "b"], ["b"]),
    ("a window of the newest messages", ["a", "> A", "b", "> B"], ["> B", "c"], ["c"]),
    ("several after the last reply", ["a", "> A"], ["a", "> A", "b", "c"], ["b", "c"]),
    ("a list with replies is no whole list", ["a", "> A", "b", "> B"], ["a", "b", "> B", "a"], ["a"]),
    ("the same text again after a reply", ["a", "> A"], ["a", "> A", "a"], ["a"]),
    ("the same text again alone", ["a", "> A"], ["a"], ["a"]),
    # Of that, the longest beginning that equals a tail of the unanswered ones is skipped.
    ("a failed request repeated with more", ["a", "> A", "b"], ["b", "c"], ["c"]),
    ("two unanswered, both repeated with more", ["x", "> X", "a", "b"], ["a", "b", "c"], ["c"]),
    ("two unanswered, the last repeated with more", ["x", "> X", "a", "b"], ["b", "c"], ["c"]),
    ("two unanswered, the first alone is no tail", ["x", "> X", "a", "b"], ["a", "c"], ["a", "c"]),
    ("the longest beginning counts", ["x", "> X", "a", "a"], ["a", "a", "b"], ["b"]),
    ("a beginning that fits a shorter tail", ["x", "> X", "a", "b", "a"], ["a", "b", "c"], ["b", "c"]),
    ("an overlap at its longest", ["x", "> X", "a", "b", "a", "b"], ["a", "b", "a"], ["a"]),
    ("something else after a failure", ["a", "> A", "b"], ["c"], ["c"]),
    ("with replies, a failed request repeated with more", ["a", "> A", "b"], ["a", "> A", "b", "c"], ["c"]),
    ("texts differ by white space", ["a", "> A", "b"], ["b "], ["b "]),
]

NOTHING_ADDED = [
    # Nothing new, but the last message of the path is an unanswered user's, which is then answered.
    ("the only message repeated", ["a"], ["a"]),
    ("the last message repeated", ["a", "> A", "b"], ["b"]),
    ("the whole list with replies repeated", ["a", "> A", "b"], ["a", "> A", "b"]),
    ("both unanswered repeated", ["x", "> X", "a", "b"], ["a", "b"]),
    ("a list that ends with a reply", ["a"], ["a", "> A"]),
    ("no messages at all", ["a"], []),
]

REFUSED = [
    ("nothing at all", [], []),
    ("brought along without a question", [], ["a", "> A"]),
    ("a reply alone brought along", [], ["> A"]),
    ("the list with replies, all stored and answered", ["a", "> A"], ["a", "> A"]),
    ("an answered conversation and no messages", ["a", "> A"], []),
]


def cases(table: list[tuple[object, ...]]) -> list[object]:
    return [pytest.param(*case[1:], id=str(case[0])) for case in table]


@pytest.mark.parametrize(("path", "sent", "new"), cases(ADDED))  # type: ignore[arg-type]
def test_it_adds_what_is_new(path: list[str], sent: list[str], new: list[str]) -> None:
    assert list(new_messages(stored(*path), said(*sent))) == said(*new)


@pytest.mark.parametrize(("path", "sent"), cases(NOTHING_ADDED))  # type: ignore[arg-type]
def test_it_answers_what_is_unanswered(path: list[str], sent: list[str]) -> None:
    assert list(new_messages(stored(*path), said(*sent))) == []


@pytest.mark.parametrize(("path", "sent"), cases(REFUSED))  # type: ignore[arg-type]
def test_it_refuses_what_adds_nothing(path: list[str], sent: list[str]) -> None:
    with pytest.raises(NothingNewError):
        new_messages(stored(*path), said(*sent))


def test_a_path_with_more_user_messages_than_were_sent_is_no_whole_list() -> None:
    path = StoredPath(None, [])
    assert list(new_messages(path, said("a", "b"))) == said("a", "b")


def test_a_long_path_still_skips_what_is_unanswered() -> None:
    assert list(new_messages(StoredPath(None, ["z"]), said("y", "> Y", "z"))) == []


# -- what no client can do wrong

texts = st.sampled_from(["a", "b", "c"])
histories = st.lists(st.tuples(texts, texts), max_size=6)
"""Answered turns; three texts only, so that they repeat."""


def told(history: list[tuple[str, str]]) -> list[str]:
    return [text for question, reply in history for text in (question, f"> {reply}")]


@given(histories.filter(bool))
def test_a_client_that_sends_everything_with_replies_stores_each_turn_once(history: list[tuple[str, str]]) -> None:
    path: list[str] = []
    for number, (question, reply) in enumerate(history):
        new = new_messages(stored(*path), said(*told(history[:number]), question))
        assert list(new) == said(question)
        path += [question, f"> {reply}"]


@given(histories.filter(bool))
def test_a_client_that_sends_its_user_texts_stores_each_turn_once(history: list[tuple[str, str]]) -> None:
    path: list[str] = []
    for number, (question, reply) in enumerate(history):
        sent = [asked for asked, _ in history[: number + 1]]
        assert list(new_messages(stored(*path), said(*sent))) == said(question)
        path += [question, f"> {reply}"]


@given(histories.filter(bool))
def test_a_client_that_sends_only_what_is_new_stores_each_turn_once(history: list[tuple[str, str]]) -> None:
    path = told(history[:1])
    for question, reply in history[1:]:
        assert list(new_messages(stored(*path), said(question))) == said(question)
        path += [question, f"> {reply}"]


@given(histories, texts, st.integers(1, 3))
def test_a_failed_request_may_be_repeated_any_number_of_times(
    history: list[tuple[str, str]], question: str, times: int
) -> None:
    path = stored(*told(history), question)
    for _ in range(times):
        assert list(new_messages(path, said(question))) == []


@given(histories, texts)
def test_a_failed_request_with_the_whole_list_adds_nothing_when_repeated(
    history: list[tuple[str, str]], question: str
) -> None:
    sent = [*told(history), question]
    assert list(new_messages(stored(*sent), said(*sent))) == []


@given(st.lists(texts, max_size=8), st.lists(st.tuples(st.booleans(), texts), max_size=8))
def test_what_is_new_is_the_end_of_what_was_sent(path: list[str], sent: list[tuple[bool, str]]) -> None:
    messages = [assistant(text) if reply else user(text) for reply, text in sent]
    try:
        new = list(new_messages(stored(*path), messages))
    except NothingNewError:
        return
    assert new == messages[len(messages) - len(new) :]


@given(st.lists(texts, max_size=8), st.lists(st.tuples(st.booleans(), texts), max_size=8))
def test_what_is_new_ends_with_a_question(path: list[str], sent: list[tuple[bool, str]]) -> None:
    messages = [assistant(text) if reply else user(text) for reply, text in sent]
    try:
        new = new_messages(stored(*path), messages)
    except NothingNewError:
        return
    assert not new or new[-1].role == "user"


# -- what goes upstream


def test_context_is_all_of_a_short_path() -> None:
    assert list(context(said("a", "> A", "b"))) == said("a", "> A", "b")


def test_context_begins_with_a_question() -> None:
    assert list(context(said("> hello", "a"))) == said("a")


def test_context_is_the_newest_messages() -> None:
    path = [text for number in range(40) for text in (f"q{number}", f"> r{number}")]
    assert list(context(said(*path, "last"))) == said(*path, "last")[-CONTEXT_MESSAGES + 1 :]
