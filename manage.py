"""Django's command line for this project: `python manage.py help`."""

from __future__ import annotations

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dialogix.settings")
    from django.core.management import execute_from_command_line  # noqa: PLC0415  (not before the settings are named)

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
