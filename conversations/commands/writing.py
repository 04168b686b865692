"""Where a command writes what it makes: to stdout, or to a file that is there only once it is whole."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.core.management.base import CommandError, OutputWrapper

STDOUT = "-"
Write = Callable[[bytes], object]


@contextmanager
def written(name: str, stdout: OutputWrapper) -> Iterator[Write]:
    """name: a file's, or `-` for stdout. A file is readable by its owner alone: it holds what people said."""
    if name == STDOUT:
        yield lambda piece: stdout.write(piece.decode(), ending="")
        return
    target = Path(name)
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    except OSError as error:
        raise CommandError(f"{name} cannot be written: {error.strerror}.") from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file.write
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
