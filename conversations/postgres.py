"""A connection to Postgres that knows how long its thread is willing to wait."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus

from conversations import patience

R = TypeVar("R")

INTERVAL = 0.1
"""Seconds between two looks at whether somebody pressed Ctrl-C, as psycopg has it."""

CANCEL_SECONDS = 0.5


class ImpatientConnection(psycopg.Connection[Any]):
    """Gives up, and closes itself, where the server has not answered in time. Raises `psycopg.OperationalError`."""

    def wait(self, gen: PQGen[R], interval: float = INTERVAL, timeout: float | None = None) -> R:
        if timeout is not None or (left := patience.left()) is None:
            return super().wait(gen, interval, timeout)
        try:
            answer = super().wait(gen, interval, left)
        except psycopg.OperationalError:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self._give_up()
            raise
        patience.answered()
        return answer

    def _give_up(self) -> None:
        """The answer may still come, to nobody. A server that is only slow shall not go on working on it."""
        with suppress(psycopg.Error):
            self.cancel_safe(timeout=CANCEL_SECONDS)
        self.close()
