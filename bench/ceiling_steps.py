"""The other two steps of the ceiling's pipeline: a batch of results moves orders, a batch of ends becomes letters."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

import msgspec
from confluent_kafka import Message
from uuid_utils import uuid7

from bench.ceiling_step import Cursor, Fact, Invoice, Row, StepFor, array, biller, publish

# An order that is not pending stays as it is.
SETTLE_ORDERS = """
    UPDATE orders_order o SET
        paid_at = CASE new.outcome WHEN 'paid' THEN %s::timestamptz END, rejected_at = CASE new.outcome WHEN 'paid' THEN NULL ELSE %s END,
        reason = new.reason, settled_partition = new.partition, settled_offset = new.place, sweep_from = NULL, sweeps = 0
    FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::int[], %s::bigint[]) new (id, outcome, reason, partition, place)
    WHERE o.id = new.id AND o.id = ANY(%s::uuid[]) AND o.paid_at IS NULL AND o.rejected_at IS NULL AND o.cancelled_at IS NULL
    RETURNING o.id::text
"""
INSERT_LETTERS = """
    INSERT INTO notify_letter (created_at, id, order_id, customer_id, outcome, subject, body, partition, "offset")
    SELECT %s, * FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::text[], %s::int[], %s::bigint[])
    ON CONFLICT (order_id, outcome) DO NOTHING
"""
SUBJECTS = {"paid": "Your order is paid", "rejected": "Your order was refused"}
BODIES = {
    "paid": ("Good news: your order {id} is paid.\n\nWe have taken {amount} {currency} from your account. Thank you for buying from us!"),
    "rejected": "We are sorry: your order {id} over {amount} {currency} was refused.\n\nNothing was taken from your account.",
}


class Settled(msgspec.Struct, frozen=True):
    order_id: str
    customer_id: str
    outcome: str
    amount: Decimal
    currency: str
    reason: str
    settled_at: datetime


decode_invoice = msgspec.json.Decoder(Invoice).decode
decode_settled = msgspec.json.Decoder(Settled).decode


def settle(cursor: Cursor, messages: Sequence[Message]) -> None:
    """Moves the orders of a batch of results, and publishes the ends of those that moved."""
    now = datetime.now(UTC)
    results = {invoice.order_id: (invoice, message) for message in messages for invoice in [decode_invoice(message.value() or b"")]}
    rows: list[Row] = [
        (order, invoice.outcome, f'"{invoice.reason}"', message.partition(), message.offset())
        for order, (invoice, message) in sorted(results.items())
    ]
    columns = [array(column) for column in zip(*rows, strict=True)]
    moved = cursor.execute(SETTLE_ORDERS, [now, now, *columns, columns[0]]).fetchall()
    publish(cursor, "notify-topic", [_end(results[order][0], now) for (order,) in moved], now)


def _end(invoice: Invoice, now: datetime) -> Fact:
    outcome = "paid" if invoice.outcome == "paid" else "rejected"
    order, customer = invoice.order_id, invoice.customer_id
    settled = Settled(order, customer, outcome, invoice.amount, invoice.currency, invoice.reason, now)
    return Fact(f"order.settled:{order}:{outcome}", order, now, customer, settled, "shop.order.settled.v1", "/orders")


def write_letters(cursor: Cursor, messages: Sequence[Message]) -> None:
    """Writes the letters of a batch of ends; one that is there stays."""
    rows = [_letter(decode_settled(message.value() or b""), message) for message in messages]
    cursor.execute(INSERT_LETTERS, [datetime.now(UTC), *(array(column) for column in zip(*rows, strict=True))])


def _letter(end: Settled, message: Message) -> Row:
    body = BODIES[end.outcome].format(id=end.order_id, amount=end.amount, currency=end.currency)
    texts = (f'"{SUBJECTS[end.outcome]}"', f'"{body}"')
    return (uuid7(), end.order_id, end.customer_id, end.outcome, *texts, message.partition(), message.offset())


STEPS: dict[str, tuple[str, StepFor]] = {
    "billing": ("order-topic", biller),
    "orders": ("billing-topic", lambda _: settle),
    "notify": ("notify-topic", lambda _: write_letters),
}
