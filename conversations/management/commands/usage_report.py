"""What was used and what it cost: `manage.py usage_report --by model --days 30`."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser

from conversations.commands import report
from conversations.commands.arguments import day
from conversations.commands.base import OperatorCommand


class Command(OperatorCommand):
    help = (
        "Adds up what was used: replies, tokens, errors, fallbacks and the cost by list prices, for stored and "
        "unstored replies alike. A cost that is not known is shown as unknown, never as nothing. Days are in UTC."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--by",
            action="append",
            choices=report.GROUPS,
            help="a row for each; may be repeated; day and model by default",
        )
        when = parser.add_mutually_exclusive_group()
        when.add_argument("--days", type=int, help="so many days, today included; 30 by default")
        when.add_argument("--since", type=day, metavar="DAY", help="from this day on")
        parser.add_argument("--until", type=day, metavar="DAY", help="up to this day")
        parser.add_argument("--format", choices=("table", "csv", "json"), default="table")

    def handle(self, *args: Any, **options: Any) -> None:
        groups = options["by"] or ["day", "model"]
        found = report.rows(report.within(_since(options), options["until"]), groups)
        match options["format"]:
            case "csv":
                text = report.as_csv(found, groups)
            case "json":
                text = report.as_json(found)
            case _:
                text = report.as_table(found)
        self.stdout.write(text, ending="")


def _since(options: dict[str, Any]) -> date:
    if options["since"] is not None:
        since: date = options["since"]
        return since
    days = 30 if options["days"] is None else options["days"]
    if not 1 <= days <= 36_500:
        raise CommandError("--days must be from 1 to 36500.")
    last = options["until"] or datetime.now(UTC).date()
    return last - timedelta(days=days - 1)
