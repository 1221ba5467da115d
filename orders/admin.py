"""Orders as staff see them: the catalogue to edit, orders to read."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from kafka_shop.api.admin import Admin, ReadOnly
from orders.models import Order, OrderLine, Product


@admin.register(Product)
class ProductAdmin(Admin):
    list_display = ["sku", "name", "price", "currency", "active"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # old orders name it: it is taken out of sale instead


@admin.register(Order)
class OrderAdmin(ReadOnly):
    list_display = ["id", "customer_id", "total", "currency", "status", "placed_at", "settled_at"]
    list_filter = ["status"]
    ordering = ["-id"]


@admin.register(OrderLine)
class OrderLineAdmin(ReadOnly):
    list_display = ["order_id", "product", "quantity", "price"]
    ordering = ["-id"]
