"""Billing has given the money of an order back: it is cancelled, whoever cancelled it, and its customer hears of it."""

from collections.abc import Sequence

from billing.events import InvoiceRefunded
from kafka_shop.messaging.events import Event, Received
from orders import services
from orders.rules import Result


def handle(events: Sequence[Received[InvoiceRefunded]]) -> Sequence[Event]:
    return services.apply_results(
        [
            Result(
                order_id=received.event.order_id,
                customer_id=received.event.customer_id,
                amount=received.event.amount,
                currency=received.event.currency,
                outcome="refunded",
                at=received.at,
                partition=received.partition,
                offset=received.offset,
            )
            for received in events
        ]
    )
