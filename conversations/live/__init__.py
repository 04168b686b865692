"""Conversations as they change, live: the WebSocket `/ws/conversations/{id}/`."""

from conversations.live.routing import application

__all__ = ["application"]
