"""Bodies made to break a parser, at every address that takes one: refused for what they are, or taken as they are."""

from __future__ import annotations

import gzip
import zlib

import httpx
import pytest

from tests.contract.client import Client, new_id
from tests.schema.routes import Operation
from tests.security import routes
from tests.security.asking import things_of
from tests.security.routes import Things
from tests.simulator import Simulator

GOOD = b'"message": "Hello", "messages": [{"role": "user", "content": "Hello"}], "content": "Hello", "rating": "up"'
GOOD += b', "title": "Mine", "model": "gpt-4o"'

ODD_VALUES = {
    "a number beyond any float": b"1e999",
    "a number of a hundred thousand digits": b"9" * 100_000,
    "a fraction of a hundred thousand digits": b"0." + b"9" * 100_000,
    "an exponent of a hundred digits": b"1e" + b"9" * 100,
    "half a surrogate pair": b'"\\ud800"',
    "the other half": b'"\\udc00\\ud800"',
    "a NUL": b'"\\u0000"',
    "lists within lists": b"[" * 500 + b"]" * 500,
    "lists within lists, too deep for a stack": b"[" * 900 + b"]" * 900,
    "lists within lists, far too deep": b"[" * 50_000 + b"]" * 50_000,
    "objects within objects": b'{"a":' * 900 + b"1" + b"}" * 900,
    "a key of a million characters": b'{"' + b"a" * 1_000_000 + b'": 1}',
    "ten thousand equal keys": b"{" + b",".join([b'"a": 1'] * 10_000) + b"}",
    "a hundred thousand keys": b"{" + b",".join(b'"%d": 1' % each for each in range(100_000)) + b"}",
    "a list of what is none": b'[1, "a", null, []]',
    "a prototype": b'{"__proto__": {"owner_id": 1}, "constructor": 1, "__class__": 1}',
}
FIELDS = (b"message", b"messages", b"content", b"rating", b"title", b"model")


def everywhere(value: bytes) -> bytes:
    """In every field that means something somewhere."""
    return b"{" + b", ".join(b'"%b": %b' % (field, value) for field in FIELDS) + b"}"


NO_JSON = {
    "bytes that are no text": everywhere(b'"\xff\xfe"'),
    "an overlong character": everywhere(b'"\xc0\xaf"'),
    "half a pair in bytes": everywhere(b'"\xed\xa0\x80"'),
    "a list without an end": b"[" * 1_000_000,
    "an object without an end": b'{"a":' * 200_000,
    "something behind it": b'{"message": "Hello"}{}',
    "numbers that are none": everywhere(b"NaN"),
    "XML": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
    "a pickle": b"\x80\x04\x8c\x05posix\x94\x8c\x06system\x94\x93\x94.",
}


@pytest.fixture
def mine(owner: Client, simulator: Simulator) -> Things:
    return things_of(owner)


def send(client: Client, operation: Operation, things: Things, body: bytes, **headers: str) -> httpx.Response:
    method, path = operation
    sent = {"Content-Type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return client.http.request(method, things.path(path), content=body, headers=sent)


@pytest.mark.parametrize("operation", routes.UNSAFE, ids=" ".join)
def test_it_breaks_at_no_odd_value(operation: Operation, owner: Client, mine: Things) -> None:
    """In a field that means something somewhere, and in one that means nothing anywhere."""
    for name, value in ODD_VALUES.items():
        for field in (b"conversation_id", b"content", b"nothing"):
            answer = send(owner, operation, mine, b"{%b, %b: %b}" % (GOOD, b'"%b"' % field, value))
            assert answer.status_code < 500, (name, field, answer.text[:200])


@pytest.mark.parametrize("operation", routes.UNSAFE, ids=" ".join)
def test_it_breaks_at_no_odd_value_beside_a_key(operation: Operation, owner: Client, mine: Things) -> None:
    """What a key stands for is found by reading also what means nothing."""
    for name, value in ODD_VALUES.items():
        for field in (b"nothing", b"messages"):
            body = b"{%b, %b: %b}" % (GOOD, b'"%b"' % field, value)
            answer = send(owner, operation, mine, body, Idempotency_Key=new_id())
            assert answer.status_code < 500, (name, field, answer.text[:200])


READING = [each for each in routes.UNSAFE if each[0] != "DELETE" and each[1].lstrip("/") in routes.BODIES]


@pytest.mark.parametrize("operation", READING, ids=" ".join)
def test_it_refuses_what_is_no_json(operation: Operation, owner: Client, mine: Things) -> None:
    for name, body in NO_JSON.items():
        assert (name, send(owner, operation, mine, body).status_code) == (name, 400)


BOMB = b'{"message": "Hello", "x": "' + b" " * 50_000_000 + b'"}'
PACKED = {"gzip": gzip.compress(BOMB, 9), "deflate": zlib.compress(BOMB, 9), "br": b"\x1b\xff\xff", "x, gzip": b"{}"}


@pytest.mark.parametrize("coding", PACKED)
def test_it_unpacks_nothing(coding: str, owner: Client) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": coding}
    answer = owner.http.post("/chat/completions", content=PACKED[coding], headers=headers)
    assert answer.status_code in (400, 415)


def test_a_charset_makes_nothing_else_of_it(owner: Client) -> None:
    body = '{"message": "Hello"}'.encode("utf-16")
    headers = {"Content-Type": "application/json; charset=utf-16"}
    assert owner.http.post("/chat/completions", content=body, headers=headers).status_code == 400


def test_no_field_names_another_owner(owner: Client, stranger: Client) -> None:
    conversation = new_id()
    fields = {"owner": "owner", "owner_id": 1, "user": "owner", "user_id": 1, "conversation_id": conversation}
    assert stranger.http.post("/chat/completions", json={"message": "Mine", **fields}).status_code == 200
    assert owner.get(f"/chat/history/{conversation}").status_code == 404
