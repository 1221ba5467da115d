"""The bare view: what is left of placing an order when a team wants nothing but the rows. Its settings are bench/bare_settings.py."""

import json
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

from django.db import transaction
from django.urls import path
from django.utils import timezone
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from kafka_shop.api.authentication import BearerAuthentication
from kafka_shop.ids import uuid7
from kafka_shop.messaging.models import OutboxRow
from orders.models import Order, OrderLine, Product


class Orders(APIView):
    """Checks the token, believes the body, and inserts the rows that the shop inserts."""

    authentication_classes = [BearerAuthentication]
    permission_classes = [IsAuthenticated]

    def post(self, request: Request) -> Response:
        body: Any = request.data
        items, now, customer = body["items"], timezone.now(), cast(UUID, request.user.pk)
        prices = dict(Product.objects.filter(sku__in=[item["product"] for item in items]).values_list("sku", "price"))
        lines = [{**item, "price": str(prices[item["product"]])} for item in items]
        total = sum((Decimal(line["price"]) * line["quantity"] for line in lines), Decimal())
        with transaction.atomic():
            order = Order.objects.create(id=uuid7(), customer_id=customer, total=total, currency="EUR", placed_at=now, sweep_from=now)
            OrderLine.objects.bulk_create([OrderLine(order=order, **line) for line in lines])
            OutboxRow.objects.create(
                destination="order-topic",
                event_id=f"order-{order.id}-placed",
                key=str(customer),
                event=json.dumps(told(order, lines)).encode(),
                created_at=now,
            )
        return Response(told(order, lines), status=201)


def told(order: Order, lines: list[dict[str, Any]]) -> dict[str, Any]:
    return {"id": str(order.id), "status": "pending", "total": str(order.total), "items": lines, "placed_at": order.placed_at.isoformat()}


urlpatterns = [path("api/v1/orders/", Orders.as_view())]
