"""How much of it: short within `make test`, as long as it takes with `CHAOS=long`."""

from __future__ import annotations

import os

LONG = os.environ.get("CHAOS") == "long"

KILLS = 100 if LONG else 8
TURNS = 1000 if LONG else 120
CONVERSATIONS = 50 if LONG else 12
