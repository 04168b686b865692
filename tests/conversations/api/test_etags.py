"""`ETag`: what a client has already is not sent again."""

from __future__ import annotations

import pytest

from conversations import database
from tests.conversations.api.people import Person, message

PATHS = {
    "list": "/chat/conversations",
    "conversation": "/chat/conversations/session-1",
    "history": "/chat/history/session-1?limit=10",
    "whole history": "/chat/history/session-1",
    "message": "/chat/messages/{}",
}


@pytest.fixture(params=list(PATHS.values()), ids=list(PATHS))
def path(request: pytest.FixtureRequest, owner: Person) -> str:
    owner.says(("Hello", "Hi"))
    return str(request.param).format(message("Hi").public_id)


async def test_what_a_client_has_is_not_sent_again(owner: Person, path: str) -> None:
    first = await owner.get(path)
    second = await owner.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (second.status_code, second.content, second.headers["ETag"]) == (304, b"", first.headers["ETag"])


@pytest.mark.parametrize("given", ["W/{}", '"other", {}', "*"])
async def test_it_knows_every_way_to_ask(owner: Person, path: str, given: str) -> None:
    etag = (await owner.get(path)).headers["ETag"]
    assert (await owner.get(path, headers={"If-None-Match": given.format(etag)})).status_code == 304


@pytest.mark.parametrize("given", ["", '"other"', "{}", '"', 'W/"'])
async def test_what_it_has_not_is_sent(owner: Person, path: str, given: str) -> None:
    assert (await owner.get(path, headers={"If-None-Match": given})).status_code == 200


async def test_what_has_changed_is_sent(owner: Person, path: str) -> None:
    etag = (await owner.get(path)).headers["ETag"]
    await database.write(owner.says, ("More", "Yes"))
    await owner.call("PUT", f"/chat/messages/{(await _reply())}/feedback", json={"rating": "up"})
    assert (await owner.get(path, headers={"If-None-Match": etag})).status_code == 200


async def _reply() -> str:
    return (await database.write(message, "Hi")).public_id


async def test_only_the_client_itself_may_keep_it(owner: Person, path: str) -> None:
    assert (await owner.get(path)).headers["Cache-Control"] == "private, no-cache"


async def test_browsers_may_read_it(owner: Person, path: str) -> None:
    answer = await owner.get(path, headers={"Origin": "http://localhost:5000"})
    assert "ETag" in answer.headers["Access-Control-Expose-Headers"]


async def test_a_teammate_learns_nothing_from_it(owner: Person, teammate: Person, path: str) -> None:
    etag = (await owner.get(path)).headers["ETag"]
    assert (await teammate.get(path, headers={"If-None-Match": etag})).status_code in (200, 404)
