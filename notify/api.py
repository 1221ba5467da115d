"""notify/: the letters."""

from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from django_filters import rest_framework as filters
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from kafka_shop.api.fields import Moment
from kafka_shop.api.filters import Filters, IdFilter, MomentFilter
from kafka_shop.api.idempotency import idempotent
from kafka_shop.api.renderers import Link
from kafka_shop.api.serializers import Nothing
from kafka_shop.api.views import ShopViewSet
from notify import selectors, services
from notify.models import Letter, Outcome


class LetterOut(serializers.Serializer[Letter]):
    id = serializers.UUIDField()
    order_id = serializers.UUIDField()
    customer_id = serializers.UUIDField()
    outcome = serializers.CharField()
    subject = serializers.CharField()
    body = serializers.CharField()
    created_at = Moment()
    read_at = Moment(allow_null=True)
    example = {
        "id": "01a206da-c26f-7a61-8d33-4c8e2f9b1a77",
        "order_id": "01a206da-c23e-73b8-a35f-79aa746d3f75",
        "customer_id": "01a206d0-5a51-7c8e-b9d2-0f6c3c1f7a10",
        "outcome": "paid",
        "subject": "Your order is paid",
        "body": "Thank you for your order. It cost 24.00 EUR.",
        "created_at": "2026-01-31T12:00:00.042000Z",
        "read_at": None,
    }


class LetterFilter(Filters):
    order_id = IdFilter()
    outcome = filters.ChoiceFilter(choices=Outcome)
    created_after = MomentFilter("created_at", "gte")
    created_before = MomentFilter("created_at", "lt")


class NotificationViewSet(ListModelMixin, ShopViewSet):
    """The letters that customers got."""

    serializer_class = LetterOut
    inputs = {"read": Nothing}
    filterset_class = LetterFilter
    links = (
        Link("mark as read", "notification-read", "id"),
        Link("order", "order-detail", "order_id"),
        Link("invoice", "invoice-list", "order_id", filter="order_id"),
    )

    def get_queryset(self) -> QuerySet[Letter]:
        return selectors.letters(self.owner)

    @action(detail=True, methods=["post"])
    @idempotent
    def read(self, request: Request, pk: UUID) -> Response:
        self.body()
        return Response(LetterOut(services.mark_read(letter=self.get_object(), now=timezone.now())).data)
