"""Columns of several models' lists."""

from typing import Any

from kafka_shop.staff import links
from kafka_shop.staff.marks import column


class OfCustomer:
    """A column that leads to the row's customer."""

    @column("customer")
    def customer(self, row: Any) -> str:
        return links.customer(row.customer_id)


class OfOrder:
    """A column that leads to the row's order."""

    @column("order")
    def order(self, row: Any) -> str:
        return links.page("orders_order_change", row.order_id)
