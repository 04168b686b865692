"""The processes that serve: how many there are, what they share, and how they end."""

from __future__ import annotations

import time
from collections.abc import Iterator

from django.conf import settings
from django.db.models.functions import Now
from redis import Redis
from redis.exceptions import RedisError

from conversations.commands.doctor.findings import Finding
from conversations.generations.reaper import STALE
from conversations.models import Worker

REDIS_SECONDS = 2.0
OVERTIME = 10
"""Seconds beyond the grace within which a worker is gone."""


def cache() -> Iterator[Finding]:
    """What workers share against how many they are."""
    if settings.REDIS_URL:
        yield _redis(settings.REDIS_URL)
    elif settings.WEB_WORKERS > 1:
        told = f"In each of {settings.WEB_WORKERS} workers: RATE_LIMIT counts per worker, news between them by looking."
        yield Finding("cache", "warning", told, "Set REDIS_URL.")
    else:
        yield Finding("cache", "ok", "In the process, which is enough for one worker.")


def workers() -> Iterator[Finding]:
    alive = list(Worker.objects.filter(heartbeat_at__gte=Now() - STALE).values_list("host", flat=True))
    if not alive:
        yield Finding("workers", "note", "No server is running on this database.")
    else:
        yield Finding("workers", "ok", f"{len(alive)} alive on {len(set(alive))} host(s).")


def shutdown() -> Iterator[Finding]:
    grace = settings.SHUTDOWN_GRACE
    patience = f"Whoever stops the server must wait {grace + OVERTIME:.0f} s before killing it"
    where = "docker stop -t, stop_grace_period, terminationGracePeriodSeconds, TimeoutStopSec"
    if grace < 1:
        yield Finding(
            "shutdown", "warning", "Replies under way are cut off when the server stops.", "Raise SHUTDOWN_GRACE."
        )
    elif grace < settings.PROVIDER_TIMEOUT / 3:
        told = f"Replies under way get {grace:g} s, where their first words may take {settings.PROVIDER_TIMEOUT:g} s."
        yield Finding("shutdown", "note", told, "Raise SHUTDOWN_GRACE if replies end interrupted at every restart.")
    else:
        yield Finding("shutdown", "ok", f"Replies under way get {grace:g} s. {patience} ({where}).")


def _redis(url: str) -> Finding:
    began = time.perf_counter()
    try:
        with Redis.from_url(url, socket_timeout=REDIS_SECONDS, socket_connect_timeout=REDIS_SECONDS) as redis:
            redis.ping()
            seconds = time.perf_counter() - began
            version = redis.info("server")["redis_version"]
    except (RedisError, OSError) as error:
        told = f"Redis cannot be reached ({type(error).__name__}): limits hold per worker, news come by looking."
        return Finding("cache", "problem", told, "Look at REDIS_URL and the server; nothing else fails meanwhile.")
    return Finding("cache", "ok", f"Redis {version} answers in {seconds * 1000:.1f} ms.")
