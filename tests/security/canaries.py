"""Words that stand for what must not get about, and a server that is made to meet all of them in good and bad ways."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.contract.client import Client, new_id
from tests.contract.people import People, people_of
from tests.services import databases
from tests.services.server import LiveServer
from tests.simulator import Simulator

PROVIDERS = {"gpt": "openai", "claude": "anthropic", "gemini": "gemini"}

KEYS = {
    "OPENAI_API_KEY": "sk-canary-openai-4711",
    "ANTHROPIC_API_KEY": "sk-canary-anthropic-4711",
    "GEMINI_API_KEY": "canary-gemini-4711",
    "METRICS_TOKEN": "canary-metrics-4711",
    "DJANGO_SECRET_KEY": "canary-signing-key-4711-long-enough-to-be-taken-for-a-real-one-0123456789",
}
SYSTEM_PROMPT = "canary-house-rules"
PROMPT = "canary-prompt"
REPLY = "canary-reply"
VENDOR = "canary-vendor-body"
TITLE = "canary-title"
PASSWORD = "canary-password"
INVENTED = "canary-invented-token"

SCRIPTS: dict[str, dict[str, Any]] = {
    **{f"answers {status}": {"status": status} for status in (400, 401, 403, 404, 413, 429, 500, 503)},
    "hangs": {"fault": "stall", "after": -1},
    "reports an error": {"fault": "error"},
    "reports an error after text": {"text": REPLY + " and more", "fault": "error", "after": 1},
    "hangs after text": {"text": REPLY + " and more", "fault": "stall", "after": 1},
    "sends no JSON": {"text": REPLY, "fault": "bad_json", "after": 0},
    "sends no JSON after text": {"text": REPLY + " and more", "fault": "bad_json", "after": 1},
    "sends a page": {"fault": "not_sse"},
    "drops": {"text": REPLY + " and more", "fault": "drop", "after": 1},
    "resets": {"fault": "reset"},
    "ends too early": {"text": REPLY + " and more", "fault": "end", "after": 1},
    "filters": {"filtered": True},
    "ends for a reason nobody knows": {"text": REPLY, "finish": "odd"},
    "answers": {"text": REPLY},
}

ENDED = re.compile('"(complete|failed)"')


@dataclass
class Evidence:
    """What a server has let out. failures: bodies of answers that were none, and errors within streams"""

    people: People
    output: str = ""
    metrics: str = ""
    failures: list[str] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    stored: bytes = b""

    @property
    def tokens(self) -> list[str]:
        return [*self.people.tokens.values(), self.people.session]


def gather(simulator: Simulator, level: str, scripts: Iterable[str] = SCRIPTS) -> Iterator[Evidence]:
    """Start a server that logs from this level on, make it meet everything, and collect what it let out."""
    url = databases.fresh("sqlite")
    prompts = {f"{name}_SYSTEM_PROMPT": SYSTEM_PROMPT for name in ("GPT", "CLAUDE", "GEMINI")}
    variables = {**simulator.env(), **KEYS, **prompts, "PROVIDER_TIMEOUT": "1", "RATE_LIMIT": "100000/h"}
    server = LiveServer(database=url, **variables, AUTH_MODE="required", LOG_LEVEL=level)
    try:
        evidence = Evidence(people_of(server))
        _converse(evidence, simulator, scripts)
        _mirror(evidence)
        _ask_wrongly(evidence)
        _sign_in_wrongly(evidence)
        evidence.metrics = _metrics(server)
        file = Path(url.removeprefix("sqlite:///"))
        evidence.stored = b"".join(each.read_bytes() for each in file.parent.glob(file.name + "*"))
        _break_the_database(evidence, file)
        server.stop()
        evidence.output = server.stdout.read_text() + server.stderr.read_text()
        yield evidence
    finally:
        server.close()


def _converse(evidence: Evidence, simulator: Simulator, scripts: Iterable[str]) -> None:
    client = evidence.people.client("owner")
    for script in map(SCRIPTS.__getitem__, scripts):
        for provider, vendor in PROVIDERS.items():
            simulator.clear()
            simulator.script(
                vendor, message=f"{VENDOR}: you sent {PROMPT} with {KEYS[vendor.upper() + '_API_KEY']}", **script
            )
            _ask_in_every_way(evidence, client, provider)
            evidence.asked += simulator.chats()


def _ask_in_every_way(evidence: Evidence, client: Client, provider: str) -> None:
    conversation = new_id()
    _keep(evidence, client.chat(PROMPT, provider=provider, conversation_id=conversation))
    _keep(evidence, client.complete(PROMPT, provider=provider, conversation_id=conversation))


def _keep(evidence: Evidence, answer: httpx.Response) -> None:
    if answer.status_code >= 400:
        evidence.failures.append(answer.text)
    evidence.failures += [line for line in answer.text.splitlines() if line.startswith("data: ") and '"error"' in line]


def _mirror(evidence: Evidence) -> None:
    """A socket, whose library would log its frames."""
    client = evidence.people.client("owner")
    conversation = new_id()
    address = f"ws{client.url.removeprefix('http')}/ws/conversations/{conversation}/"
    protocols: Any = ["dialogix", f"bearer.{evidence.people.tokens['owner']}"]
    with connect(address, subprotocols=protocols, proxy=None) as socket:
        client.chat(PROMPT, conversation_id=conversation)
        socket.send(PROMPT)
        while not ENDED.search(str(socket.recv(timeout=10))):
            pass
    try:
        connect(address, subprotocols=["dialogix", f"bearer.{INVENTED}"], proxy=None)  # type: ignore[list-item]
    except InvalidStatus:
        return
    raise AssertionError("a stranger was let in")


def _ask_wrongly(evidence: Evidence) -> None:
    client = evidence.people.client("owner")
    conversation = client.complete(PROMPT).json()["conversation_id"]
    client.http.patch(f"/chat/conversations/{conversation}", json={"title": TITLE})
    for body in (
        b'{"message": "' + PROMPT.encode(),
        b'{"message": "' + PROMPT.encode() + b'\xff"}',
        b'{"message": "' + PROMPT.encode() + b'\\ud800"}',
        b'{"message": "' + PROMPT.encode() + b'\\u0000"}',
        b'{"message": {"' + PROMPT.encode() + b'": 1}}',
        b'{"message": ["' + PROMPT.encode() + b'"]}',
        b'{"messages": [{"role": "user", "content": ["' + PROMPT.encode() + b'"]}]}',
        b'{"message": "' + PROMPT.encode() * 3000 + b'"}',
        b"[" * 100_000 + PROMPT.encode(),
    ):
        for path in ("/chat/completions", "/chat/gpt", "/v1/chat/completions"):
            _keep(evidence, client.raw(path, body))
            _keep(evidence, client.raw(path, body, "text/plain"))
    key = {"Idempotency-Key": new_id()}
    client.complete(PROMPT, headers=key)
    _keep(evidence, client.complete(PROMPT + " changed", headers=key))
    for token in (INVENTED, INVENTED + "." + INVENTED + "." + INVENTED):
        _keep(evidence, client.as_(Authorization=f"Bearer {token}").complete(PROMPT))
    _keep(evidence, client.get("/chat/conversations", params={"q": PROMPT, "cursor": "x"}))


def _sign_in_wrongly(evidence: Evidence) -> None:
    browser = Client(evidence.people.server.url).http
    browser.get("/sign-in/")
    form = {"csrfmiddlewaretoken": browser.cookies["csrftoken"], "username": "owner", "password": PASSWORD}
    for path in ("/sign-in/", "/admin/login/"):
        assert browser.post(path, data=form).status_code == 200
    browser.post("/sign-in/", data={**form, "csrfmiddlewaretoken": "x"})


def _metrics(server: LiveServer) -> str:
    answer = httpx.get(
        f"{server.url}/metrics", trust_env=False, headers={"Authorization": f"Bearer {KEYS['METRICS_TOKEN']}"}
    )
    assert answer.status_code == 200
    return answer.text


def _break_the_database(evidence: Evidence, file: Path) -> None:
    """Tables that go while they are needed: whatever is raised then knows the row that it was about."""
    client = evidence.people.client("owner")
    conversation = new_id()
    _keep(evidence, client.complete(PROMPT, conversation_id=conversation))
    with sqlite3.connect(file) as connection:
        connection.execute(
            "CREATE TRIGGER no_more BEFORE INSERT ON conversations_message BEGIN SELECT RAISE(ABORT, 'refused'); END"
        )
    _keep(evidence, client.complete(PROMPT, conversation_id=conversation))
    _keep(evidence, client.chat(PROMPT, conversation_id=conversation))
    with sqlite3.connect(file) as connection:
        connection.execute("DROP TABLE conversations_attempt")
        connection.execute("DROP TABLE conversations_message")
    _keep(evidence, client.complete(PROMPT, conversation_id=conversation))
    _keep(evidence, client.get(f"/chat/history/{conversation}"))
