"""The secret key of whoever has not set one: made once and kept in a file that only its owner may read."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

BYTES = 64


def private_folder(path: Path) -> Path:
    """The folder, made for its owner alone where it does not exist."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def kept(file: Path) -> str:
    """The key in `file`, the same for all processes that ask at once. Raises OSError where it cannot be kept."""
    try:
        return file.read_text(encoding="ascii")
    except FileNotFoundError:
        pass
    draft = private_folder(file.parent) / f"{file.name}.{secrets.token_hex(8)}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        stream.write(secrets.token_urlsafe(BYTES))
    try:
        os.link(draft, file)  # whole or not at all, and never over another process's key
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return file.read_text(encoding="ascii")
