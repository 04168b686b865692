"""One limit over all nodes."""

from __future__ import annotations

from tests.cluster.cluster import RATE, Cluster
from tests.cluster.limits import BEYOND, answers_to_a_burst


async def test_the_limit_admits_exactly_its_number_over_all_nodes(cluster: Cluster) -> None:
    assert await answers_to_a_burst(cluster) == {200: RATE, 429: BEYOND}
