"""`audit`: the proof that no money and no order is lost."""

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from consumers.audit import Report, audit
from consumers.process import one_line_errors

SHOWN = 20


class Command(BaseCommand):
    help = "Proves from the databases that no money and no order is lost. Exit code 1 when a check fails."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the whole report as JSON")

    def handle(self, **options: Any) -> None:
        with one_line_errors():
            report = audit(timezone.now())
        self.stdout.write(json.dumps(asdict(report), indent=2) if options["json"] else "\n".join(lines(report)))
        if report.findings:
            sys.exit(1)


def lines(report: Report) -> list[str]:
    """The report for people."""
    shown = [f"{each.check}  {each.subject}: {each.detail}" for each in report.findings[:SHOWN]]
    if len(report.findings) > SHOWN:
        shown.append(f"… and {len(report.findings) - SHOWN:,} more: see --json")
    counted = ", ".join(f"{count:,} {name}" for name, count in report.counted.items()) or "no orders"
    verdict = f"{len(report.findings):,} findings" if report.findings else "clean: no money and no order is lost"
    return [*shown, f"{counted} checked, {len(report.in_flight):,} in flight", verdict]
