"""A network that loses connections: between a client and a server, on loopback."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress


class Breaking:
    """losses: after how many bytes of answers the first, the second, … connection is lost; later ones hold"""

    def __init__(self, target: str, losses: Sequence[int]) -> None:
        host, port = target.removeprefix("http://").split(":")
        self._target = (host, int(port))
        self._losses = list(losses)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self.lost = 0
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._target)
            with self._lock:
                bound = self._losses.pop(0) if self._losses else None
            threading.Thread(target=self._copy, args=(client, server, None), daemon=True).start()
            threading.Thread(target=self._copy, args=(server, client, bound), daemon=True).start()

    def _copy(self, source: socket.socket, sink: socket.socket, bound: int | None) -> None:
        left = bound
        with suppress(OSError):
            while piece := source.recv(min(65536, 65536 if left is None else left)):
                sink.sendall(piece)
                if left is not None:
                    left -= len(piece)
                    if left <= 0:
                        self.lost += 1
                        break
        for each in (source, sink):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


@contextmanager
def breaking(target: str, *losses: int) -> Iterator[Breaking]:
    network = Breaking(target, losses)
    try:
        yield network
    finally:
        network.close()
