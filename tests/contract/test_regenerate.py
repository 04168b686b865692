"""`POST /chat/messages/{id}/regenerate` and `…/edit`: beside what is there, never over it."""

from __future__ import annotations

import pytest

from tests.contract import events
from tests.contract.client import Client, new_id, user
from tests.simulator import Simulator

Turn = tuple[str, str, str]


@pytest.fixture
def turn(client: Client, simulator: Simulator) -> Turn:
    """Conversation, question and reply of one turn."""
    conversation = new_id()
    simulator.script("openai", text="one way to say it", times=1)
    client.complete("Hello", conversation_id=conversation)
    question, reply = client.history(conversation)
    return conversation, question["id"], reply["id"]


def regenerate(client: Client, message: str, **fields: object) -> list[events.Event]:
    with client.post_stream(f"/chat/messages/{message}/regenerate", fields) as stream:
        return stream.rest()


def edit(client: Client, message: str, content: str, **fields: object) -> list[events.Event]:
    with client.post_stream(f"/chat/messages/{message}/edit", {"content": content, **fields}) as stream:
        return stream.rest()


def test_regenerate_streams_a_new_reply(client: Client, simulator: Simulator, turn: Turn) -> None:
    simulator.script("openai", text="another way")
    stream = regenerate(client, turn[2])
    assert events.text_of(stream) == "another way"
    assert client.texts(turn[0]) == ["Hello", "another way"]


def test_it_keeps_the_old_one(client: Client, turn: Turn) -> None:
    regenerate(client, turn[2])
    assert client.message(turn[2])["content"] == "one way to say it"


def test_both_are_alternatives(client: Client, turn: Turn) -> None:
    regenerate(client, turn[2])
    newer = client.history(turn[0])[-1]
    assert newer["siblings"] == [turn[2], newer["id"]]


def test_it_asks_the_same_question_without_the_old_reply(client: Client, simulator: Simulator, turn: Turn) -> None:
    regenerate(client, turn[2])
    assert [message["content"] for message in simulator.last("openai")["body"]["messages"]][1:] == ["Hello"]


def test_it_asks_the_provider_of_the_old_reply(client: Client, simulator: Simulator) -> None:
    reply = client.complete("Hello", provider="claude").json()["messageId"]
    regenerate(client, reply)
    assert simulator.chats()[-1]["vendor"] == "anthropic"


def test_it_asks_the_provider_it_is_given(client: Client, simulator: Simulator, turn: Turn) -> None:
    stream = regenerate(client, turn[2], provider="gemini")
    assert simulator.chats()[-1]["vendor"] == "gemini"
    assert events.deltas(stream)[0]["id"].startswith("gemini-")


def test_it_takes_no_body(client: Client, turn: Turn) -> None:
    assert client.http.post(f"/chat/messages/{turn[2]}/regenerate").status_code == 200


def test_it_names_the_conversation_and_the_new_reply(client: Client, turn: Turn) -> None:
    answer = client.http.post(f"/chat/messages/{turn[2]}/regenerate")
    assert answer.headers["X-Conversation-ID"] == turn[0]
    assert answer.headers["X-Message-ID"] == client.history(turn[0])[-1]["id"]


def test_it_goes_back_as_far_as_the_reply_is(client: Client, turn: Turn) -> None:
    client.complete("More", conversation_id=turn[0])
    regenerate(client, turn[2])
    assert len(client.history(turn[0])) == 2


def test_a_failed_one_shows_the_old_reply_again(client: Client, simulator: Simulator, turn: Turn) -> None:
    before = client.history(turn[0])
    simulator.script(status=500)
    assert client.post(f"/chat/messages/{turn[2]}/regenerate").status_code == 500
    assert client.history(turn[0]) == before


def test_it_is_409_for_a_users_message(client: Client, turn: Turn) -> None:
    answer = client.post(f"/chat/messages/{turn[1]}/regenerate")
    assert (answer.status_code, list(answer.json())) == (409, ["detail"])


def test_edit_streams_the_reply_to_a_new_question(client: Client, simulator: Simulator, turn: Turn) -> None:
    simulator.script("openai", text="Goodbye!")
    stream = edit(client, turn[1], "Bye")
    assert events.text_of(stream) == "Goodbye!"
    assert client.texts(turn[0]) == ["Bye", "Goodbye!"]


def test_edit_keeps_what_was_said(client: Client, turn: Turn) -> None:
    edit(client, turn[1], "Bye")
    assert client.message(turn[1])["content"] == "Hello"
    newer = client.history(turn[0])[0]
    assert newer["siblings"] == [turn[1], newer["id"]]


def test_edit_keeps_the_text_as_it_is(client: Client, turn: Turn) -> None:
    edit(client, turn[1], "  Bye \n")
    assert client.texts(turn[0])[0] == "  Bye \n"


def test_edit_asks_the_provider_of_the_old_reply(client: Client, simulator: Simulator) -> None:
    conversation = new_id()
    client.complete("Hello", provider="claude", conversation_id=conversation)
    edit(client, client.history(conversation)[0]["id"], "Bye")
    assert simulator.chats()[-1]["vendor"] == "anthropic"


def test_edit_asks_the_default_provider_where_there_is_no_reply(client: Client, simulator: Simulator) -> None:
    conversation = new_id()
    client.events(user("A"), user("B"), provider="claude", conversation_id=conversation)
    edit(client, client.history(conversation)[0]["id"], "Bye")
    assert simulator.chats()[-1]["vendor"] == "openai"


def test_edit_asks_the_provider_it_is_given(client: Client, simulator: Simulator, turn: Turn) -> None:
    edit(client, turn[1], "Bye", provider="gemini")
    assert simulator.chats()[-1]["vendor"] == "gemini"


def test_edit_in_the_middle_keeps_what_was_before(client: Client, simulator: Simulator, turn: Turn) -> None:
    client.complete("More", conversation_id=turn[0])
    edit(client, client.history(turn[0])[2]["id"], "Less")
    assert client.texts(turn[0])[:3] == ["Hello", "one way to say it", "Less"]
    sent = [message["content"] for message in simulator.last("openai")["body"]["messages"]]
    assert sent[1:] == ["Hello", "one way to say it", "Less"]


def test_edit_is_409_for_a_reply(client: Client, turn: Turn) -> None:
    answer = client.post(f"/chat/messages/{turn[2]}/edit", {"content": "Bye"})
    assert (answer.status_code, list(answer.json())) == (409, ["detail"])


@pytest.mark.parametrize("content", ["", " ", "x" * 24_001, "\0", None, 7])
def test_edit_judges_its_text_like_any(client: Client, turn: Turn, content: object) -> None:
    answer = client.post(f"/chat/messages/{turn[1]}/edit", {"content": content})
    assert (answer.status_code, list(answer.json())) == (400, ["detail"])


@pytest.mark.parametrize("parent", [None, "msg-1"])
@pytest.mark.parametrize("what", ["regenerate", "edit"])
def test_neither_takes_a_parent(client: Client, turn: Turn, what: str, parent: str | None) -> None:
    message = turn[2] if what == "regenerate" else turn[1]
    answer = client.post(f"/chat/messages/{message}/{what}", {"content": "Bye", "parent_id": parent})
    assert answer.status_code == 400
    assert "parent_id" in answer.json()["detail"]


@pytest.mark.parametrize("provider", ["unknown", "", 7])
@pytest.mark.parametrize("what", ["regenerate", "edit"])
def test_neither_takes_a_provider_that_is_none(client: Client, turn: Turn, what: str, provider: object) -> None:
    message = turn[2] if what == "regenerate" else turn[1]
    answer = client.post(f"/chat/messages/{message}/{what}", {"content": "Bye", "provider": provider})
    assert answer.status_code == 400


def test_both_go_on_without_their_client(client: Client, simulator: Simulator, turn: Turn) -> None:
    simulator.script("openai", chunks=20, delay=0.02)
    with client.post_stream(f"/chat/messages/{turn[2]}/regenerate", {}) as stream:
        stream.until_text()
        reply = stream.message_id
    assert client.ended(reply)["position"] == 100
