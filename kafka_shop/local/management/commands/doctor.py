"""`doctor`: what is missing on this machine, and how to mend it."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from kafka_shop.local import doctor


class Command(BaseCommand):
    help = "Says what is missing on this machine and how to mend it. Exit code 1 when something is missing that the shop needs."
    requires_system_checks = []  # what they find is among what it says

    def handle(self, *args: Any, **options: Any) -> None:
        missing = 0
        for finding in doctor.examine():
            missing += finding.required and not finding.fine
            self.stdout.write(self.line(finding))
        if missing:
            raise CommandError(f"{missing} required {'thing is' if missing == 1 else 'things are'} missing")

    def line(self, finding: doctor.Finding) -> str:
        if finding.fine:
            return f"{self.style.SUCCESS('ok      ')} {finding.what}"
        mark = self.style.ERROR("missing ") if finding.required else self.style.WARNING("optional")
        return f"{mark} {finding.what} → {finding.remedy}"
