"""One cluster for all tests here; each leaves it whole."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster.cluster import Cluster
from tests.simulator import simulator_process


@pytest.fixture(scope="package")
def cluster() -> Iterator[Cluster]:
    with simulator_process() as vendors:
        cluster = Cluster(vendors)
        yield cluster
        cluster.close()
