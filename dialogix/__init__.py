"""The project: settings, environment, urls, the ASGI application and the server around it."""

__version__ = "1.0.0"
"""What `/health` reports."""
