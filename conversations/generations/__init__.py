"""Replies while they live: a reply is a durable generation, an HTTP response is only a viewer of it."""

from conversations.generations.process import Engine, engine

__all__ = ["Engine", "engine"]
