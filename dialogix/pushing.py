"""uvicorn's HTTP protocol with a way to write a piece of a body that takes no turn of the request's task."""

from __future__ import annotations

from functools import partial
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from conversations.api.viewing import PUSH


class PushingProtocol(HttpToolsProtocol):
    """Every request finds in its scope the extension `PUSH`."""

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        # Its task has not begun yet. An upgrade has no cycle of its own.
        if self.cycle is not None and self.cycle.scope is self.scope:
            cast("dict[str, Any]", self.scope).setdefault("extensions", {})[PUSH] = partial(_push, self.cycle)


def _push(cycle: RequestResponseCycle, data: bytes) -> bool:
    """What `send` does with such a piece. False where it is for `send` to do: not begun, over, or not keeping up."""
    if not cycle.chunked_encoding or cycle.response_complete or cycle.disconnected or cycle.flow.write_paused:
        return False
    cycle.transport.write(b"%x\r\n%b\r\n" % (len(data), data))
    return True
