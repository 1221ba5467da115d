"""The shop's processes, each run from its start to its end in the process at hand, and the shop as a whole on its way to rest."""

import time
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.utils import timezone

from consumers import relay, republication
from consumers.loop import Loop
from consumers.management.commands import run_consumer as consumer_command
from consumers.management.commands import run_relay as relay_command
from consumers.routes import ROUTES
from kafka_shop.databases import rows
from kafka_shop.messaging import lookout
from kafka_shop.messaging.models import OutboxRow
from tests.crash.turns import Ring

LONGEST_SECONDS = 60.0  # that a shop may take to come to rest


def run_relay() -> None:
    """The relay's command, its threads in turns, until everything has had its turn a few times."""
    ring = Ring()
    relay.Thread, relay.Flag = ring.thread, ring.flag  # type: ignore[assignment, attr-defined]  # they take turns
    lookout.time = SimpleNamespace(monotonic=lambda: 0.0)  # type: ignore[assignment, attr-defined]  # what it asks does not depend on speed
    call_command(relay_command.Command())


def run_consumer(name: str) -> None:
    """A consumer's command, until its log is read."""
    call_command(consumer_command.Command(), name, "--until-idle")


def flow(*processes: str) -> None:
    """Runs one process after the other."""
    for name in processes:
        run_relay() if name == "relay" else run_consumer(name)


def come_to_rest() -> None:
    """Relay and consumers at once, a turn each, until nothing moves any more. Over HTTP there are no consumers."""
    loops = [Loop(name) for name in ROUTES] if settings.TRANSPORT == "kafka" else []
    couriers, deadline = relay.couriers(), time.monotonic() + LONGEST_SECONDS
    while sum(courier.turn(timezone.now()) for courier in couriers) or _drained(loops) or _tended() or _waits():
        assert time.monotonic() < deadline, "the shop does not come to rest"
    for loop in loops:
        loop.close()


def _tended() -> int:
    """What the relay does beside publishing."""
    now = timezone.now()
    lost = republication.watch_logs(now) if settings.TRANSPORT == "kafka" else 0
    return lost + relay.sweep(now) + republication.step(now)


def _drained(loops: Sequence[Loop]) -> int:
    """Lets each consumer read its log to the end; returns how many messages they read."""
    before = sum(loop.tally.messages for loop in loops)
    for loop in loops:
        while not loop.idle:
            loop.run_once()
    return sum(loop.tally.messages for loop in loops) - before


def _waits() -> bool:
    """Whether a fact has still to leave."""
    return OutboxRow.objects.filter(refused="").exists()


ENDING: dict[str, str] = {
    "orders": """
        SELECT customer_id::text, total::text, status, paid_at IS NOT NULL, rejected_at IS NOT NULL, cancelled_at IS NOT NULL,
               refunded_at IS NOT NULL, late_paid_at IS NOT NULL, reason, sweep_from IS NOT NULL FROM orders_order
    """,
    "lines": "SELECT product, quantity, price::text FROM orders_orderline",
    "invoices": "SELECT customer_id::text, amount::text, status, reason, settled_at IS NOT NULL FROM billing_invoice",
    "accounts": "SELECT coalesce(customer_id::text, ''), kind, currency, coalesce(balance::text, ''), sequence FROM billing_account",
    "transfers": """
        SELECT coalesce(customer_id::text, ''), transfer.kind, amount::text FROM billing_transfer AS transfer
        JOIN billing_account AS account ON account.id = transfer.account_id
    """,
    "letters": "SELECT customer_id::text, outcome, read_at IS NOT NULL FROM notify_letter",
    "dead letters": "SELECT consumer, reason, outcome FROM consumers_deadletter",
    "outbox": "SELECT destination, refused FROM messaging_outboxrow",
    "users": "SELECT username FROM users_user",
}


def ending() -> dict[str, Any]:
    """What customers and staff can see of the shop, without the ids and times that differ from run to run."""
    return {name: sorted(rows("default", sql), key=repr) for name, sql in ENDING.items()}
