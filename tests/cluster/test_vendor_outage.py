"""A model, or a whole vendor, is out: its fallback answers, and clients notice nothing but the model's name."""

from __future__ import annotations

import asyncio
import re

import pytest

from tests.cluster.clients import Person, address, new_client
from tests.cluster.cluster import Cluster

ASKED = 12
FAULTS = ("status=503", "status=429", "fault=drop after=-1", "fault=drop after=0")


@pytest.mark.parametrize("fault", FAULTS)
async def test_the_fallback_model_answers_where_the_default_is_out(fault: str, cluster: Cluster) -> None:
    text = f"hello [[simulate {fault} model=gpt-4o]]"
    async with new_client() as client:
        people = [Person(client, cluster.url, f"{re.sub('[ =]', '-', fault)}-{number}") for number in range(ASKED)]
        turns = await asyncio.gather(*(person.streamed(text) for person in people))
        replies = [(await person.check())[-1] for person in people]
        models = [(await client.get(f"{cluster.url}/chat/messages/{reply['id']}")).json()["model"] for reply in replies]
    assert [(turn.troubles, turn.seen.errors) for turn in turns] == [([], [])] * ASKED
    assert set(models) == {"gpt-4o-mini"}


async def test_another_vendor_answers_completions_where_one_is_out(cluster: Cluster) -> None:
    body = {"message": "hello [[simulate vendor=openai status=503]]"}
    async with new_client() as client:
        asked = [client.post(f"{cluster.url}/chat/completions", json=body, headers=address()) for _ in range(ASKED)]
        answers = await asyncio.gather(*asked)
        shown = [await client.get(f"{cluster.url}/chat/messages/{each.json()['messageId']}") for each in answers]
    assert {answer.status_code for answer in answers} == {200}
    assert {message.json()["provider"] for message in shown} <= {"claude", "gemini"}
