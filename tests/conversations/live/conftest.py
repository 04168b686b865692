from tests.conversations.live.servers import owned, workers

__all__ = ["owned", "workers"]
