from __future__ import annotations

from django.apps import AppConfig


class ProvidersConfig(AppConfig):
    name = "providers"
    label = "providers"

    def ready(self) -> None:
        from providers import checks  # noqa: F401, PLC0415  (registers them; Django is not ready before)
