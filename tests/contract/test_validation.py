"""What is refused with 400, at its exact bounds, and in which words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.contract.client import Client, assistant, new_id, system, user
from tests.simulator import Simulator

LONGEST = 24_000
ASTRAL = "\U0001f642"
CHAT, COMPLETIONS = "/chat/gpt", "/chat/completions"


def chat_body(content: object) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": content}]}


def bodies(content: object) -> dict[str, Any]:
    return {CHAT: chat_body(content), COMPLETIONS: {"message": content}, "/conversation/message": {"message": content}}


def refusal(client: Client, path: str, body: object) -> str:
    """The sentence of a 400 in the shape of its route."""
    # Escaped to ASCII, so that halves of surrogate pairs can be sent.
    answer = client.raw(path, json.dumps(body).encode())
    assert answer.status_code == 400, (answer.status_code, answer.text[:300])
    found = answer.json()
    if path == CHAT:
        assert list(found) == ["detail"]
        return str(found["detail"])
    assert set(found) == {"error", "details"}
    assert found["error"] == "Invalid request format"
    return str(found["details"])


@pytest.mark.parametrize("character", ["a", "é", ASTRAL, "\u4e2d"])
@pytest.mark.parametrize("path", [CHAT, COMPLETIONS])
def test_it_takes_24000_characters(client: Client, simulator: Simulator, path: str, character: str) -> None:
    simulator.script(text="ok")
    assert client.post(path, bodies(character * LONGEST)[path]).status_code == 200


@pytest.mark.parametrize("character", ["a", "é", ASTRAL])
@pytest.mark.parametrize("path", [CHAT, COMPLETIONS, "/conversation/message"])
def test_it_refuses_24001_characters(client: Client, path: str, character: str) -> None:
    assert "24000" in refusal(client, path, bodies(character * (LONGEST + 1))[path])


@pytest.mark.parametrize("content", [" a", "a ", "\n\na\t", "a", "0", "\u200b", "\x01", "\x7f"])
@pytest.mark.parametrize("path", [CHAT, COMPLETIONS])
def test_it_takes_anything_that_is_not_only_white_space(client: Client, path: str, content: str) -> None:
    assert client.post(path, bodies(content)[path]).status_code == 200


@pytest.mark.parametrize("content", ["", " ", "\t\n\r ", "\u00a0", "\u3000", "\u2028\u2029"])
@pytest.mark.parametrize("path", [CHAT, COMPLETIONS, "/conversation/message"])
def test_it_refuses_empty_content(client: Client, path: str, content: str) -> None:
    assert "empty" in refusal(client, path, bodies(content)[path])


@pytest.mark.parametrize("content", ["a\0b", "\0", "\ud83d", "a\ud83db", "\ude42\ud83d"])
@pytest.mark.parametrize("path", [CHAT, COMPLETIONS])
def test_it_refuses_what_no_database_or_vendor_takes(client: Client, path: str, content: str) -> None:
    refusal(client, path, bodies(content)[path])


@pytest.mark.parametrize("content", [None, 1, 1.5, True, [], {}, ["Hello"], [{"type": "text", "text": "Hello"}]])
@pytest.mark.parametrize("path", [CHAT, COMPLETIONS])
def test_it_refuses_content_that_is_no_string(client: Client, path: str, content: object) -> None:
    name = "content" if path == CHAT else "message"
    assert name in refusal(client, path, bodies(content)[path])


@pytest.mark.parametrize("role", ["user", "assistant", "system"])
def test_it_judges_the_content_of_every_role(client: Client, role: str) -> None:
    messages = [{"role": role, "content": "a" * (LONGEST + 1)}, user("Hello")]
    assert "24000" in refusal(client, CHAT, {"messages": messages})


@pytest.mark.parametrize("role", ["", "User", "tool", "developer", "function", "bot", " user"])
def test_it_names_the_three_roles_where_one_is_wrong(client: Client, role: str) -> None:
    sentence = refusal(client, CHAT, {"messages": [{"role": role, "content": "Hello"}]})
    assert all(name in sentence for name in ("user", "assistant", "system"))


@pytest.mark.parametrize("role", [None, 1, [], {}])
def test_it_refuses_a_role_that_is_no_string(client: Client, role: object) -> None:
    assert "role" in refusal(client, CHAT, {"messages": [{"role": role, "content": "Hello"}]})


def test_it_takes_50_messages(client: Client, simulator: Simulator) -> None:
    assert client.chat(*[user(f"{n}") for n in range(50)]).status_code == 200
    assert simulator.last("openai")["body"]["messages"][-1]["content"] == "49"


@pytest.mark.parametrize("count", [51, 200])
@pytest.mark.parametrize("stored", [False, True])
def test_it_refuses_more_than_50_messages(client: Client, count: int, stored: bool) -> None:
    fields = {"conversation_id": new_id()} if stored else {}
    body = {"messages": [user("Hello")] * count, **fields}
    assert "maximum" in refusal(client, CHAT, body)


def test_it_counts_system_messages_among_the_50(client: Client) -> None:
    assert "maximum" in refusal(client, CHAT, {"messages": [system("Be brief.")] * 50 + [user("Hello")]})


def test_it_refuses_no_messages(client: Client) -> None:
    assert "empty" in refusal(client, CHAT, {"messages": []})


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        (CHAT, {}, "messages"),
        (CHAT, {"messages": None}, "messages"),
        (CHAT, {"messages": "Hello"}, "messages"),
        (CHAT, {"messages": {"role": "user", "content": "Hello"}}, "messages"),
        (CHAT, {"messages": [{"content": "Hello"}]}, "role"),
        (CHAT, {"messages": [{"role": "user"}]}, "content"),
        (CHAT, {"messages": ["Hello"]}, "messages"),
        (CHAT, {"messages": [None]}, "messages"),
        (CHAT, {"message": "Hello"}, "messages"),
        (COMPLETIONS, {}, "message"),
        (COMPLETIONS, {"messages": [{"role": "user", "content": "Hello"}]}, "message"),
        (COMPLETIONS, {"message": "Hello", "conversation_id": 7}, "conversation_id"),
        (COMPLETIONS, {"message": "Hello", "conversation_id": ["a"]}, "conversation_id"),
        (COMPLETIONS, {"message": "Hello", "provider": 7}, "provider"),
        (CHAT, {**chat_body("Hello"), "conversation_id": ""}, "conversation_id"),
        (CHAT, {**chat_body("Hello"), "conversation_id": 7}, "conversation_id"),
        (CHAT, {**chat_body("Hello"), "conversation_id": "a/b"}, "conversation_id"),
        (CHAT, {**chat_body("Hello"), "on_busy": "later"}, "on_busy"),
        (CHAT, {**chat_body("Hello"), "on_busy": None}, "on_busy"),
        (CHAT, {**chat_body("Hello"), "on_disconnect": "stay"}, "on_disconnect"),
        (CHAT, {**chat_body("Hello"), "on_disconnect": 1}, "on_disconnect"),
        (CHAT, {**chat_body("Hello"), "parent_id": 1}, "parent_id"),
        (COMPLETIONS, {"message": "Hello", "on_busy": "Wait"}, "on_busy"),
        (COMPLETIONS, {"message": "Hello", "parent_id": "a b", "conversation_id": "some"}, "parent_id"),
    ],
)
def test_it_names_the_field_that_is_wrong(client: Client, path: str, body: object, field: str) -> None:
    assert field in refusal(client, path, body)


def test_it_says_in_the_documents_own_words_that_a_field_is_missing(client: Client) -> None:
    assert refusal(client, COMPLETIONS, {}) == "message field is required"


def test_it_takes_null_for_no_conversation(client: Client) -> None:
    answer = client.chat("Hello", conversation_id=None)
    assert answer.status_code == 200
    assert "X-Conversation-ID" not in answer.headers


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"}",
        b"nonsense",
        b"{'messages': []}",
        b'{"messages": [}',
        b'{"message": "Hello"} trailing',
        b'{"message": "Hello"}{"message": "Hello"}',
        b'{"message": "\xff\xfe"}',
        b'{"message": "\xc3"}',
        b'{"message": "\xed\xa0\x80"}',
        '{"message": "Hello"}'.encode("utf-16"),
        b'\xef\xbb\xbf{"message": "Hello"}',
        b'{"message": "a\nb"}',
        b'{"message": "\\x"}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"message": "Hello", "n": ' + b"9" * 5_000_000 + b"}x",
        b'{"message": NaN}',
        b"null",
        b"[]",
        b'"Hello"',
        b"7",
        b"true",
    ],
)
@pytest.mark.parametrize("path", [CHAT, COMPLETIONS])
def test_it_refuses_a_body_that_is_no_json_object(client: Client, path: str, body: bytes) -> None:
    answer = client.raw(path, body)
    assert answer.status_code == 400, answer.text[:300]
    assert set(answer.json()) == ({"detail"} if path == CHAT else {"error", "details"})


@pytest.mark.parametrize(
    "value", [b"1e999", b"-0", b"9" * 400, b"1" + b"0" * 100_000, b"[" * 900 + b"]" * 900, b'{"a":{"b":[null]}}']
)
def test_it_takes_no_notice_of_odd_values_where_nobody_looks(client: Client, value: bytes) -> None:
    body = b'{"messages": [{"role": "user", "content": "Hello", "timestamp": %b}]}' % value
    assert client.raw(CHAT, body).status_code == 200


def test_it_takes_the_last_of_two_equal_keys(client: Client, simulator: Simulator) -> None:
    client.raw(CHAT, b'{"messages": [{"role": "user", "content": "One", "content": "Two"}]}')
    assert simulator.last("openai")["body"]["messages"][-1]["content"] == "Two"


def test_it_stores_nothing_of_what_it_refuses(client: Client) -> None:
    conversation = new_id()
    client.chat("", conversation_id=conversation)
    client.chat(assistant("Hello"), conversation_id=conversation)
    assert client.get(f"/chat/history/{conversation}").status_code == 404


def test_it_asks_no_vendor_about_what_it_refuses(client: Client, simulator: Simulator) -> None:
    client.chat("")
    client.chat("a" * (LONGEST + 1))
    client.complete(" ")
    assert simulator.chats() == []


def test_it_repeats_no_content_in_a_refusal(client: Client) -> None:
    answer = client.chat(user("a secret " + "x" * LONGEST))
    assert "a secret" not in answer.text
