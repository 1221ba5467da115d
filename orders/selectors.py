"""Orders' reads."""

from collections.abc import Collection
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from kafka_shop.databases import alias_of, prepared, rows
from orders.models import Order, Product, Status

PRICES = "SELECT sku, price, currency FROM orders_product WHERE active AND sku = ANY(%s)"
PAGE = """
WITH page AS (
    SELECT id, status, total, currency, placed_at, COALESCE(cancelled_at, paid_at, rejected_at) AS settled_at, reason
    FROM orders_order WHERE customer_id = %s AND id < %s ORDER BY id DESC LIMIT 51
)
SELECT page.*, product, quantity, price FROM page LEFT JOIN orders_orderline AS line ON order_id = page.id ORDER BY page.id DESC, line.id
"""


def products() -> QuerySet[Product]:
    """What the shop sells, by SKU."""
    return Product.objects.filter(active=True).order_by("sku")


def prices(skus: Collection[str]) -> dict[str, tuple[Decimal, str]]:
    """Price and currency of those of these products that the shop sells, by SKU."""
    return {sku: (price, currency) for sku, price, currency in rows(alias_of("orders"), PRICES, list(skus))}


def orders(customer_id: UUID | None) -> QuerySet[Order]:
    """A customer's orders with their lines, newest first; with None those of all customers."""
    every = Order.objects.order_by("-id").prefetch_related("lines")
    return every if customer_id is None else every.filter(customer_id=customer_id)


def of_status(orders: QuerySet[Order], status: str) -> QuerySet[Order]:
    """Those of a status. Pending ones await billing: the index of that finds them, however many others there are."""
    found = orders.filter(status=status)
    return found.filter(sweep_from__isnull=False) if status == Status.PENDING else found


def page(customer_id: UUID, *, before: UUID) -> list[Any]:
    """A row for each line of a customer's newest orders before a key: of a page of them, and of one more if there are more."""
    return prepared(alias_of("orders"), PAGE, customer_id, before)


def order(id: UUID) -> Order:
    """One order with its lines. Raises Order.DoesNotExist."""
    return orders(None).get(id=id)


def is_settled(id: UUID) -> bool:
    """Whether the order has come to an end."""
    return Order.objects.filter(id=id).exclude(status=Status.PENDING).exists()
