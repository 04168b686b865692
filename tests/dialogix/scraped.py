"""`/metrics` as tests read it."""

from __future__ import annotations

from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.services.server import LiveServer


class Scraped:
    """What a server tells at this moment. Raises AssertionError where it tells nothing."""

    def __init__(self, server: LiveServer, **headers: str) -> None:
        response = httpx.get(f"{server.url}/metrics", headers=headers, trust_env=False)
        assert response.status_code == 200, response.text
        families = text_string_to_metric_families(response.text)
        self.samples = [sample for family in families for sample in family.samples]

    def value(self, name: str, **labels: str) -> float:
        """The sum of all samples of that name that have these labels."""
        found = [one.value for one in self.samples if one.name == name and labels.items() <= one.labels.items()]
        return sum(found)

    def labels(self, name: str, label: str) -> set[str]:
        """The values of a label in all samples of that name."""
        return {one.labels[label] for one in self.samples if one.name == name}


def chat(server: LiveServer, **fields: Any) -> httpx.Response:
    """A whole reply of `gpt`."""
    body = {"messages": [{"role": "user", "content": "Hello there"}], **fields}
    return httpx.post(f"{server.url}/chat/gpt", json=body, trust_env=False, timeout=30)
