"""Without a script the simulator says who it is and repeats what it was told."""

from __future__ import annotations

import pytest

from tests.providers.simulator.sdks import MODELS, VENDORS, complete, stream
from tests.simulator import Simulator

vendors = pytest.mark.parametrize("vendor", VENDORS)


@vendors
def test_it_names_itself_and_the_model(simulator: Simulator, vendor: str) -> None:
    text = complete(vendor, simulator)
    assert "simulator" in text
    assert MODELS[vendor] in text


@vendors
def test_it_repeats_the_last_user_message(simulator: Simulator, vendor: str) -> None:
    prompt = "Zeile eins\n\nline two\tü é 😀 \u0001 data: [DONE]"
    assert complete(vendor, simulator, prompt).endswith(prompt)


@vendors
def test_it_streams_the_same_text(simulator: Simulator, vendor: str) -> None:
    assert "".join(stream(vendor, simulator, "Hello 😀")) == complete(vendor, simulator, "Hello 😀")


@vendors
def test_it_streams_several_deltas(simulator: Simulator, vendor: str) -> None:
    assert len(list(stream(vendor, simulator))) > 5
