"""Places in a list as clients hand them back: signed, so that only what was given out is taken."""

from __future__ import annotations

from django.core import signing

from conversations.api.errors import ApiError
from conversations.store.listing import Position

SALT = "conversations.list"


def encoded(position: Position | None) -> str | None:
    return None if position is None else signing.dumps([position.moment, position.pk], salt=SALT)


def decoded(cursor: str | None) -> Position | None:
    """Raises `ApiError` 400 for a cursor that this server did not make."""
    if cursor is None:
        return None
    try:
        moment, pk = signing.loads(cursor, salt=SALT)
    except signing.BadSignature:
        raise ApiError(400, "cursor must be the next_cursor of an earlier page.") from None
    return Position(moment, pk)
