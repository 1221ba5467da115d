"""Orders' reads."""

from collections.abc import Collection
from decimal import Decimal
from uuid import UUID

from django.db.models import QuerySet

from kafka_shop.databases import alias_of, rows
from orders.models import Order, Product, Status

PRICES = "SELECT sku, price, currency FROM orders_product WHERE active AND sku = ANY(%s)"


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


def order(id: UUID) -> Order:
    """One order with its lines. Raises Order.DoesNotExist."""
    return orders(None).get(id=id)


def is_settled(id: UUID) -> bool:
    """Whether the order has come to an end."""
    return Order.objects.filter(id=id).exclude(status=Status.PENDING).exists()
