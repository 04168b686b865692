"""Is everything well? `manage.py doctor --url https://chat.example.org`."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import asdict
from typing import Any

import msgspec
from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError

from conversations.commands.base import OperatorCommand
from conversations.commands.doctor import findings, proxy, serving, storage, vendors
from conversations.commands.doctor.findings import Finding, healthy
from conversations.generations import engine
from providers import registry

INDENT = " " * 9


class Command(OperatorCommand):
    help = (
        "Looks at everything that a server needs: settings, database, migrations, disk, clock, cache, every provider's "
        "key and models (asked of the vendor, without spending tokens), how it ends, and with --url whether events "
        "come through its proxies as they are sent. Run it with the server's environment. Exit code 1 means a problem."
    )
    requires_system_checks: list[str] = []  # their findings are among ours

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--url", help="where the public reaches the server: times how events arrive there")
        parser.add_argument("--json", action="store_true", help="one JSON document: healthy, findings")

    def handle(self, *args: Any, url: str | None, json: bool, **options: Any) -> None:
        if url is not None and not url.startswith(("http://", "https://")):
            raise CommandError("--url must begin with http:// or https://.")
        if options["verbosity"] < 2:  # what is logged on the way is among the findings
            logging.disable(logging.CRITICAL)
        try:
            found = examine(url)
        finally:
            logging.disable(logging.NOTSET)
        if json:
            told = {"healthy": healthy(found), "findings": [asdict(each) for each in found]}
            self.stdout.write(msgspec.json.format(msgspec.json.encode(told), indent=2).decode())
        else:
            for each in found:
                self._tell(each)
        if not healthy(found):
            raise SystemExit(1)

    def _tell(self, finding: Finding) -> None:
        styles = {"ok": self.style.SUCCESS, "warning": self.style.WARNING, "problem": self.style.ERROR}
        level = styles.get(finding.level, str)(f"{finding.level:<9}")
        self.stdout.write(f"{level}{finding.subject}: {finding.text}")
        if finding.mend:
            self.stdout.write(f"{INDENT}{finding.mend}")


def examine(url: str | None) -> list[Finding]:
    stored = list(storage.database())
    return [
        *findings.of_settings(),
        *stored,
        *storage.disk(),
        *serving.cache(),
        *(serving.workers() if healthy(stored) else ()),
        *(storage.searchable() if healthy(stored) else ()),
        *serving.shutdown(),
        *asyncio.run(_over_the_network(url)),
    ]


async def _over_the_network(url: str | None) -> list[Finding]:
    try:
        found = await vendors.providers()
        if url is not None:
            try:
                found.append(await proxy.buffering(url))
            except DatabaseError:
                told = "Not tried: a reply is made in the database for it."
                found.append(Finding("proxy", "problem", told, "Mend the database first."))
        return found
    finally:
        await engine.stop()
        await registry.aclose()
