from __future__ import annotations

import re

from dialogix.server import CLOSING_SECONDS
from tests.services import environment

UNIT = (environment.ROOT / "deploy" / "systemd" / "dialogix@.service").read_text(encoding="utf-8")
SET = dict(line.split("=", 1) for line in UNIT.splitlines() if "=" in line and not line.startswith("#"))
VARIABLES = dict(
    word.split("=", 1) for words in re.findall("^Environment=(.*)", UNIT, re.MULTILINE) for word in words.split()
)
NOT_OURS = {"ENV_FILE"}
"""Names the file with the others."""


def test_it_sets_only_what_can_be_set() -> None:
    assert [name for name in VARIABLES.keys() - NOT_OURS if not environment.is_ours(name)] == []


def test_it_waits_longer_for_the_server_than_its_replies_get() -> None:
    assert int(SET["TimeoutStopSec"]) >= int(VARIABLES["SHUTDOWN_GRACE"]) + CLOSING_SECONDS + 10


def test_it_tells_the_server_alone_to_stop() -> None:
    assert SET["KillMode"] == "mixed"


def test_it_never_simulates() -> None:
    assert VARIABLES["SIMULATOR"] == "off"


def test_it_lets_the_server_write_its_state_and_nothing_else() -> None:
    assert (SET["ProtectSystem"], VARIABLES["STATE_DIR"]) == ("strict", f"/var/lib/{SET['StateDirectory']}")
