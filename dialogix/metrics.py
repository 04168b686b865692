"""What Prometheus reads at `/metrics`: counted once per request and once per reply, never per delta.

Names follow OpenTelemetry's conventions where these have one (`gen_ai.client.operation.duration`,
`gen_ai.client.token.usage`, `gen_ai.server.time_to_first_token`, `http.server.request.duration`), spelt as Prometheus
wants them. An operation is one call of a vendor; the time to the first token counts from the first call of a reply.
Each process counts for itself: with several workers every sample has a label `worker`, and a scrape meets one of them.
"""

from __future__ import annotations

import os
import re
from functools import lru_cache

from django.conf import settings
from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector

from conversations.generations import engine
from conversations.generations.generation import Generation
from dialogix.gate import Scope
from dialogix.observed import Observed

REQUEST_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
OPERATION_SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
FIRST_TOKEN_SECONDS = (0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
TOKENS = tuple(4**power for power in range(14))
"""The conventions' own buckets, but for the first."""

VENDORS = {"openai": "openai", "anthropic": "anthropic", "gemini": "gcp.gemini"}
"""Our adapter's name -> the conventions' name."""

PLACES = re.compile(r"/(?:(?:admin|api|static|sign-in|sign-out|ws|livez|readyz|metrics)(?=/|$)|$)")
"""Beginnings of paths that the chat path's handler does not serve. All others are clients' inventions."""

MODEL = ("gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model")

registry = CollectorRegistry()
requests = Histogram(
    "http_server_request_duration_seconds",
    "Requests, from the first byte to the last; a stream lasts as long as its reply",
    ("http_request_method", "http_route", "http_response_status_code"),
    registry=registry,
    buckets=REQUEST_SECONDS,
)
limited = Counter("dialogix_rate_limited_requests", "Requests refused by the rate limit", ("route",), registry=registry)
operations = Histogram(
    "gen_ai_client_operation_duration_seconds",
    "Calls of vendors",
    (*MODEL, "error_type"),
    registry=registry,
    buckets=OPERATION_SECONDS,
)
first_tokens = Histogram(
    "gen_ai_server_time_to_first_token_seconds",
    "From the first call of a reply to its first text",
    MODEL,
    registry=registry,
    buckets=FIRST_TOKEN_SECONDS,
)
tokens = Histogram(
    "gen_ai_client_token_usage",
    "Tokens of replies, estimated where the vendor did not count",
    (*MODEL, "gen_ai_token_type"),
    registry=registry,
    buckets=TOKENS,
)
attempts = Counter(
    "dialogix_attempts", "Tries of models by outcome", ("provider", "model", "outcome"), registry=registry
)
fallbacks = Counter(
    "dialogix_fallbacks", "Replies that another model than the first answered", ("provider", "model"), registry=registry
)
replies = Counter("dialogix_replies", "Replies that ended", ("provider", "status"), registry=registry)
registry.register(Observed())
ProcessCollector(registry=registry)


def request_ended(scope: Scope, status: int, seconds: float) -> None:
    """Count a request. status: what was answered, 499 for a client that left before"""
    route = route_of(scope)
    requests.labels(scope.get("method", "WEBSOCKET"), route, status).observe(seconds)
    if status == 429:
        limited.labels(route).inc()


def route_of(scope: Scope) -> str:
    """Few values, whatever paths clients invent: the route, without the ids in it."""
    pattern = scope.get("route")
    if pattern is not None:
        return template(pattern)
    place = PLACES.match(scope["path"])
    return place[0] if place else "other"


@lru_cache(maxsize=256)
def template(pattern: str) -> str:
    """A route as the address is told to people: `^chat/(?P<provider>[^/]+)/?$` -> `/chat/{provider}`."""
    text, depth, name = "", 0, ""
    for part in re.split(r"(\(\?P<\w+>|\(\?:|\((?!\?)|(?<!\\)\))", pattern):
        if part.startswith("("):
            depth, name = depth + 1, name or part[4:-1]
        elif part == ")":
            depth -= 1
            if not depth and name:
                text, name = f"{text}{{{name}}}", ""
        elif not depth:
            text += part
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", re.sub(r"[\^$?]", "", text)).strip("/")


def reply_ended(generation: Generation) -> None:
    """Count a reply and the tries that were made for it."""
    production, ending = generation.production, generation.buffer.ending
    if not production.attempts:
        return
    for tried in production.attempts:
        error = "" if tried.outcome == "complete" else tried.outcome
        labels = _model(tried.provider, tried.model)
        operations.labels(*labels, error).observe(tried.duration_ms / 1000)
        attempts.labels(tried.provider, tried.model, tried.outcome).inc()
    last = production.attempts[-1]
    labels = _model(last.provider, last.model)
    replies.labels(last.provider, ending.status if ending else "failed").inc()
    if production.serving is not None and last is not production.attempts[0]:
        fallbacks.labels(last.provider, last.model).inc()
    if production.time_to_first_token_ms is not None:
        first_tokens.labels(*labels).observe(production.time_to_first_token_ms / 1000)
    if ending is not None and ending.tally is not None:
        tokens.labels(*labels, "input").observe(ending.tally.input_tokens)
        tokens.labels(*labels, "output").observe(ending.tally.output_tokens)


def worker_label() -> str | None:
    """What tells this process's samples from those of the others behind the same port; None where it is alone."""
    return str(os.getpid()) if settings.WEB_WORKERS > 1 else None


def _model(provider: str, model: str) -> tuple[str, str, str]:
    config = settings.PROVIDERS.get(provider)
    return "chat", VENDORS.get(config.vendor, provider) if config else provider, model


engine.on_ended.append(reply_ended)
