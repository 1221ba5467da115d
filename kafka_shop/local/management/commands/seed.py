"""`seed`: data to try things on."""

from argparse import ArgumentParser
from functools import partial
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from kafka_shop.local import seeding


class Command(BaseCommand):
    help = "Makes customers with money (where billing is served) and orders (where orders is), which relay and consumers then settle."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--customers", type=count, default=100, help="how many new customers (100)")
        parser.add_argument("--orders", type=count, default=1000, help="how many new orders (1000)")

    def handle(self, *args: Any, customers: int, orders: int, **options: Any) -> None:
        wanted = []
        if "billing" in settings.SERVICES:
            wanted.append(("customers", seeding.seed_customers, customers))
        if "orders" in settings.SERVICES:
            wanted.append(("orders", seeding.seed_orders, orders))
        columns = TextColumn("{task.description:10}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
        with Progress(*columns) as progress:
            for name, seed, total in wanted:
                bar = progress.add_task(name, total=total)
                seed(total, clock=timezone.now, advance=partial(progress.advance, bar))
        seeding.analyze()
        self.stdout.write(f"{' and '.join(f'{total} {name}' for name, _, total in wanted) or 'nothing'} made.")


def count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise ValueError
    return number
