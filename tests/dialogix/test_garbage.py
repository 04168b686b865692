from __future__ import annotations

import subprocess
import sys

SHOW = """
import gc
from dialogix.garbage import spare_what_stays
kept = [[] for _ in range(1000)]
spare_what_stays()
print(gc.get_freeze_count() > 1000, gc.get_threshold())
class Knot:
    def __init__(self): self.itself = self
before = len(gc.get_objects())
for _ in range(30_000): Knot()
print(len(gc.get_objects()) - before < 25_000)
"""


def test_what_exists_is_spared_and_what_comes_is_still_collected() -> None:
    done = subprocess.run([sys.executable, "-c", SHOW], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["True (10000, 20, 20)", "True"]


START = """
import gc, sys
from dialogix import serve
def setup():
    print(gc.get_threshold())
    sys.exit()
serve.django.setup = setup
serve.main()
"""


def test_a_server_looks_less_often_while_it_imports() -> None:
    done = subprocess.run([sys.executable, "-c", START], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "(10000, 20, 20)"
