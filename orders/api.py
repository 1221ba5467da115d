"""orders/: the catalogue and the orders."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from django_filters import rest_framework as filters
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from kafka_shop.api import preferences
from kafka_shop.api.fields import Moment, Money, Text, WholeNumber
from kafka_shop.api.filters import Filters, MomentFilter
from kafka_shop.api.renderers import Link
from kafka_shop.api.serializers import Nothing, Strict
from kafka_shop.api.views import ShopViewSet
from orders import selectors, services
from orders.errors import NotCancellable, UnknownProducts, Unplaceable
from orders.models import Order, Product, Status

MOST_ITEMS = 100


class ProductOut(serializers.Serializer[Product]):
    sku = serializers.CharField()
    name = serializers.CharField()
    price = Money()
    currency = serializers.CharField()


class LineOut(serializers.Serializer[Any]):
    product = serializers.CharField()
    quantity = serializers.IntegerField()
    price = Money()


class OrderOut(serializers.Serializer[Order]):
    id = serializers.UUIDField()
    status = serializers.CharField()
    total = Money()
    currency = serializers.CharField()
    items = LineOut(source="lines", many=True)
    placed_at = Moment()
    settled_at = Moment()
    reason = serializers.CharField()


class Item(Strict):
    product = Text(max_length=40)
    quantity = WholeNumber(min_value=1, max_value=10_000)


class NewOrder(Strict):
    items: serializers.ListSerializer[Any] = serializers.ListSerializer(child=Item(), min_length=1, max_length=MOST_ITEMS)

    def get_initial(self) -> dict[str, Any]:
        """An example that can be placed, for the browsable API."""
        return {"items": [{"product": product.sku, "quantity": 1} for product in selectors.products()[:1]]}

    def validate_items(self, items: list[dict[str, Any]]) -> list[tuple[str, int]]:
        skus = [item["product"] for item in items]
        twice = {index: "Each product once: add the quantities up." for index, sku in enumerate(skus) if sku in skus[:index]}
        if twice:
            raise ValidationError(at_products(twice, code="duplicate"))
        return [(item["product"], item["quantity"]) for item in items]


class OrderFilter(Filters):
    status = filters.ChoiceFilter(choices=Status)
    placed_after = MomentFilter("placed_at", "gte")
    placed_before = MomentFilter("placed_at", "lt")


class ProductViewSet(ListModelMixin, ShopViewSet):
    """What the shop sells."""

    serializer_class = ProductOut

    def get_queryset(self) -> QuerySet[Product]:
        return selectors.products()


class OrderViewSet(ListModelMixin, RetrieveModelMixin, ShopViewSet):
    """Orders, at the catalogue's prices. `Prefer: wait=N` waits until an order is settled."""

    serializer_class = OrderOut
    inputs = {"create": NewOrder, "cancel": Nothing}
    links = (
        Link("order", "order-detail", "id"),
        Link("invoice", "invoice-list", "id", filter="order_id"),
        Link("letters", "notification-list", "id", filter="order_id"),
    )
    conflicts = (NotCancellable,)
    filterset_class = OrderFilter

    def get_queryset(self) -> QuerySet[Order]:
        return selectors.orders(self.owner)

    def create(self, request: Request) -> Response:
        items = self.body()["items"]
        try:
            order = services.place_order(customer_id=self.customer, items=items, now=timezone.now())
        except UnknownProducts as error:
            unknown = {index: "The catalogue does not sell this." for index, (sku, _) in enumerate(items) if sku in error.skus}
            raise ValidationError({"items": at_products(unknown, code="unknown_product")}) from error
        except Unplaceable as error:
            raise ValidationError({"items": [ErrorDetail(str(error), code="unplaceable")]}) from error
        return self.answer(order, status=201, Location=reverse("order-detail", args=[order.pk], request=request))

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self.answer(self.get_object())

    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: UUID) -> Response:
        self.body()
        order = services.cancel_order(order_id=self.get_object().pk, now=timezone.now())
        return Response(OrderOut(order).data)

    def answer(self, order: Order, status: int = 200, **headers: str) -> Response:
        """The order, settled if the request prefers to wait for that and it comes in time."""
        waited = preferences.wait(self.request, until=lambda: selectors.is_settled(order.pk))
        return Response(OrderOut(selectors.order(order.pk) if waited else order).data, status=status, headers=headers | waited)


def at_products(messages: Mapping[int, str], *, code: str) -> dict[str, Any]:
    """The details of what is wrong with the products of some items, by their places."""
    return {str(index): {"product": [ErrorDetail(message, code=code)]} for index, message in messages.items()}
