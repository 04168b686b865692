"""One socket: its handshake, what it shows, and why it is closed."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

from django.db import DatabaseError

from conversations.api.errors import ApiError
from conversations.api.identity import SUBPROTOCOL, Caller, identify_socket
from conversations.live.admission import Receive, Scope, Send, admit
from conversations.live.mirror import GIVEN_UP, Mirror
from conversations.live.views import View
from conversations.live.watcher import RESTARTING, watcher
from conversations.refusals import Unavailable

MOST_BYTES = 4096
"""Of a client's frame. Nothing that a client sends matters, so nothing needs to be long."""

SEND_WITHIN = 20.0
"""Seconds that a client may leave what is sent to it unread."""

VOUCH_AGAIN = 3.0
"""Seconds between two questions whether the credentials are still good."""

TOO_BIG = 1009
TRY_AGAIN = 1013
BROKEN = 1011
UNAUTHORIZED = 4401

log = logging.getLogger("conversations.live")


async def mirror_socket(scope: Scope, receive: Receive, send: Send) -> None:
    """Show one conversation until the client leaves or there is a reason to close."""
    conversation_id = scope["url_route"]["kwargs"]["conversation_id"]
    await receive()
    caller: Caller | None
    code = TRY_AGAIN
    try:
        caller = await admit(scope, conversation_id)
    except ApiError as error:
        log.info("socket refused", extra={"event": "socket_refused", "reason": error.details})
        await send({"type": "websocket.close"})
        return
    except Unavailable:
        caller, code = None, RESTARTING
    except DatabaseError:
        caller = None
    subprotocol = SUBPROTOCOL if SUBPROTOCOL in scope.get("subprotocols", ()) else None
    with suppress(OSError):  # the client has left; servers raise this from `send`
        await send({"type": "websocket.accept", "subprotocol": subprotocol})
        if caller is None:
            # A handshake that is refused tells a browser nothing; a code tells it to come again.
            await send({"type": "websocket.close", "code": code})
        else:
            await _serve(scope, receive, send, caller, conversation_id)


async def _serve(scope: Scope, receive: Receive, send: Send, caller: Caller, conversation_id: str) -> None:
    mirror, view = watcher.join((caller.owner_id, conversation_id))
    work = [_show(mirror, view, send), _heed(receive, view)]
    if caller.owner_id is not None:
        work.append(_vouch(scope, caller, view))
    tasks = [asyncio.get_running_loop().create_task(each) for each in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        watcher.leave(mirror, view)
    for task in done:
        task.result()


async def _show(mirror: Mirror, view: View, send: Send) -> None:
    """Send what there is to show, then wait for more; in the end close."""
    try:
        while view.closing is None:
            view.wake.clear()
            while view.closing is None and (frame := mirror.next_frame(view)) is not None:
                async with asyncio.timeout(SEND_WITHIN):
                    await send({"type": "websocket.send", "text": frame})
            if view.closing is None:
                await view.wake.wait()
    except TimeoutError:
        view.close(GIVEN_UP)
    except OSError:
        raise
    except Exception:
        # The boundary of a socket: its client is told to come again.
        log.exception("socket broke", extra={"event": "socket_broke"})
        view.close(BROKEN)
    with suppress(TimeoutError):  # a client that reads nothing does not read this either
        async with asyncio.timeout(SEND_WITHIN):
            await send({"type": "websocket.close", "code": view.closing})


async def _heed(receive: Receive, view: View) -> None:
    """Nothing that a client says matters, but that it leaves, and that it does not say too much."""
    while (event := await receive())["type"] != "websocket.disconnect":
        if _size(event.get("text"), event.get("bytes")) > MOST_BYTES:
            view.close(TOO_BIG)


async def _vouch(scope: Scope, caller: Caller, view: View) -> None:
    """See to it that a socket ends with the credentials that opened it."""
    while True:
        await asyncio.sleep(VOUCH_AGAIN)
        try:
            if (await identify_socket(scope)).owner_id != caller.owner_id:
                view.close(UNAUTHORIZED)
        except ApiError as error:
            if error.status != 503:  # that only means that nobody can tell now
                view.close(UNAUTHORIZED)
        except DatabaseError:
            continue  # who may read is not the question while nothing can be read


def _size(text: str | None, data: bytes | None) -> int:
    if text is None:
        return len(data or b"")
    return len(text) if len(text) > MOST_BYTES else len(text.encode())
