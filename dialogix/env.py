"""Typed readers of the environment.

A bad value stops the process with exit code 2 and one line that names the variable. A variable that is set to nothing
counts as not set. Values that may hold a password are never repeated in a message.
"""

from __future__ import annotations

import math
import os
import re
import sys
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

TRUE = ("1", "true", "yes", "on")
FALSE = ("0", "false", "no", "off")
NONE = "none"
RATE = re.compile(r"[1-9][0-9]{0,8}/[smhd]")
ASSIGNMENT = re.compile(r"(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*)")


def refuse(name: str, problem: str) -> NoReturn:
    """End the process because of one variable."""
    print(f"{name} {problem}", file=sys.stderr)
    raise SystemExit(2)


def read_file(path: Path) -> None:
    """Add the assignments of a `.env` file to the environment, where a variable is not set already."""
    if not path.is_file():
        return
    lines = map(str.strip, path.read_text(encoding="utf-8").splitlines())
    for number, line in enumerate(lines, start=1):
        if not line or line.startswith("#"):
            continue
        match = ASSIGNMENT.fullmatch(line)
        if match is None:
            refuse(path.name, f"line {number} is not NAME=value.")
        os.environ.setdefault(match[1], _unquoted(match[2]))


def _unquoted(text: str) -> str:
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    return re.split(r"\s#", text, maxsplit=1)[0].strip()


def text(name: str, default: str) -> str:
    return _raw(name) or default


def prompt(name: str, default: str) -> str:
    """Text for which being empty has a meaning of its own."""
    return os.environ.get(name, default)


def optional(name: str) -> str | None:
    return _raw(name) or None


def secret(name: str) -> str | None:
    """A value that may also be in a file, named by the variable with `_FILE` behind it, as container secrets are."""
    file = _raw(f"{name}_FILE")
    if _raw(name) or not file:
        return optional(name)
    try:
        return Path(file).read_text(encoding="utf-8").strip() or None
    except (OSError, ValueError):
        refuse(f"{name}_FILE", f"is {file!r}, which cannot be read.")


def boolean(name: str, *, default: bool) -> bool:
    value = _raw(name).lower()
    if value in TRUE:
        return True
    if value and value not in FALSE:
        refuse(name, f"is {value!r}, not one of {', '.join(TRUE + FALSE)}.")
    return False if value else default


def integer(name: str, default: int, *, least: int = 0, most: int = 2**31 - 1) -> int:
    value = _raw(name)
    if not value:
        return default
    if not re.fullmatch(r"[0-9]{1,10}", value) or not least <= int(value) <= most:
        refuse(name, f"is {value!r}, not a whole number from {least} to {most}.")
    return int(value)


def number(name: str, default: float, *, least: float = 0.0, most: float = 86_400.0) -> float:
    value = _raw(name)
    if not value:
        return default
    try:
        found = float(value)
    except ValueError:
        found = math.nan
    if not least <= found <= most:
        refuse(name, f"is {value!r}, not a number from {least:g} to {most:g}.")
    return found


def integer_or_none(name: str, default: int, *, least: int = 0) -> int | None:
    """`none` means that there is no such number."""
    return None if _raw(name).lower() == NONE else integer(name, default, least=least)


def number_or_none(name: str, default: float, *, most: float) -> float | None:
    """`none` means that there is no such number."""
    return None if _raw(name).lower() == NONE else number(name, default, most=most)


def choice(name: str, default: str, choices: tuple[str, ...]) -> str:
    value = _raw(name).lower() or default
    if value not in choices:
        refuse(name, f"is {value!r}, not one of {', '.join(choices)}.")
    return value


def words(name: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
    """A comma-separated list; spaces around its entries do not count."""
    return tuple(word.strip() for word in _raw(name).split(",") if word.strip()) or default


def rate(name: str, default: str) -> str:
    """`N/s`, `N/m`, `N/h` or `N/d`."""
    value = _raw(name) or default
    if not RATE.fullmatch(value):
        refuse(name, f"is {value!r}, not N/s, N/m, N/h or N/d.")
    return value


def url(name: str, value: str | None, schemes: tuple[str, ...]) -> str | None:
    """Check a URL that was read as the variable `name`. It may hold a password."""
    if value is None:
        return None
    try:
        parts = urlsplit(value)
        good = parts.scheme in schemes and (parts.port is None or parts.port > 0)
    except ValueError:
        good = False
    if not good:
        refuse(name, f"is not a URL that begins with {' or '.join(f'{scheme}://' for scheme in schemes)}.")
    return value


def web_url(name: str) -> str | None:
    """An http or https URL with a host."""
    value = url(name, optional(name), ("http", "https"))
    if value is not None and not urlsplit(value).hostname:
        refuse(name, "is a URL without a host.")
    return value


def origins(name: str, default: tuple[str, ...]) -> tuple[str, ...]:
    """Origins as browsers send them: scheme, host and perhaps port, nothing behind."""
    found = words(name, default)
    for origin in found:
        if not re.fullmatch(r"https?://[^/?#\s@*]+", origin):
            refuse(name, f"holds {origin!r}, which is not an origin such as https://chat.example.org.")
    return found


def networks(name: str) -> tuple[IPv4Network | IPv6Network, ...]:
    found = []
    for word in words(name):
        try:
            found.append(ip_network(word, strict=False))
        except ValueError:
            refuse(name, f"holds {word!r}, which is neither an address nor a network.")
    return tuple(found)


def _raw(name: str) -> str:
    return os.environ.get(name, "").strip()
