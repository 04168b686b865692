"""Metrics that are not counted but looked at, when somebody asks."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from conversations.api import shared
from conversations.generations import engine
from providers.registry import breaker

BREAKER_STATES = ("closed", "half_open", "open")


class Observed(Collector):
    """The state of this process: what is under way, the journal, the circuit breaker, Redis."""

    def collect(self) -> Iterator[Metric]:
        running, waiting = engine.under_way()
        yield GaugeMetricFamily("dialogix_active_generations", "Replies that vendors produce now", running)
        yield GaugeMetricFamily("dialogix_waiting_generations", "Replies that wait for another one", waiting)
        lag, writes = engine.journal_state()
        yield GaugeMetricFamily("dialogix_journal_lag_seconds", "Age of the oldest text not yet stored", lag)
        yield CounterMetricFamily("dialogix_journal_write_transactions", "Batches of the journal", writes)
        yield _breaker()
        yield _redis()

    def describe(self) -> Iterator[Metric]:
        """Nothing: names need not be known before anything is looked at."""
        return iter(())


def _breaker() -> Metric:
    family = GaugeMetricFamily(
        "dialogix_breaker_state", "1 for the state of a model's circuit", labels=("provider", "model", "state")
    )
    for (provider, model), current in breaker.states().items():
        for state in BREAKER_STATES:
            family.add_metric((provider, model, state), float(state == current))
    return family


def _redis() -> Metric:
    """Both keep working without Redis, each worker for itself: limits less exact, news less prompt."""
    family = GaugeMetricFamily("dialogix_redis_degraded", "1 while Redis is away", labels=("use",))
    family.add_metric(("limits",), float(shared.redis_is_away()))
    family.add_metric(("news",), float(engine.news_are_missing()))
    return family
