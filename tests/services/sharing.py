"""How `-n` spreads tests over processes: what shares something dear stays in one, and who waits longest goes first."""

from __future__ import annotations

from collections.abc import Sequence

from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

FIRST = ("page", "cluster", "chaos", "frontends", "dialogix", "contract", "schema", "security", "openai")
"""Folders whose tests mostly wait: begun last, they would keep one process busy while the others have ended."""

TOGETHER = ("page", "cluster", "frontends", "conversations/live")
"""Folders whose tests share a browser, a cluster, packages for Node or a pair of servers; elsewhere files suffice."""


class Sharing(LoadFileScheduling):
    def _split_scope(self, nodeid: str) -> str:
        """Of what stays together: a folder, or a file."""
        folders = [folder for folder in TOGETHER if nodeid.startswith(f"tests/{folder}/")]
        return f"tests/{folders[0]}/" if folders else super()._split_scope(nodeid)

    def _assign_work_unit(self, node: WorkerController) -> None:
        self.workqueue.move_to_end(min(self.workqueue, key=_rank), last=False)
        super()._assign_work_unit(node)


def _rank(scope: str) -> int:
    ranks: Sequence[int] = [rank for rank, folder in enumerate(FIRST) if scope.startswith(f"tests/{folder}/")]
    return ranks[0] if ranks else len(FIRST)
