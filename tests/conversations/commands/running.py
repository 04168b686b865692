"""Commands as tests run them."""

from __future__ import annotations

from dataclasses import dataclass
from io import StringIO
from typing import Any

from django.core.management import CommandError, call_command


@dataclass(frozen=True, slots=True)
class Ran:
    """code: what a shell would see;  error: the message of a CommandError"""

    out: str
    err: str
    code: int
    error: str = ""


def run(name: str, *arguments: Any) -> Ran:
    out, err = StringIO(), StringIO()
    try:
        call_command(name, *map(str, arguments), stdout=out, stderr=err)
    except CommandError as error:
        return Ran(out.getvalue(), err.getvalue(), error.returncode, str(error))
    except SystemExit as end:
        return Ran(out.getvalue(), err.getvalue(), int(end.code or 0))
    return Ran(out.getvalue(), err.getvalue(), 0)
