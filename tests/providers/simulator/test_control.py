"""Steering the simulator, and reading what the vendors received."""

from __future__ import annotations

from urllib.error import HTTPError

import openai
import pytest

from providers.simulator.book import KEEP, KEEP_BYTES, Book, Exchange
from tests.providers.simulator.sdks import MODELS, VENDORS, complete, openai_sdk
from tests.simulator import Simulator

vendors = pytest.mark.parametrize("vendor", VENDORS)


def exchange(body: bytes = b"{}") -> Exchange:
    return Exchange("openai", "POST", "/v1/chat/completions", {}, {}, body)


@vendors
def test_it_plays_a_script_for_the_vendor_it_names(simulator: Simulator, vendor: str) -> None:
    simulator.script(vendor, text="Scripted")
    assert [name for name in VENDORS if complete(name, simulator) == "Scripted"] == [vendor]


def test_it_plays_a_script_for_every_vendor_where_it_names_none(simulator: Simulator) -> None:
    simulator.script(text="Scripted")
    assert [complete(vendor, simulator) for vendor in VENDORS] == ["Scripted"] * 3


def test_it_plays_a_script_for_the_model_it_names(simulator: Simulator) -> None:
    simulator.script(model="gpt-4o", text="Scripted")
    assert complete("openai", simulator, model="gpt-4o-mini") != "Scripted"


def test_it_takes_a_pattern_for_the_model(simulator: Simulator) -> None:
    simulator.script(model="gpt-4o*", text="Scripted")
    assert complete("openai", simulator, model="gpt-4o-mini") == "Scripted"


def test_it_plays_scripts_in_their_order_as_often_as_they_say(simulator: Simulator) -> None:
    simulator.script(text="one", times=1)
    simulator.script(text="two", times=2)
    simulator.script(text="rest")
    assert [complete("openai", simulator) for _ in range(4)] == ["one", "two", "two", "rest"]


def test_it_prefers_a_script_to_a_directive(simulator: Simulator) -> None:
    simulator.script(text="Scripted")
    assert complete("openai", simulator, "[[simulate text=Directed]]") == "Scripted"


def test_it_reads_the_last_user_message_alone(simulator: Simulator) -> None:
    completion = openai_sdk(simulator).chat.completions.create(
        model="gpt-4o",
        messages=[
            {"role": "user", "content": "[[simulate text=Directed]]"},
            {"role": "assistant", "content": "[[simulate text=Directed]]"},
            {"role": "user", "content": "Hello"},
        ],
    )
    assert completion.choices[0].message.content != "Directed"


def test_it_forgets_scripts(simulator: Simulator) -> None:
    simulator.script(text="Scripted")
    simulator.clear()
    assert complete("openai", simulator) != "Scripted"


def test_it_refuses_a_script_with_an_unknown_field(simulator: Simulator) -> None:
    with pytest.raises(HTTPError, match="400"):
        simulator._call("PUT", "/_simulator/scripts", [{"script": {"colour": "red"}}])


def test_it_replaces_all_scripts(simulator: Simulator) -> None:
    simulator.script(text="old")
    simulator._call("PUT", "/_simulator/scripts", [{"vendor": "openai", "script": {"text": "new"}}])
    assert complete("openai", simulator) == "new"


@vendors
def test_it_tells_what_the_vendor_received(simulator: Simulator, vendor: str) -> None:
    complete(vendor, simulator, "Hello there")
    received = simulator.last()
    assert (received["vendor"], received["model"]) == (vendor, MODELS[vendor])
    assert "Hello there" in str(received["body"])


@vendors
def test_it_tells_nothing_of_keys(simulator: Simulator, vendor: str) -> None:
    complete(vendor, simulator, key="very-secret")
    assert "very-secret" not in str(simulator.requests())


def test_it_tells_that_an_exchange_has_finished(simulator: Simulator) -> None:
    complete("openai", simulator)
    received = simulator.last()
    assert (received["state"], received["status"]) == ("finished", 200)
    assert received["opened_at"] <= received["closed_at"]


def test_it_counts_the_chunks_it_sent(simulator: Simulator) -> None:
    simulator.script(chunks=["a", "b", "c"], fault="end", after=2)
    stream = openai_sdk(simulator).chat.completions.create(
        model="gpt-4o", messages=[{"role": "user", "content": "Hello"}], stream=True
    )
    assert len(list(stream)) == 3
    assert simulator.last()["chunks"] == 2


def test_it_keeps_nothing_while_recording_is_off(simulator: Simulator) -> None:
    simulator._call("PUT", "/_simulator/recording", False)
    complete("openai", simulator)
    simulator._call("PUT", "/_simulator/recording", True)
    assert simulator.requests() == []


def test_it_keeps_the_newest_in_number() -> None:
    book = Book()
    exchanges = [exchange() for _ in range(KEEP + 5)]
    for each in exchanges:
        book.keep(each)
    assert book.exchanges() == tuple(exchanges[5:])


def test_it_keeps_the_newest_in_bytes() -> None:
    book = Book()
    exchanges = [exchange(bytes(KEEP_BYTES // 3)) for _ in range(5)]
    for each in exchanges:
        book.keep(each)
    assert book.exchanges() == tuple(exchanges[2:])


def test_it_answers_404_in_the_vendors_shape_for_an_unknown_path(simulator: Simulator) -> None:
    with pytest.raises(openai.NotFoundError, match="Invalid URL"):
        openai_sdk(simulator).get("/no/such/path", cast_to=object)
