"""billing/: accounts with their transfers, and invoices."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone
from django_filters import rest_framework as filters
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from billing import selectors, services
from billing.models import Account, Invoice, Transfer
from kafka_shop.api.fields import Currency, Moment, Money
from kafka_shop.api.filters import Filters, IdFilter
from kafka_shop.api.idempotency import idempotent
from kafka_shop.api.renderers import Link
from kafka_shop.api.serializers import Nothing, Strict
from kafka_shop.api.views import ShopViewSet
from kafka_shop.money import CURRENCIES


class MayDeposit(BasePermission):
    """Staff always, customers where the shop lets them serve themselves."""

    message = "Only staff deposits here."

    def has_permission(self, request: Request, view: APIView) -> bool:
        return bool(request.user.is_staff or settings.SELF_SERVICE_DEPOSITS)


class AccountOut(serializers.Serializer[Account]):
    id = serializers.UUIDField()
    customer_id = serializers.UUIDField()
    currency = serializers.CharField()
    balance = Money()
    created_at = Moment()
    example = {
        "id": "01a206d1-17a4-7b07-8a57-5b1c7a1f5d21",
        "customer_id": "01a206d0-5a51-7c8e-b9d2-0f6c3c1f7a10",
        "currency": "EUR",
        "balance": "0.00",
        "created_at": "2026-01-31T11:58:00Z",
    }


class TransferOut(serializers.Serializer[Transfer]):
    id = serializers.UUIDField()
    kind = serializers.CharField()
    amount = Money()
    currency = serializers.CharField()
    balance = Money()
    created_at = Moment()
    example = {
        "id": "01a206d2-93f0-7d45-9c1e-2a7b5e0c4f88",
        "kind": "deposit",
        "amount": "100.00",
        "currency": "EUR",
        "balance": "100.00",
        "created_at": "2026-01-31T11:59:00Z",
    }


class InvoiceOut(serializers.Serializer[Invoice]):
    id = serializers.UUIDField()
    order_id = serializers.UUIDField()
    customer_id = serializers.UUIDField()
    amount = Money(allow_null=True, help_text="Null: the order was cancelled before billing heard of it.")
    currency = serializers.CharField()
    status = serializers.CharField()
    reason = serializers.CharField()
    opened_at = Moment()
    settled_at = Moment(allow_null=True)
    example = {
        "id": "01a206da-c251-7e02-b6f4-6d9f1b7c3e55",
        "order_id": "01a206da-c23e-73b8-a35f-79aa746d3f75",
        "customer_id": "01a206d0-5a51-7c8e-b9d2-0f6c3c1f7a10",
        "amount": "24.00",
        "currency": "EUR",
        "status": "paid",
        "reason": "",
        "opened_at": "2026-01-31T12:00:00.021000Z",
        "settled_at": "2026-01-31T12:00:00.021000Z",
    }


class NewAccount(Strict):
    currency = Currency(default=lambda: settings.CURRENCY)
    example = {"currency": "EUR"}

    def get_initial(self) -> dict[str, Any]:
        """A currency that the customer has no account in yet."""
        held = {account.currency for account in selectors.accounts(self.context["view"].customer)}
        return {"currency": min(CURRENCIES - held, key=lambda currency: (currency != settings.CURRENCY, currency))}


class NewDeposit(Strict):
    amount = Money()
    example = {"amount": "100.00"}


class InvoiceFilter(Filters):
    order_id = IdFilter()
    status = filters.ChoiceFilter(choices=Invoice.Status)


class AccountViewSet(ListModelMixin, RetrieveModelMixin, ShopViewSet):
    """A customer's money, one account a currency."""

    serializer_class = AccountOut
    inputs = {"create": NewAccount, "deposits": NewDeposit}
    outputs = {"deposits": TransferOut, "transfers": TransferOut}
    creates = frozenset({"create", "deposits"})
    paged = frozenset({"list", "transfers"})
    links = (
        Link("account", "account-detail", "id"),
        Link("statement", "account-transfers", "id"),
        Link("deposit", "account-deposits", "id"),
    )
    conflicts = (services.AccountExists,)

    def get_queryset(self) -> QuerySet[Account]:
        return selectors.accounts(self.owner)

    @idempotent
    def create(self, request: Request) -> Response:
        account = services.open_account(customer_id=self.customer, **self.body(), now=timezone.now())
        return Response(AccountOut(account).data, status=201)

    @action(detail=True, methods=["post"], permission_classes=[IsAuthenticated, MayDeposit])
    @idempotent
    def deposits(self, request: Request, pk: UUID) -> Response:
        transfer = services.deposit(account_id=self.get_object().pk, **self.body(), now=timezone.now())
        return Response(TransferOut(transfer).data, status=201)

    @action(detail=True)
    def transfers(self, request: Request, pk: UUID) -> Response:
        return self.page(selectors.transfers(self.get_object().pk), TransferOut)


class InvoiceViewSet(ListModelMixin, RetrieveModelMixin, ShopViewSet):
    """What orders cost, and what became of the money."""

    serializer_class = InvoiceOut
    inputs = {"pay": Nothing}
    links = (
        Link("invoice", "invoice-detail", "id"),
        Link("pay", "invoice-pay", "id"),
        Link("order", "order-detail", "order_id"),
        Link("letters", "notification-list", "order_id", filter="order_id"),
    )
    conflicts = (services.NotEnoughMoney, services.NotOpen)
    filterset_class = InvoiceFilter

    def get_queryset(self) -> QuerySet[Invoice]:
        return selectors.invoices(self.owner)

    @action(detail=True, methods=["post"])
    @idempotent
    def pay(self, request: Request, pk: UUID) -> Response:
        self.body()
        invoice = services.pay_invoice(invoice_id=self.get_object().pk, now=timezone.now())
        return Response(InvoiceOut(invoice).data)
