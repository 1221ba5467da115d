"""Billing has decided on an order: it is paid or rejected, and its customer hears of it."""

from collections.abc import Sequence

from billing.events import InvoiceSettled
from kafka_shop.messaging.events import Event, Received
from orders import services
from orders.rules import Result


def handle(events: Sequence[Received[InvoiceSettled]]) -> Sequence[Event]:
    return services.apply_results(
        [
            Result(
                order_id=received.event.order_id,
                customer_id=received.event.customer_id,
                amount=received.event.amount,
                currency=received.event.currency,
                outcome=received.event.outcome,
                reason=received.event.reason,
                at=received.at,
                partition=received.partition,
                offset=received.offset,
            )
            for received in events
        ]
    )
