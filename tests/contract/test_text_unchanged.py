"""Any text reaches client and database unchanged, whichever way it goes; a vendor's NUL alone is dropped."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from providers.simulator import server as simulator_server
from tests.contract import events
from tests.contract.client import Client, new_id
from tests.services.server import LiveServer
from tests.simulator import Simulator

VENDORS = {"gpt": "openai", "claude": "anthropic", "gemini": "gemini"}
ODD = [
    "data: [DONE]\n\n",
    "\r\ndata: {}\r\n\r\nid: 7\n: comment\n",
    "line\u2028separated\u2029by\x85odd\x0b\x0cbreaks\x1c\x1d\x1e",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 e\u0301 \u202e\u200f",
    "\x01\x02\x1b[0m\x7f\ufeff\uffff\ufffd",
    "</script><b>&amp;\\\"'`\\u0041",
    "   leading and trailing \t\n",
    "\r", "\n", "a\rb\nc\r\n\rd",
    "event: error\nretry: 1\n",
    "\U0010ffff\U00010000",
]  # fmt: skip

texts = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=60),
    st.lists(st.sampled_from([*ODD, "\r\n", "\n\n", "data:", " ", "\U0001f642"]), min_size=1, max_size=6).map("".join),
)
many = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def shared(server: LiveServer) -> Client:
    """One client for all examples of a property."""
    return Client(server.url)


@pytest.fixture(scope="module")
def vendors() -> Simulator:
    return Simulator(simulator_server.ensure_running())


@given(chunks=st.lists(texts, min_size=1, max_size=5), provider=st.sampled_from(sorted(VENDORS)))
@many
def test_any_text_of_a_vendor_reaches_client_and_database(
    shared: Client, vendors: Simulator, chunks: list[str], provider: str
) -> None:
    vendors.clear()
    vendors.script(VENDORS[provider], chunks=[*chunks, "."])
    conversation = new_id()
    stream = shared.events("Hi", provider=provider, conversation_id=conversation)
    said = "".join(chunks) + "."
    assert events.text_of(stream) == said
    assert shared.texts(conversation)[1] == said
    assert stream[-1].id == len(said) + 1
    assert events.text_of(shared.rejoined(shared.history(conversation)[1]["id"])) == said


@given(text=texts.filter(lambda text: not text.isspace()), provider=st.sampled_from(sorted(VENDORS)))
@many
def test_any_text_of_a_user_reaches_vendor_and_database(
    shared: Client, vendors: Simulator, text: str, provider: str
) -> None:
    vendors.clear()
    conversation = new_id()
    assert shared.complete(text, provider=provider, conversation_id=conversation).status_code == 200
    assert shared.texts(conversation)[0] == text
    assert text in _strings(vendors.last(VENDORS[provider])["body"])


@pytest.mark.parametrize("text", ODD)
@pytest.mark.parametrize("provider", VENDORS)
def test_odd_text_passes_unchanged(client: Client, simulator: Simulator, provider: str, text: str) -> None:
    simulator.script(VENDORS[provider], chunks=["<", text, ">"], delay=0.01)
    conversation = new_id()
    stream = client.events("Hi", provider=provider, conversation_id=conversation)
    assert events.text_of(stream) == f"<{text}>"
    assert client.texts(conversation)[1] == f"<{text}>"


@pytest.mark.parametrize("escaped", [True, False])
@pytest.mark.parametrize("provider", VENDORS)
def test_an_emoji_split_over_two_deltas_is_one(
    client: Client, simulator: Simulator, provider: str, escaped: bool
) -> None:
    chunks = ["a", "\ud83d", "\ude42", "b"] if escaped else ["a", "\U0001f642", "b"]
    simulator.script(VENDORS[provider], chunks=chunks, delay=0.02, ascii=escaped, split_utf8=not escaped)
    conversation = new_id()
    stream = client.events("Hi", provider=provider, conversation_id=conversation)
    assert events.text_of(stream) == "a\U0001f642b"
    assert [event.id for event in stream][-2:] == [3, 4]
    assert client.texts(conversation)[1] == "a\U0001f642b"


@pytest.mark.parametrize("provider", VENDORS)
def test_half_an_emoji_becomes_a_replacement_character(client: Client, simulator: Simulator, provider: str) -> None:
    simulator.script(VENDORS[provider], chunks=["a", "\ud83d", "b"], ascii=True)
    conversation = new_id()
    stream = client.events("Hi", provider=provider, conversation_id=conversation)
    assert events.text_of(stream) == "a\ufffdb"
    assert client.texts(conversation)[1] == "a\ufffdb"


@pytest.mark.parametrize("provider", VENDORS)
def test_a_nul_of_a_vendor_is_dropped(client: Client, simulator: Simulator, provider: str) -> None:
    simulator.script(VENDORS[provider], chunks=["a\0", "\0b"])
    conversation = new_id()
    stream = client.events("Hi", provider=provider, conversation_id=conversation)
    assert events.text_of(stream) == "ab"
    assert client.texts(conversation)[1] == "ab"


def test_a_long_reply_is_whole(client: Client, simulator: Simulator) -> None:
    simulator.script("openai", chunks=5000, size=40, burst=True)
    conversation = new_id()
    stream = client.events("Hi", conversation_id=conversation)
    assert len(events.text_of(stream)) == 200_000
    assert client.texts(conversation)[1] == events.text_of(stream)


def _strings(value: object) -> list[str]:
    """Every string in a JSON value."""
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for each in inner for text in _strings(each)]
