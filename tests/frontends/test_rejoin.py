"""`EventSource`: a page that was reloaded."""

from __future__ import annotations

from itertools import pairwise

from tests.contract.client import Client, new_id
from tests.frontends.breaking import breaking
from tests.frontends.conftest import Node, said
from tests.simulator import Simulator

TEXT = "Grüße an 🙂 alle, die auf die Bahn warten. " * 8


def test_it_follows_the_rest_of_a_reply(client: Client, node: Node, simulator: Simulator) -> None:
    simulator.script(text=TEXT, delay=0.03)
    conversation = new_id()
    with client.stream("Hello", conversation_id=conversation) as stream:
        stream.until_text(50)
    *changes, end = said(node("rejoin.mjs", client.url, conversation))
    texts = [text for _, text in changes[1:]]
    assert (changes[0][1], texts[-1], end) == ("Hello", TEXT, None)
    assert len(texts) > 1
    assert all(later.startswith(earlier) for earlier, later in pairwise(texts))


def test_it_goes_on_after_a_lost_connection(client: Client, node: Node, simulator: Simulator) -> None:
    simulator.script(text=TEXT * 2, delay=0.03)
    conversation = new_id()
    with client.stream("Hello", conversation_id=conversation) as stream:
        stream.until_text(10)
    with breaking(client.url, 100_000, 900) as network:
        *changes, end = said(node("rejoin.mjs", network.url, conversation))
    assert (changes[-1][1], end, network.lost) == (TEXT * 2, None, 1)


def test_it_shows_what_has_ended(client: Client, node: Node, simulator: Simulator) -> None:
    simulator.script(text=TEXT)
    conversation = new_id()
    client.complete("Hello", conversation_id=conversation)
    *changes, end = said(node("rejoin.mjs", client.url, conversation))
    assert ([text for _, text in changes], end) == (["Hello", TEXT], None)


def test_it_tells_why_a_reply_ends_early(client: Client, node: Node, simulator: Simulator) -> None:
    simulator.script(chunks=40, delay=0.05, fault="error", after=39)
    conversation = new_id()
    with client.stream("Hello", conversation_id=conversation) as stream:
        stream.until_text()
    *changes, end = said(node("rejoin.mjs", client.url, conversation))
    reply = client.history(conversation)[-1]
    assert (changes[-1][1], end) == (f"{reply['content']}\n{reply['error']}", None)
