"""The serving processes that the database knows of."""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

import psutil
from django.db.models.functions import Now

from conversations.models import Worker

CLOCK_TOLERANCE = 2.0
"""Seconds by which two readings of one process's start may differ."""


@dataclass(frozen=True, slots=True)
class Process:
    """Who a process is: enough to tell on the same host, later, whether it still runs.

    started: seconds since the host's boot; the time of day may be set while the process runs
    """

    host: str
    pid: int
    started: float


def this_process() -> Process:
    pid = os.getpid()
    return Process(this_host(), pid, _started(psutil.Process(pid)))


def this_host() -> str:
    """Names what shares our process ids: the machine since its boot, and within it our namespace of processes."""
    parts = [platform.node()]
    with suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip()[:8])
        parts.append(str(Path("/proc/self/ns/pid").readlink()).strip("pid:[]"))
    return ":".join(parts)


def is_dead(process: Process) -> bool:
    """Whether a process of this host has ended; a pid that serves another process now counts as ended."""
    try:
        found = psutil.Process(process.pid)
        same = abs(_started(found) - process.started) < CLOCK_TOLERANCE
        return not same or found.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
    except psutil.AccessDenied:
        return False


def _started(process: psutil.Process) -> float:
    return process.create_time() - psutil.boot_time()


def register(worker_id: UUID, process: Process) -> None:
    Worker.objects.create(id=worker_id, host=process.host, pid=process.pid, process_started=process.started)


def seen(worker_id: UUID, *, beat: bool) -> datetime | None:
    """When the database last heard of this worker, now where it beats; None where it is no longer known."""
    row = Worker.objects.filter(pk=worker_id)
    if beat:
        row.update(heartbeat_at=Now())
    return row.values_list("heartbeat_at", flat=True).first()


def dead_on_this_host() -> list[Worker]:
    """Workers of this host whose process has ended: their replies need not wait for a stale heartbeat."""
    here = Worker.objects.filter(host=this_host())
    return [row for row in here if is_dead(Process(row.host, row.pid, row.process_started))]


def remove(worker_id: UUID) -> None:
    Worker.objects.filter(pk=worker_id).delete()
