"""The garbage collector, told what kind of process it works in."""

from __future__ import annotations

import gc

THRESHOLDS = (10_000, 20, 20)
"""A chunk makes a dozen short-lived objects, so that the usual first threshold, 700, is met all the time."""


def look_less_often() -> None:
    """From the beginning: what is imported stays, and looking through it again and again was a fifth of a start."""
    gc.set_threshold(*THRESHOLDS)


def spare_what_stays() -> None:
    """Take what exists now for permanent: 200 000 objects of Django and the SDKs, whose every inspection would stop all
    streams for a tenth of a second. What is made later is looked at less often, and still looked at.
    """
    gc.freeze()
    look_less_often()
