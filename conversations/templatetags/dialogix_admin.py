"""Numbers in the admin's templates."""

from __future__ import annotations

from django import template

from conversations import formats

register = template.Library()
register.filter(formats.dollars)
register.filter(formats.milliseconds)
register.filter(formats.compact)
