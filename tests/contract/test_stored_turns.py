"""What `messages` adds to a stored conversation, where it goes, and what of it is sent upstream."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.client import Client, assistant, new_id, system, user
from tests.simulator import Simulator


def sent(simulator: Simulator) -> list[str]:
    """Texts of the last request upstream, without instructions."""
    return [
        message["content"] for message in simulator.last("openai")["body"]["messages"] if message["role"] != "system"
    ]


def instructions(simulator: Simulator) -> str:
    return str(simulator.last("openai")["body"]["messages"][0]["content"])


@pytest.fixture
def conversation(client: Client, simulator: Simulator) -> str:
    """Two turns: A, reply 1, B, reply 2."""
    conversation = new_id()
    simulator.script("openai", text="reply 1", times=1)
    simulator.script("openai", text="reply 2", times=1)
    client.events("A", conversation_id=conversation)
    client.events("B", conversation_id=conversation)
    return conversation


TWO_TURNS = ["A", "reply 1", "B", "reply 2"]


def test_it_stores_question_and_reply(client: Client, conversation: str) -> None:
    assert client.texts(conversation) == TWO_TURNS


def test_it_stores_all_that_a_client_brings_along(client: Client, simulator: Simulator) -> None:
    conversation = new_id()
    simulator.script("openai", text="reply")
    client.events(user("A"), assistant("a"), user("B"), assistant("b"), user("C"), conversation_id=conversation)
    assert client.texts(conversation) == ["A", "a", "B", "b", "C", "reply"]


def test_what_is_brought_along_must_end_with_a_users_message(client: Client) -> None:
    conversation = new_id()
    assert client.chat(user("A"), assistant("a"), conversation_id=conversation).status_code == 400
    assert client.get(f"/chat/history/{conversation}").status_code == 404


NEW = {
    "only what is new": [user("C")],
    "the whole list": [user("A"), assistant("reply 1"), user("B"), assistant("reply 2"), user("C")],
    "the whole list with other replies": [user("A"), assistant("?"), user("B"), assistant("?!"), user("C")],
    "the users' messages alone": [user("A"), user("B"), user("C")],
    "the end of the list": [assistant("reply 2"), user("C")],
    "with system messages between": [system("Be brief."), user("A"), user("B"), system("Now."), user("C")],
}


@pytest.mark.parametrize("messages", NEW.values(), ids=NEW.keys())
def test_it_adds_what_is_new(client: Client, simulator: Simulator, conversation: str, messages: list[object]) -> None:
    simulator.script("openai", text="reply 3")
    client.events(*messages, conversation_id=conversation)  # type: ignore[arg-type]
    assert client.texts(conversation) == [*TWO_TURNS, "C", "reply 3"]
    assert sent(simulator) == [*TWO_TURNS, "C"]


def test_it_adds_several_at_once(client: Client, conversation: str) -> None:
    client.events("C", "D", conversation_id=conversation)
    assert client.texts(conversation)[4:6] == ["C", "D"]


def test_it_takes_the_same_words_again_as_new(client: Client, conversation: str) -> None:
    client.events("B", conversation_id=conversation)
    assert client.texts(conversation)[4] == "B"


def test_it_refuses_a_list_that_adds_nothing(client: Client, conversation: str) -> None:
    answer = client.chat(user("A"), assistant("reply 1"), conversation_id=conversation)
    assert answer.status_code == 400
    assert client.texts(conversation) == TWO_TURNS


def test_it_refuses_system_messages_alone(client: Client, simulator: Simulator, conversation: str) -> None:
    assert client.chat(system("Be a cat."), conversation_id=conversation).status_code == 400
    client.events("C", conversation_id=conversation)
    assert "cat" not in instructions(simulator)


@pytest.fixture
def unanswered(client: Client, simulator: Simulator) -> str:
    """A conversation whose only question nobody could answer."""
    conversation = new_id()
    simulator.script(status=500, times=2)
    assert client.chat("A", conversation_id=conversation).status_code == 500
    simulator.script("openai", text="reply")
    return conversation


def test_a_question_without_an_answer_stays(client: Client, unanswered: str) -> None:
    assert client.texts(unanswered) == ["A"]


def test_a_failed_request_repeated_makes_no_second_question(client: Client, unanswered: str) -> None:
    client.events("A", conversation_id=unanswered)
    assert client.texts(unanswered) == ["A", "reply"]


def test_the_same_holds_for_completions(client: Client, unanswered: str) -> None:
    client.complete("A", conversation_id=unanswered)
    assert client.texts(unanswered) == ["A", "reply"]


def test_a_question_more_is_added_to_the_unanswered_one(client: Client, unanswered: str) -> None:
    client.events("A", "B", conversation_id=unanswered)
    assert client.texts(unanswered) == ["A", "B", "reply"]


def test_another_question_leaves_the_unanswered_one(client: Client, simulator: Simulator, unanswered: str) -> None:
    client.events("B", conversation_id=unanswered)
    assert client.texts(unanswered) == ["A", "B", "reply"]
    assert sent(simulator) == ["A", "B"]


def test_system_messages_alone_have_the_unanswered_question_answered(
    client: Client, simulator: Simulator, unanswered: str
) -> None:
    client.events(system("Be a cat."), conversation_id=unanswered)
    assert client.texts(unanswered) == ["A", "reply"]
    assert "cat" in instructions(simulator)


def test_a_partial_reply_is_sent_as_context(client: Client, simulator: Simulator) -> None:
    conversation = new_id()
    simulator.script("openai", chunks=["half a ", "reply"], fault="drop", after=1, times=1)
    client.chat("A", conversation_id=conversation)
    client.events("B", conversation_id=conversation)
    assert sent(simulator) == ["A", "half a ", "B"]


# -- instructions ------------------------------------------------------------------------------------------------------


def test_instructions_are_kept_for_later_turns(client: Client, simulator: Simulator) -> None:
    conversation = new_id()
    client.events(system("Be a cat."), user("A"), conversation_id=conversation)
    client.events("B", conversation_id=conversation)
    assert instructions(simulator).endswith("\n\nBe a cat.")


def test_they_are_kept_for_completions(client: Client, simulator: Simulator) -> None:
    conversation = new_id()
    client.events(system("Be a cat."), user("A"), conversation_id=conversation)
    client.complete("B", conversation_id=conversation)
    assert instructions(simulator).endswith("\n\nBe a cat.")


def test_those_of_a_request_replace_them(client: Client, simulator: Simulator) -> None:
    conversation = new_id()
    client.events(system("Be a cat."), user("A"), conversation_id=conversation)
    client.events(system("Be a dog."), user("B"), system("Bark."), conversation_id=conversation)
    client.events("C", conversation_id=conversation)
    assert instructions(simulator).endswith("\n\nBe a dog.\n\nBark.")
    assert "cat" not in instructions(simulator)


def test_a_refused_request_changes_none(client: Client, simulator: Simulator) -> None:
    conversation = new_id()
    client.events(system("Be a cat."), user("A"), conversation_id=conversation)
    client.chat(system("Be a dog."), user(""), conversation_id=conversation)
    client.chat(system("Be a dog."), user("A"), assistant("x"), conversation_id=conversation)
    client.events("B", conversation_id=conversation)
    assert instructions(simulator).endswith("\n\nBe a cat.")


def test_they_are_no_part_of_the_history(client: Client) -> None:
    conversation = new_id()
    client.events(system("Be a cat."), user("A"), conversation_id=conversation)
    assert {entry["role"] for entry in client.history(conversation)} == {"user", "assistant"}


def test_a_regenerate_uses_the_present_ones(client: Client, simulator: Simulator) -> None:
    conversation = new_id()
    client.events(system("Be a cat."), user("A"), conversation_id=conversation)
    reply = client.history(conversation)[1]["id"]
    client.events(system("Be a dog."), user("B"), conversation_id=conversation)
    client.post(f"/chat/messages/{reply}/regenerate")
    assert instructions(simulator).endswith("\n\nBe a dog.")


# -- parents -----------------------------------------------------------------------------------------------------------


def test_a_turn_goes_under_the_parent_it_names(client: Client, simulator: Simulator, conversation: str) -> None:
    first = client.history(conversation)[1]["id"]
    simulator.script("openai", text="reply 3")
    client.events("C", conversation_id=conversation, parent_id=first)
    assert client.texts(conversation) == ["A", "reply 1", "C", "reply 3"]
    assert sent(simulator) == ["A", "reply 1", "C"]


def test_a_completion_does_so_too(client: Client, conversation: str) -> None:
    first = client.history(conversation)[1]["id"]
    client.complete("C", conversation_id=conversation, parent_id=first)
    assert client.texts(conversation)[:3] == ["A", "reply 1", "C"]


def test_null_is_a_new_beginning(client: Client, simulator: Simulator, conversation: str) -> None:
    client.events("C", conversation_id=conversation, parent_id=None)
    assert client.texts(conversation)[0] == "C"
    assert sent(simulator) == ["C"]


def test_the_path_left_is_an_alternative(client: Client, conversation: str) -> None:
    question = client.history(conversation)[2]["id"]
    first = client.history(conversation)[1]["id"]
    client.events("C", conversation_id=conversation, parent_id=first)
    newer = client.history(conversation)[2]
    assert newer["siblings"] == [question, newer["id"]]


def test_a_users_message_is_no_parent(client: Client, conversation: str) -> None:
    question = client.history(conversation)[0]["id"]
    answer = client.chat("C", conversation_id=conversation, parent_id=question)
    assert answer.status_code == 400
    assert "parent_id" in answer.json()["detail"]


@pytest.mark.parametrize("parent", ["msg-1", "nonsense", "", "a b", 7, [], True])
def test_nothing_else_is_a_parent(client: Client, conversation: str, parent: object) -> None:
    assert client.chat("C", conversation_id=conversation, parent_id=parent).status_code == 400
    assert client.texts(conversation) == TWO_TURNS


def test_a_reply_of_another_conversation_is_no_parent(client: Client, conversation: str) -> None:
    other = client.complete("Hello").json()["messageId"]
    assert client.chat("C", conversation_id=conversation, parent_id=other).status_code == 400


def test_a_parent_in_an_unknown_conversation_is_none(client: Client) -> None:
    conversation = new_id()
    assert client.chat("C", conversation_id=conversation, parent_id="msg-1").status_code == 400
    assert client.get(f"/chat/history/{conversation}").status_code == 404


def test_it_is_all_accepted_and_means_nothing_without_a_conversation(client: Client) -> None:
    fields: dict[str, Any] = {"parent_id": "msg-1", "on_busy": "reject", "on_disconnect": "continue"}
    assert client.chat("Hello", **fields).status_code == 200
    assert client.chat("Hello", headers={"Idempotency-Key": "one"}).status_code == 200


def test_a_message_is_written_at_its_arrival(client: Client, simulator: Simulator) -> None:
    conversation = new_id()
    simulator.script("openai", first_delay=1, text="late")
    with client.stream("Early", conversation_id=conversation, on_disconnect="cancel"):
        pass
    assert client.texts(conversation)[0] == "Early"
