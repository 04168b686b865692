"""The places between a client and a node where a connection could be lost."""

from __future__ import annotations

import re
import signal
import socket
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from dialogix.server import KEEP_ALIVE
from tests.cluster.cluster import Cluster
from tests.cluster.nginx import CONFIGURATION, Nginx
from tests.deploy.upstream import nodes, ok
from tests.services.postgres import free_port

PHONES = 2048


def test_nodes_keep_idle_connections_longer_than_nginx_does() -> None:
    main = (CONFIGURATION / "nginx.conf").read_text(encoding="utf-8")
    [seconds] = re.findall(r"keepalive_timeout (\d+)s;", main)
    assert int(seconds) < KEEP_ALIVE


@pytest.mark.parametrize(("method", "opened"), [("GET", 1), ("PUT", 1), ("POST", 4), ("PATCH", 4)])
def test_what_may_not_be_sent_twice_gets_a_connection_of_its_own(method: str, opened: int, tmp_path: Path) -> None:
    with nodes(ok) as [node], httpx.Client() as client:
        nginx = Nginx(tmp_path / "nginx", free_port(), [node.port])
        nginx.start()
        for _ in range(4):
            client.request(method, f"{nginx.url}/chat/history/one")
        nginx.stop()
    assert (node.connections, len(node.requests)) == (opened, 4)


def test_two_thousand_phones_may_come_back_at_once(cluster: Cluster) -> None:
    node = cluster.nodes[0]
    with ExitStack() as stack:
        node.process.send_signal(signal.SIGSTOP)  # it accepts nobody: the kernel has to keep them all
        stack.callback(node.process.send_signal, signal.SIGCONT)
        for _ in range(PHONES):
            stack.enter_context(socket.create_connection(("127.0.0.1", node.port), timeout=10))
