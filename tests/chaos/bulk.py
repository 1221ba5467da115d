"""Very many orders, of which some messages arrive twice, some late, and some are poison. For a set-up Django."""

import os
import random
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from uuid import UUID

from django.utils import timezone

import orders.services
from billing.models import Invoice
from consumers.routes import ROUTES
from kafka_shop.local import seeding
from kafka_shop.local.plan import manage
from orders.errors import NotCancellable
from orders.models import Order
from tests.chaos import outside
from tests.chaos.disturbance import Carrier
from tests.chaos.figures import Figures, Say
from tests.chaos.keeper import Keeper
from tests.chaos.rig import PARTITIONS, TOPICS, Rig
from tests.chaos.verdict import judge
from tests.kafka.probe import wait_until

CUSTOMERS = 1000
SET = 1000  # orders; after each a message of poison
CANCELLED = 20  # orders of a set
START_SECONDS = 120.0


def run(rig: Rig, keeper: Keeper, count: int, say: Say) -> Figures:
    """Places `count` orders in sets, as `seed` does, and lets them come to their ends."""
    figures, begun = Figures(), time.monotonic()
    seeding.seed_customers(CUSTOMERS, clock=timezone.now, advance=lambda _: None)
    with carried(rig, keeper) as carriers:
        for placed in range(0, count, SET):
            figures.loads.append(os.getloadavg()[0])
            say(f"placing orders: {placed:,} of {count:,}")
            seeding.seed_orders(min(SET, count - placed), clock=timezone.now, advance=lambda _: None)
            cancel_some()
            wait_until(lambda: Invoice.objects.exclude(amount=None).exists(), START_SECONDS, "billing has begun")
            outside.put_poison(rig.kafka, random.choice(sorted(ROUTES)))
        figures.counts["poisoned messages"] = -(-count // SET)
        judge(figures, list(Order.objects.values_list("id", flat=True)), say)
        figures.seconds = time.monotonic() - begun
        figures.counts |= {"duplicates": sum(each.twice for each in carriers), "reordered": sum(each.late for each in carriers)}
    figures.fates = dict(keeper.fates)
    return figures


@contextmanager
def carried(rig: Rig, keeper: Keeper) -> Iterator[list[Carrier]]:
    """The relays publish to topics of their own, and all that the consumers read has passed a carrier."""
    sources = {topic: f"{topic}-published" for topic in TOPICS}
    with ExitStack() as stack:
        carriers = []
        for topic, source in sources.items():
            rig.kafka.create_topic(source, PARTITIONS)
            carriers.append(Carrier(rig.kafka.bootstrap, source, topic))
            stack.callback(carriers[-1].close)
        keeper.start("relay", manage("run_relay"), **{topic.upper().replace("-", "_"): source for topic, source in sources.items()})
        for name in ROUTES:
            for number in (1, 2):
                keeper.start(f"consumer-{name}-{number}", manage("run_consumer", name))
        yield carriers


def cancel_some() -> None:
    """Cancels some of the last orders, whatever has become of them."""
    last: list[UUID] = list(Order.objects.order_by("-id").values_list("id", flat=True)[:SET])
    for order in random.sample(last, min(CANCELLED, len(last))):
        try:
            orders.services.cancel_order(order_id=order, now=timezone.now())
        except NotCancellable:
            continue  # it was rejected
