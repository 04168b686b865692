"""How much of it: short within `make test`, as long as it takes with `CHAOS=long`."""

from __future__ import annotations

import os

LONG = os.environ.get("CHAOS") == "long"

NODES = 4
CONVERSATIONS = 24 if LONG else 10
KILLS = 60 if LONG else 2
RESTARTS = 5 if LONG else 1
"""Of Redis, and of Postgres."""

AWAY_SECONDS = (0.5, 20.0) if LONG else (1.0, 1.5)
"""Between which they are away."""

ROLLED = NODES if LONG else 2
"""Nodes that are restarted one after the other."""

ROUNDS = 5 if LONG else 1
"""How often they are."""
