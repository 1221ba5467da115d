"""`run_broker`: the embedded broker, for laptops."""

import signal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from kafka_shop.local import broker


class Command(BaseCommand):
    help = "Runs the embedded broker until Ctrl-C and prints its address. It keeps messages in memory only."

    def handle(self, *args: Any, **options: Any) -> None:
        broker.refuse_second(settings.EMBEDDED_BROKER_FILE)
        ended = {signal.SIGINT, signal.SIGTERM}
        signal.pthread_sigmask(signal.SIG_BLOCK, ended)  # before the broker's threads are made, which inherit it
        cluster = broker.start(list(settings.TOPICS.values()))
        with broker.announced(cluster.address, settings.EMBEDDED_BROKER_FILE):
            self.stdout.write(f"The embedded broker listens on {cluster.address}; Ctrl-C ends it.")
            self.stdout.flush()
            signal.sigwait(ended)
