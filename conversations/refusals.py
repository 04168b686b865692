"""Why a turn is not begun, in words the API gives a status to."""

from __future__ import annotations


class TurnRefused(Exception):
    """`str(error)` is a sentence for the caller; nothing was stored.

    TurnRefused
     ├── InvalidTurn   it asks for what cannot be (400)
     ├── NotThere      the message or conversation does not exist for this caller (404)
     ├── WrongMessage  the message is of the other role (409)
     ├── Busy          a reply is under way and the caller did not want to wait (409)
     ├── KeyReused     the idempotency key stands for another request (422)
     └── Unavailable   this server takes no new generations now (503)
    """


class InvalidTurn(TurnRefused):
    pass


class NotThere(TurnRefused):
    pass


class WrongMessage(TurnRefused):
    pass


class Busy(TurnRefused):
    pass


class KeyReused(TurnRefused):
    pass


class Unavailable(TurnRefused):
    pass
