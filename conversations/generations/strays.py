"""Replies that stand in the database under this worker's name, and that nobody here produces.

A database that goes away just when a turn is committed may have carried it out and not been able to say so. Whoever
asked was told that the turn was not begun; what stands there would hold up the conversation for ever.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Container
from uuid import UUID

from django.db import DatabaseError

from conversations import database
from conversations.models import Status
from conversations.store import recovery

DOUBT = 2 * database.PATIENCE
"""Seconds within which whoever is just beginning a turn has learned that it stands."""

log = logging.getLogger("conversations.recovery")


async def end_strays(worker_id: Callable[[], UUID], ours: Container[int]) -> None:
    """Wait until the database is back, and end what was there, and nobody's, both times of two looks at it.

    ours: keys of the replies that are produced here
    """
    suspected: set[int] = set()
    while True:
        await asyncio.sleep(DOUBT)
        try:
            standing = await database.read(recovery.replies_of, worker_id())
            found = {key for key in standing if key not in ours}
            for key in suspected & found:
                await database.write(recovery.end_for_another, key, Status.INTERRUPTED)
                log.warning("stray ended", extra={"event": "stray_ended"})
        except DatabaseError:
            continue
        if not found - suspected:
            return
        suspected = found
