"""How `-n` spreads tests over processes: what shares something dear stays in one, and who waits longest goes first."""

from __future__ import annotations

from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import NodeManager, WorkerController

NodeManager.EXIT_TIMEOUT = 30
"""Seconds in which a worker that is told to end takes down what its tests started: killed before, it would leave it."""

FIRST = ("page", "cluster", "frontends", "dialogix", "conversations/commands", "contract", "schema", "security")
"""Folders whose tests mostly wait: begun last, they would keep one process busy while the others have ended."""

TOGETHER = (("page",), ("cluster", "chaos"), ("frontends",), ("conversations/live",))
"""Folders whose tests share a browser, the load that they put on a machine, packages for Node, or a pair of servers.

Everywhere else only the tests of a file stay together.
"""


class Sharing(LoadFileScheduling):
    def _split_scope(self, nodeid: str) -> str:
        for folders in TOGETHER:
            if any(nodeid.startswith(f"tests/{folder}/") for folder in folders):
                return f"tests/{folders[0]}/"
        return super()._split_scope(nodeid)

    def _assign_work_unit(self, node: WorkerController) -> None:
        self.workqueue.move_to_end(min(self.workqueue, key=_rank), last=False)
        super()._assign_work_unit(node)


def _rank(scope: str) -> int:
    """Lower goes first; among equals, what has more tests."""
    ranks = [rank for rank, folder in enumerate(FIRST) if scope.startswith(f"tests/{folder}/")]
    return ranks[0] if ranks else len(FIRST)
