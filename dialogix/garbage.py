"""The garbage collector, told what kind of process it works in."""

from __future__ import annotations

import gc

THRESHOLDS = (10_000, 20, 20)
"""A chunk makes a dozen short-lived objects, so that the usual first threshold, 700, is met all the time."""


def spare_what_stays() -> None:
    """Take what exists now for permanent: 200 000 objects of Django and the SDKs, whose every inspection would stop all
    streams for a tenth of a second. What is made later is looked at less often, and still looked at.
    """
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
