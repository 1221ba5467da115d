"""`create_topics`: makes the topics that are missing and changes nothing that exists."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from consumers.process import one_line_errors
from kafka_shop.messaging.kafka import create_topics


class Command(BaseCommand):
    help = "Makes order-topic, billing-topic and notify-topic where they are missing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--partitions", type=int, default=2, metavar="N")
        parser.add_argument("--replication-factor", type=int, default=1, metavar="N")

    def handle(self, partitions: int, replication_factor: int, **_: Any) -> None:
        with one_line_errors():
            for topic, state in create_topics(
                list(settings.TOPICS.values()), partitions=partitions, replication_factor=replication_factor
            ).items():
                self.stdout.write(f"{topic}: {state}")
