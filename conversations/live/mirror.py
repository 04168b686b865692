"""What one process knows of a watched conversation, shared by all sockets that show it.

Nothing is queued for a socket. It keeps a position in each reply that streams, and the number of the newest change it
has shown; what it has to send next is found by comparing these with how the conversation stands. So a socket that
does not read costs nothing more, and finds afterwards what has come of it all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from conversations.api.shapes import message_object
from conversations.generations.buffer import Buffer
from conversations.generations.followers import finished_buffer
from conversations.live import frames
from conversations.live.sources import Sources
from conversations.live.views import View
from conversations.models import Message, Status
from conversations.store.mirroring import Mark, Name, Seen

KEPT = 200
"""Changes kept for sockets that have not shown them yet; one that lags further behind is given up."""

GIVEN_UP = 1013


@dataclass(slots=True, eq=False)
class _Entry:
    """One message of which a socket may still have to show something.

    change:   number of its newest change that has a frame
    position: how much of the text that frame has
    ended:    the whole text, once it has ended
    """

    status: str
    deltas: frames.Deltas
    change: int = 0
    frame: str = ""
    position: int = 0
    ended: Buffer | None = None


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """change: the newest change that it has in it; positions: how much of each reply that streams"""

    change: int
    frame: str
    positions: Mapping[int, int]


class Mirror:
    """name: the conversation's owner and public id
    key:      its key, None while it does not exist
    mark:     how it stood when it was last read
    known:    key -> status of the messages shown, as last read
    is_stale: whether it has to be read again
    """

    def __init__(self, name: Name, on_stale: Callable[[], None]) -> None:
        self.name = name
        self.key: int | None = None
        self.mark: Mark | None = None
        self.known: dict[int, str] = {}
        self.is_stale = True
        self.views: set[View] = set()
        self.sources = Sources(self._wake, self.expire)
        self._on_stale = on_stale
        self._changes = 0
        self._left_at = 0
        self._entries: dict[int, _Entry] = {}
        self._snapshot: _Snapshot | None = None
        self._is_fresh = False

    # -- what the watcher tells it ----------------------------------------------------------------------------------

    def expire(self) -> None:
        """It may show something else now."""
        self.is_stale = True
        self._on_stale()

    @property
    def wants_everything(self) -> bool:
        """Whether a socket waits for its first snapshot."""
        return any(not view.opened for view in self.views)

    def absent(self) -> None:
        """The conversation does not exist yet: an empty one is shown."""
        if self.wants_everything:
            self._snapshot = _Snapshot(self._changes, frames.snapshot(self.name[1], ()), {})
            self._is_fresh = True
            self._wake()

    def take(self, seen: Seen) -> None:
        """What has been read. `sources` follows its streaming messages already."""
        self.mark = seen.mark
        objects = {message.pk: self._object(seen, message) for message in seen.page.messages}
        status = {**seen.shown, **{message.pk: message.status for message in seen.page.messages}}
        if any(view.opened for view in self.views):
            for message in seen.page.messages:
                before = self.known.get(message.pk)
                if before != message.status and not (before is None and seen.left):
                    self._change(message, objects[message.pk])
        if seen.left:
            self._changes += 1
            self._left_at = self._changes
        # A reply that streams is followed to its end, also where so much came after it that no snapshot has it.
        late = {message.pk for message in seen.page.messages if message.active and _streams(message.status)}
        self.known = {key: status[key] for key in sorted(seen.shown.keys() | late)}
        self._note_streams(seen)
        self._is_fresh = seen.shown.keys() <= objects.keys()
        if self._is_fresh:
            self._snapshot = self._whole(seen, objects, status)
        self._forget()
        self._wake()

    def _object(self, seen: Seen, message: Message) -> dict[str, Any]:
        text = seen.page.streamed.get(message.pk)
        if text is not None and (buffer := self.sources.buffer(message.pk)) and buffer.position > len(text):
            text = buffer.text
        parent = seen.parents.get(message.parent_id) if message.parent_id else None
        return message_object(message, self.name[1], parent, seen.page.siblings.get(message.pk, ()), text)

    def _change(self, message: Message, whole: Mapping[str, Any]) -> None:
        entry = self._entries.setdefault(message.pk, _Entry(message.status, frames.Deltas(message.public_id)))
        self._changes += 1
        entry.status, entry.change = message.status, self._changes
        entry.frame, entry.position = frames.message(whole), whole["position"]
        if not _streams(message.status):
            entry.ended = finished_buffer(message)

    def _note_streams(self, seen: Seen) -> None:
        for message in seen.page.messages:
            if _streams(message.status) and message.pk not in self._entries:
                self._entries[message.pk] = _Entry(message.status, frames.Deltas(message.public_id))

    def _whole(self, seen: Seen, objects: Mapping[int, dict[str, Any]], status: Mapping[int, str]) -> _Snapshot:
        positions = {key: objects[key]["position"] for key in seen.shown if _streams(status[key])}
        frame = frames.snapshot(self.name[1], [objects[key] for key in seen.shown])
        return _Snapshot(self._changes, frame, positions)

    def _forget(self) -> None:
        """Drop what every socket has shown; one that lags too far behind is not waited for."""
        shown = [self._changes]
        for view in self.views:
            if view.opened and view.shown < self._changes - KEPT:
                view.close(GIVEN_UP)
            elif view.opened:
                shown.append(view.shown)
        everybody = min(shown)
        for key, entry in list(self._entries.items()):
            if entry.change <= everybody:
                entry.frame, entry.ended = "", None
                if not _streams(self.known.get(key, "")):
                    del self._entries[key]
        self.sources.keep({key for key, status in self.known.items() if _streams(status)})
        self._release_snapshot()

    def _release_snapshot(self) -> None:
        if all(view.opened and view.shown >= self._left_at for view in self.views):
            self._snapshot = None

    # -- what a socket asks -----------------------------------------------------------------------------------------

    def next_frame(self, view: View) -> str | None:
        """What this socket has to send next; None: nothing for now. What is returned counts as shown."""
        if not view.opened:
            return self._open(view) if self._is_fresh else None
        if view.shown < self._changes:
            if (frame := self._catch_up(view)) is not None:
                return frame
            if view.shown < self._left_at:
                return self._open(view)
            view.shown = self._changes
        for key in view.positions:
            if (frame := self._delta(view, key)) is not None:
                return frame
        return None

    def _open(self, view: View) -> str | None:
        snapshot = self._snapshot
        if snapshot is None or snapshot.change < self._left_at:
            return None
        view.opened, view.shown, view.positions = True, snapshot.change, dict(snapshot.positions)
        self._release_snapshot()
        return snapshot.frame

    def _catch_up(self, view: View) -> str | None:
        """The next message that is new or has another status; before that, what is left of its text."""
        pending = [(entry.change, key) for key, entry in self._entries.items() if entry.change > view.shown]
        change, key = min(pending, default=(0, 0))
        if not pending or view.shown < self._left_at < change:
            return None
        entry = self._entries[key]
        if entry.ended is not None and key in view.positions and (rest := self._delta(view, key)) is not None:
            return rest
        view.shown = change
        view.positions.pop(key, None)
        if _streams(entry.status):
            view.positions[key] = entry.position
        return entry.frame

    def _delta(self, view: View, key: int) -> str | None:
        entry = self._entries.get(key)
        if entry is None:
            return None
        buffer, after = entry.ended or self.sources.buffer(key), view.positions[key]
        text = buffer.since(after) if buffer is not None else ""
        if not text:
            return None
        view.positions[key] = after + len(text)
        return entry.deltas.frame(after, text)

    def _wake(self) -> None:
        for view in self.views:
            view.wake.set()


def _streams(status: str) -> bool:
    return status == Status.STREAMING
