"""One cluster for all tests here; each leaves it whole."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster.cluster import Cluster
from tests.simulator import simulator_process


@pytest.fixture(scope="package")
def whole_cluster() -> Iterator[Cluster]:
    with simulator_process() as vendors:
        cluster = Cluster(vendors)
        yield cluster
        cluster.close()


@pytest.fixture
def cluster(whole_cluster: Cluster) -> Cluster:
    """With nothing to be said of other tests."""
    whole_cluster.errors()
    return whole_cluster
