"""How sets of orders are read, locked and written: one statement each, whatever their number."""

from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

import msgspec

from kafka_shop.api.authentication import IS_STILL_GOOD
from kafka_shop.api.idempotency import TAKEN, Answer
from kafka_shop.databases import columns, prepared, rows, run
from orders.events import Item
from orders.rules import Order

# the columns of rules.Order, in its order
LOCK = """
SELECT id, customer_id, total, currency, paid_at, rejected_at, cancelled_at, refunded_at, late_paid_at, reason,
       settled_partition, settled_offset, refunded_partition, refunded_offset
FROM orders_order WHERE id = ANY(%s::uuid[]) ORDER BY id FOR UPDATE
"""
# without the condition on the ids a table of middling size is read as a whole
SAVE = """
UPDATE orders_order SET
    paid_at = new.paid_at, rejected_at = new.rejected_at, cancelled_at = new.cancelled_at, refunded_at = new.refunded_at,
    late_paid_at = new.late_paid_at, reason = new.reason, settled_partition = new.settled_partition, settled_offset = new.settled_offset,
    refunded_partition = new.refunded_partition, refunded_offset = new.refunded_offset, sweep_from = new.sweep_from, sweeps = 0
FROM unnest(
    %s::uuid[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[], %s::text[],
    %s::int[], %s::bigint[], %s::int[], %s::bigint[], %s::timestamptz[]
) AS new(
    id, paid_at, rejected_at, cancelled_at, refunded_at, late_paid_at, reason,
    settled_partition, settled_offset, refunded_partition, refunded_offset, sweep_from
)
WHERE orders_order.id = new.id AND orders_order.id = ANY(%s::uuid[])
"""
DUE = """
SELECT sweeps, placed_at, id, customer_id, total, currency, paid_at, rejected_at, cancelled_at, refunded_at, late_paid_at, reason,
       settled_partition, settled_offset, refunded_partition, refunded_offset
FROM orders_order WHERE sweep_from <= %s ORDER BY sweep_from LIMIT %s FOR UPDATE SKIP LOCKED
"""
SWEPT = """
UPDATE orders_order SET sweeps = new.sweeps, sweep_from = new.sweep_from
FROM unnest(%s::uuid[], %s::int[], %s::timestamptz[]) AS new(id, sweeps, sweep_from)
WHERE orders_order.id = new.id AND orders_order.id = ANY(%s::uuid[])
"""
# by the index order_by_last_fact
CHANGED = """
SELECT GREATEST(placed_at, paid_at, rejected_at, cancelled_at, refunded_at) AS last_fact_at,
       placed_at, id, customer_id, total, currency, paid_at, rejected_at, cancelled_at, refunded_at, late_paid_at, reason,
       settled_partition, settled_offset, refunded_partition, refunded_offset
FROM orders_order WHERE (GREATEST(placed_at, paid_at, rejected_at, cancelled_at, refunded_at), id) > (%s, %s)
ORDER BY last_fact_at, id LIMIT %s
"""
ITEMS = "SELECT order_id, product, quantity, price FROM orders_orderline WHERE order_id = ANY(%s::uuid[]) ORDER BY id"

# orders, their lines and their facts; JSON, because rows are within rows, and it costs less than a dozen arrays
_PLACE = """
WITH asked AS (
    SELECT * FROM ROWS FROM (jsonb_to_recordset(%s) AS (
        id uuid, customer_id uuid, total numeric, currency text, placed_at timestamptz, items jsonb,
        destination text, event_id text, key text, event text
    )) WITH ORDINALITY AS asked(id, customer_id, total, currency, placed_at, items, destination, event_id, key, event, place){condition}
), {taken}new AS (
    SELECT asked.* FROM {source}
), placed AS (
    INSERT INTO orders_order (id, customer_id, total, currency, placed_at, sweep_from, reason, sweeps)
    SELECT id, customer_id, total, currency, placed_at, placed_at, '', 0 FROM new ORDER BY place
), lines AS (
    INSERT INTO orders_orderline (order_id, product, quantity, price)
    SELECT new.id, line.product, line.quantity, line.price
    FROM new, ROWS FROM (jsonb_to_recordset(items) AS (product text, quantity int, price numeric))
         WITH ORDINALITY AS line(product, quantity, price, place)
    ORDER BY new.place, line.place
)
INSERT INTO messaging_outboxrow (destination, event_id, key, event, resent, attempts, refused, created_at)
SELECT destination, event_id, key, convert_to(event, 'UTF8'), false, 0, '', placed_at FROM new ORDER BY place
RETURNING number
"""
AT_THE_CATALOGUES_PRICES = """ WHERE NOT EXISTS (
        SELECT FROM jsonb_to_recordset(items) AS line(product text, price numeric)
        LEFT JOIN orders_product AS sold ON sku = product AND active AND sold.price = line.price AND sold.currency = asked.currency
        WHERE sku IS NULL
    )"""
FOR_THEIR_SENDER = AT_THE_CATALOGUES_PRICES + " AND " + IS_STILL_GOOD.format(now="placed_at", user_id="customer_id")
WITHOUT_KEY, WITH_KEY = {"taken": "", "source": "asked"}, {"taken": f"{TAKEN}, ", "source": "asked, taken"}
PLACE = _PLACE.format(condition="", **WITHOUT_KEY)
# by whether the sender and the key are looked at
PLACE_GUESSED = {
    (looks, once): _PLACE.format(condition=condition, **key)
    for looks, condition in ((False, AT_THE_CATALOGUES_PRICES), (True, FOR_THEIR_SENDER))
    for once, key in ((False, WITHOUT_KEY), (True, WITH_KEY))
}


class Placement(msgspec.Struct, frozen=True):
    """A new order, and the fact of it as the outbox keeps it."""

    id: UUID
    customer_id: UUID
    total: Decimal
    currency: str
    placed_at: datetime
    items: Sequence[Item]
    destination: str
    event_id: str
    key: str
    event: str


class Due(NamedTuple):
    """An order whose answer from billing is overdue."""

    sweeps: int  # how often it was asked for
    placed_at: datetime
    order: Order


class Changed(NamedTuple):
    """An order with the time of its last fact."""

    last_fact_at: datetime
    placed_at: datetime
    order: Order


def place(alias: str, orders: Sequence[Placement]) -> None:
    """Writes new orders with their lines and facts, in one statement."""
    prepared(alias, PLACE, msgspec.json.encode(orders).decode())


def place_guessed(alias: str, order: Placement, *, token: str, answer: Answer | None) -> bool:
    """Writes a new order with its lines and its fact, and the answer with its key, if there is one, in one statement.

    token: the hash of the customer's, "" when it is known to be good.

    False: the token is not good any more, the catalogue has other prices, or the key is known, and nothing was written. Raises
    OperationalError when a twin is in flight.
    """
    content = msgspec.json.encode([order]).decode()
    return bool(prepared(alias, PLACE_GUESSED[bool(token), bool(answer)], content, *filter(None, [token]), *(answer or ())))


def lock(alias: str, ids: Collection[UUID]) -> dict[UUID, Order]:
    """The orders of these ids that exist, locked in the order of their ids."""
    return {row[0]: Order(*row) for row in rows(alias, LOCK, list(ids))}


def save(alias: str, orders: Collection[Order]) -> None:
    """Writes what locked orders have moved to; none of them is pending any more."""
    records = [_record(order) for order in sorted(orders, key=lambda order: order.id)]
    arrays = columns(records, 12)
    if records and run(alias, SAVE, *arrays, arrays[0]) != len(records):
        raise RuntimeError("an order is gone while it is locked")


def lock_due(alias: str, *, before: datetime, limit: int) -> list[Due]:
    """The longest overdue orders, locked; those that somebody else has locked are left out."""
    return [Due(sweeps, placed_at, Order(*row)) for sweeps, placed_at, *row in rows(alias, DUE, before, limit)]


def save_sweeps(alias: str, sweeps: Sequence[tuple[UUID, int, datetime]]) -> None:
    """Writes (order, sweeps so far, when the next is counted from) of locked orders."""
    arrays = columns(sorted(sweeps), 3)
    run(alias, SWEPT, *arrays, arrays[0])


def changed(alias: str, *, after: tuple[datetime, UUID], limit: int) -> list[Changed]:
    """Orders whose last fact comes after (time, id), in that order."""
    return [Changed(last, placed_at, Order(*row)) for last, placed_at, *row in rows(alias, CHANGED, *after, limit)]


def items(alias: str, ids: Collection[UUID]) -> dict[UUID, list[Item]]:
    """The lines of orders, as they were ordered."""
    found: dict[UUID, list[Item]] = {id: [] for id in ids}
    for order_id, product, quantity, price in rows(alias, ITEMS, list(ids)):
        found[order_id].append(Item(product=product, quantity=quantity, price=price))
    return found


def _record(order: Order) -> tuple[object, ...]:
    id, _customer, _total, _currency, *facts = msgspec.structs.astuple(order)
    return (id, *facts, order.refund_awaited_from)
