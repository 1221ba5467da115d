"""orders/: the catalogue and the orders."""

from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema_field
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
from kafka_shop.api.idempotency import idempotent
from kafka_shop.api.problems import errors_of
from kafka_shop.api.renderers import Link
from kafka_shop.api.schema_parts import Error
from kafka_shop.api.serializers import Nothing, Strict
from kafka_shop.api.views import ShopViewSet
from orders import selectors, services
from orders.errors import NotCancellable, UnknownProducts, Unplaceable
from orders.forms import LONGEST_SKU, MOST_ITEMS, MOST_PIECES
from orders.models import Order, Product, Status

MOST_ORDERS = 1000

Basket = list[tuple[str, int]]  # SKU and quantity of each item


class ProductOut(serializers.Serializer[Product]):
    sku = serializers.CharField()
    name = serializers.CharField()
    price = Money()
    currency = serializers.CharField()
    example = {"sku": "MUG-001", "name": "Mug, 300 ml", "price": "12.00", "currency": "EUR"}


class LineOut(serializers.Serializer[Any]):
    product = serializers.CharField()
    quantity = serializers.IntegerField()
    price = Money()


class OrderOut(serializers.Serializer[Order]):
    id = serializers.UUIDField()
    status = serializers.CharField()
    total = Money()
    currency = serializers.CharField()
    items = LineOut(many=True)
    placed_at = Moment()
    settled_at = Moment(allow_null=True)
    reason = serializers.CharField()
    example = {
        "id": "01a206da-c23e-73b8-a35f-79aa746d3f75",
        "status": "paid",
        "total": "24.00",
        "currency": "EUR",
        "items": [{"product": "MUG-001", "quantity": 2, "price": "12.00"}],
        "placed_at": "2026-01-31T12:00:00Z",
        "settled_at": "2026-01-31T12:00:00.042000Z",
        "reason": "",
    }


class OneOfMany(serializers.Serializer[Any]):
    status = serializers.ChoiceField(choices=[201, 400])
    order = OrderOut(required=False)
    errors = Error(many=True, required=False)  # type: ignore[assignment]  # a declared field takes no attribute's place


class BulkOut(serializers.Serializer[Any]):
    results = OneOfMany(many=True)
    example = {
        "results": [
            {"status": 201, "order": OrderOut.example | {"status": "pending", "settled_at": None}},
            {
                "status": 400,
                "errors": [
                    {"pointer": "/orders/1/items/0/product", "code": "unknown_product", "detail": "The catalogue does not sell this."}
                ],
            },
        ]
    }


class Item(Strict):
    product = Text(max_length=LONGEST_SKU)
    quantity = WholeNumber(min_value=1, max_value=MOST_PIECES)


class NewOrder(Strict):
    items: serializers.ListSerializer[Any] = serializers.ListSerializer(child=Item(), min_length=1, max_length=MOST_ITEMS)
    example = {"items": [{"product": "MUG-001", "quantity": 2}]}

    def get_initial(self) -> dict[str, Any]:
        """What can be placed, whatever the catalogue sells."""
        return {"items": [{"product": product.sku, "quantity": 1} for product in selectors.products()[:1]]}

    def validate_items(self, items: list[dict[str, Any]]) -> list[tuple[str, int]]:
        skus = [item["product"] for item in items]
        twice = {index: "Each product once: add the quantities up." for index, sku in enumerate(skus) if sku in skus[:index]}
        if twice:
            raise ValidationError(at_products(twice, code="duplicate"))
        return [(item["product"], item["quantity"]) for item in items]


@extend_schema_field(NewOrder)
class OneOrder(serializers.JSONField):
    """An order of many: each is checked, and answered, by itself."""


class NewOrders(Strict):
    orders = serializers.ListField(child=OneOrder(allow_null=True), min_length=1, max_length=MOST_ORDERS)
    example = {"orders": [NewOrder.example, {"items": [{"product": "MUG-002", "quantity": 1}]}]}

    def get_initial(self) -> dict[str, Any]:
        """What can be placed, whatever the catalogue sells."""
        return {"orders": [NewOrder().get_initial()]}


class OrderFilter(Filters):
    status = filters.ChoiceFilter(choices=Status, method="of_status")
    placed_after = MomentFilter("placed_at", "gte")
    placed_before = MomentFilter("placed_at", "lt")

    def of_status(self, orders: QuerySet[Order], _: str, status: str) -> QuerySet[Order]:
        return selectors.of_status(orders, status)


class ProductViewSet(ListModelMixin, ShopViewSet):
    """What the shop sells."""

    serializer_class = ProductOut

    def get_queryset(self) -> QuerySet[Product]:
        return selectors.products()


class OrderViewSet(ListModelMixin, RetrieveModelMixin, ShopViewSet):
    """Orders, at the catalogue's prices. `Prefer: wait=N` waits until an order is settled."""

    serializer_class = OrderOut
    inputs = {"create": NewOrder, "bulk": NewOrders, "cancel": Nothing}
    outputs = {"bulk": BulkOut}
    waits = frozenset({"create", "retrieve"})
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
        return self.in_time(self.place(request))

    @idempotent
    def place(self, request: Request) -> Response:
        """Places the order of the body."""
        items = self.body()["items"]
        try:
            order = services.place_order(customer_id=self.customer, items=items, now=timezone.now())
        except Unplaceable as error:
            raise ValidationError(trouble_with(items, error)) from error
        return Response(OrderOut(order).data, status=201, headers={"Location": reverse("order-detail", args=[order.pk], request=request)})

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self.in_time(super().retrieve(request, *args, **kwargs))

    @action(detail=True, methods=["post"])
    @idempotent
    def cancel(self, request: Request, pk: UUID) -> Response:
        self.body()
        order = services.cancel_order(order_id=self.get_object().pk, now=timezone.now())
        return Response(OrderOut(order).data)

    @action(detail=False, methods=["post"])
    @idempotent
    def bulk(self, request: Request) -> Response:
        """Up to 1,000 orders at once, in one transaction. Each is answered by itself, in its place: the order, or what is wrong with it."""
        checked = [check(order) for order in self.body()["orders"]]
        baskets = [each for each in checked if not isinstance(each, ValidationError)]
        placed = services.place_orders(customer_id=self.customer, baskets=baskets, now=timezone.now())
        answers = iter([outcome(*each) for each in zip(baskets, placed, strict=True)])
        results = [each if isinstance(each, ValidationError) else next(answers) for each in checked]
        return Response({"results": [told(index, each) for index, each in enumerate(results)]})

    def in_time(self, response: Response) -> Response:
        """The order of an answer, settled if the request prefers to wait for that and it comes in time."""
        order_id = response.data["id"]
        if waited := preferences.wait(self.request, until=lambda: selectors.is_settled(order_id)):
            response.data = OrderOut(selectors.order(order_id)).data
            for name, value in waited.items():
                response[name] = value
        return response


def check(order: Any) -> Basket | ValidationError:
    """What an order of many wants, or what is wrong with it."""
    new = NewOrder(data=order)
    return cast(Basket, new.validated_data["items"]) if new.is_valid() else ValidationError(new.errors)


def outcome(items: Basket, placed: Order | Unplaceable) -> Order | ValidationError:
    """What became of an order of many."""
    return ValidationError(trouble_with(items, placed)) if isinstance(placed, Unplaceable) else placed


def told(index: int, result: Order | ValidationError) -> dict[str, Any]:
    """The answer to one order of many, as if it had been placed alone; pointers lead into the whole body."""
    if isinstance(result, ValidationError):
        return {"status": 400, "errors": list(errors_of(result.detail, f"/orders/{index}"))}
    return {"status": 201, "order": OrderOut(result).data}


def trouble_with(items: Basket, error: Unplaceable) -> dict[str, Any]:
    """The details of why an order cannot be placed."""
    if not isinstance(error, UnknownProducts):
        return {"items": [ErrorDetail(str(error), code="unplaceable")]}
    unknown = {index: "The catalogue does not sell this." for index, (sku, _) in enumerate(items) if sku in error.skus}
    return {"items": at_products(unknown, code="unknown_product")}


def at_products(messages: Mapping[int, str], *, code: str) -> dict[str, Any]:
    """The details of what is wrong with the products of some items, by their places."""
    return {str(index): {"product": [ErrorDetail(message, code=code)]} for index, message in messages.items()}
