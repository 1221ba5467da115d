"""`audit`: the proof that no money and no order is lost."""

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from consumers.audit import Report, audit
from consumers.bars import bar
from consumers.log_audit import audit_logs
from consumers.process import one_line_errors

SHOWN = 20


class Command(BaseCommand):
    help = "Proves from the databases that no money and no order is lost. Exit code 1 when a check fails."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the whole report as JSON")
        parser.add_argument("--topics", action="store_true", help="compare every message of the topics with the tables, too")

    def handle(self, **options: Any) -> None:
        if options["topics"] and settings.TRANSPORT == "http":
            raise CommandError("with TRANSPORT=http there are no topics to compare: run `audit` without --topics")
        with one_line_errors():
            report = audit(timezone.now())
            if options["topics"]:
                add_topics(report)
        self.stdout.write(json.dumps(asdict(report), indent=2) if options["json"] else "\n".join(lines(report)))
        if report.findings:
            sys.exit(1)


def add_topics(report: Report) -> None:
    """Adds what the logs say, with a progress bar on a terminal. Raises BrokerAway, BrokerMisused."""
    with bar() as progress:
        task = progress.add_task("messages", total=None)
        findings, report.counted["messages"] = audit_logs(lambda read, total: progress.update(task, completed=read, total=total))
    report.findings += findings


def lines(report: Report) -> list[str]:
    """The report for people."""
    shown = [f"{each.check}  {each.subject}: {each.detail}" for each in report.findings[:SHOWN]]
    if len(report.findings) > SHOWN:
        shown.append(f"… and {len(report.findings) - SHOWN:,} more: see --json")
    counted = ", ".join(f"{count:,} {name}" for name, count in report.counted.items()) or "no orders"
    verdict = f"{len(report.findings):,} findings" if report.findings else "clean: no money and no order is lost"
    return [*shown, f"{counted} checked, {len(report.in_flight):,} in flight", verdict]
