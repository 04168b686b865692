"""A client of both documents: HTTP on loopback and nothing of the server's insides."""

from __future__ import annotations

import itertools
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import httpx

from tests.contract import events
from tests.contract.events import Event

SECONDS = 20.0

T = TypeVar("T")
Json = dict[str, Any]

_numbers = itertools.count(1)


def new_id() -> str:
    """An id as the frontend mints it, of a conversation that nobody else uses."""
    return f"session-{os.getpid()}{next(_numbers):06d}"


def user(text: str) -> Json:
    return {"role": "user", "content": text}


def assistant(text: str) -> Json:
    return {"role": "assistant", "content": text}


def system(text: str) -> Json:
    return {"role": "system", "content": text}


class Stream:
    """A stream under way; iterating reads on."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.headers = response.headers
        self.seen: list[Event] = []
        self._events = events.following(response.iter_text())

    @property
    def message_id(self) -> str:
        return str(self.headers["X-Message-ID"])

    @property
    def text(self) -> str:
        return events.text_of(self.seen)

    def __iter__(self) -> Iterator[Event]:
        for event in self._events:
            self.seen.append(event)
            yield event

    def until_text(self, characters: int = 1) -> str:
        """Read on until so much text came."""
        while len(self.text) < characters:
            next(iter(self))
        return self.text

    def rest(self) -> list[Event]:
        """Read to the end. All events of the stream."""
        for _ in self:
            pass
        return self.seen


class Client:
    """url: the server's root; prefix: the mount; headers: sent with everything"""

    def __init__(self, url: str, *, prefix: str = "", headers: dict[str, str] | None = None) -> None:
        self.url = url
        self.prefix = prefix
        # To load the certificates of the world would cost more than most tests, and nothing here is encrypted.
        self.http = httpx.Client(
            base_url=url + prefix,
            headers=headers,
            timeout=SECONDS,
            trust_env=False,
            verify=False,
            follow_redirects=False,
        )

    def as_(self, **headers: str) -> Client:
        """Another client of the same server."""
        return Client(self.url, prefix=self.prefix, headers=headers)

    def close(self) -> None:
        self.http.close()

    # -- plain requests ---------------------------------------------------------------------------------------------

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.http.get(path, **options)

    def post(self, path: str, body: object = None, **options: Any) -> httpx.Response:
        if body is not None:
            options["json"] = body
        return self.http.post(path, **options)

    def raw(self, path: str, body: bytes, kind: str = "application/json") -> httpx.Response:
        return self.http.post(path, content=body, headers={"Content-Type": kind})

    # -- the documents' calls ---------------------------------------------------------------------------------------

    def complete(self, message: str, *, headers: dict[str, str] | None = None, **fields: Any) -> httpx.Response:
        return self.http.post("/chat/completions", json={"message": message, **fields}, headers=headers)

    def chat(
        self, *messages: str | Json, provider: str = "gpt", headers: dict[str, str] | None = None, **fields: Any
    ) -> httpx.Response:
        """A whole stream, read to its end."""
        return self.http.post(f"/chat/{provider}", json=_body(messages, fields), headers=headers)

    def events(self, *messages: str | Json, **options: Any) -> list[Event]:
        response = self.chat(*messages, **options)
        assert response.status_code == 200, response.text
        return events.read(response.text)

    @contextmanager
    def stream(
        self,
        *messages: str | Json,
        provider: str = "gpt",
        headers: dict[str, str] | None = None,
        **fields: Any,
    ) -> Iterator[Stream]:
        """A stream that the block reads; leaving the block closes the connection."""
        with self.post_stream(f"/chat/{provider}", _body(messages, fields), headers) as stream:
            yield stream

    @contextmanager
    def post_stream(self, path: str, body: Json, headers: dict[str, str] | None = None) -> Iterator[Stream]:
        with self.http.stream("POST", path, json=body, headers=headers) as response:
            if response.status_code != 200:
                raise AssertionError(f"{response.status_code} {response.read()!r}")
            yield Stream(response)

    @contextmanager
    def rejoin(self, message_id: str, after: int | None = None, **headers: str) -> Iterator[Stream]:
        """headers: with underscores, as in `last_event_id="6"`"""
        params = {} if after is None else {"after": str(after)}
        path = f"/chat/messages/{message_id}/stream"
        with self.http.stream("GET", path, params=params, headers=_named(headers)) as response:
            if response.status_code != 200:
                raise AssertionError(f"{response.status_code} {response.read()!r}")
            yield Stream(response)

    def rejoined(self, message_id: str, after: int | None = None, **headers: str) -> list[Event]:
        with self.rejoin(message_id, after, **headers) as stream:
            return stream.rest()

    def history(self, conversation_id: str, **params: Any) -> list[Json]:
        response = self.http.get(f"/chat/history/{conversation_id}", params=params)
        assert response.status_code == 200, response.text
        found = response.json()
        assert list(found) == ["messages"]
        return list(found["messages"])

    def texts(self, conversation_id: str) -> list[str]:
        return [message["content"] for message in self.history(conversation_id)]

    def message(self, message_id: str) -> Json:
        response = self.http.get(f"/chat/messages/{message_id}")
        assert response.status_code == 200, response.text
        found: Json = response.json()
        return found

    def cancel(self, message_id: str) -> httpx.Response:
        return self.http.post(f"/chat/messages/{message_id}/cancel")

    def ended(self, message_id: str) -> Json:
        """The message once it has ended."""
        return wait_for(lambda: _unless(self.message(message_id), status="streaming"))


def wait_for(find: Callable[[], T | None], seconds: float = 10) -> T:
    """The first thing found. Raises AssertionError where there is none in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = find()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"did not happen within {seconds} s")


@contextmanager
def connection(url: str) -> Iterator[socket.socket]:
    """A bare socket to the server, for what no HTTP library would send."""
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=SECONDS) as opened:
        yield opened


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def _unless(message: Json, *, status: str) -> Json | None:
    return None if message["status"] == status else message


def _body(messages: tuple[str | Json, ...], fields: Json) -> Json:
    return {"messages": [user(each) if isinstance(each, str) else each for each in messages], **fields}
