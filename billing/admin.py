"""The ledger as staff see it: to read, and invoices to pay."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from billing import services
from billing.models import Account, Invoice, Transfer
from kafka_shop.staff import links
from kafka_shop.staff.columns import OfCustomer, OfOrder
from kafka_shop.staff.confirming import Deed, confirmed, confirmed_one
from kafka_shop.staff.exporting import Exported
from kafka_shop.staff.lists import Among, among
from kafka_shop.staff.marks import button, column
from kafka_shop.staff.periods import Period
from kafka_shop.staff.searching import Searched
from kafka_shop.users.models import User

KINDS = {"customer": "info", "cash": "warning", "sales": "success"}
BADGES = {"open": "warning", "paid": "success", "declined": "danger", "void": "info", "refunded": "info"}
MOVES = {"deposit": "info", "charge": "success", "refund": "warning"}


def pay(invoice: Invoice, user: User, reason: str) -> str:
    services.pay_invoice(invoice_id=invoice.pk, now=timezone.now())
    return "Paid"


PAY = Deed(
    title="Pay now",
    warning="The amount is taken from the customer's account, and the order becomes paid.",
    do=pay,
    refusals=(services.NotOpen, services.NotEnoughMoney),
)


class Whose(Among):
    title, parameter_name, values = "whose", "kind", Account.Kind.values

    def condition(self, value: str) -> Q:
        """The shop's own accounts are found as those without a customer."""
        return Q(kind=value, customer_id__isnull=value != Account.Kind.CUSTOMER)


@admin.register(Account)
class AccountAdmin(OfCustomer, Exported):
    list_display = ["id", "badge", "customer", "balance", "currency", "created_at", "related"]
    list_filter = [Whose, Period]
    ordering = ["-id"]
    searched = Searched(ids=("id", "customer_id"), customer="customer_id")
    readonly_fields = ["customer", "related"]
    exclude = ["customer_id"]
    export_fields = ("id", "kind", "customer_id", "currency", "balance", "sequence", "created_at")

    @column("kind", badges=KINDS)
    def badge(self, account: Account) -> str:
        return account.kind

    @column("related")
    def related(self, account: Account) -> str:
        return links.several(account.pk, transfers="billing_transfer")


@admin.register(Invoice)
class InvoiceAdmin(OfOrder, OfCustomer, Exported):
    list_display = ["id", "state", "amount", "currency", "reason", "order", "customer", "opened_at", "related"]
    list_filter = [among("status", Invoice.Status.values), Period]
    ordering = ["-id"]
    searched = Searched(ids=("order_id", "id", "customer_id"), customer="customer_id")
    readonly_fields = ["state", "order", "customer", "of_account", "related"]
    fieldsets = [
        (None, {"fields": ["state", "reason", "amount", "currency", "order", "customer", "of_account", "related"]}),
        ("Its facts", {"fields": ["opened_at", "settled_at", "voided_at", "refunded_at"]}),
        ("Where its events were read", {"fields": ["partition", "offset", "applied_at", "cancelled_partition", "cancelled_offset"]}),
    ]
    actions = ["pay_selected"]
    actions_detail = ["pay_this"]
    export_fields = ("id", "order_id", "customer_id", "amount", "currency", "status", "reason", "opened_at", "settled_at", "refunded_at")

    @column("status", badges=BADGES)
    def state(self, invoice: Invoice) -> str:
        return str(invoice.status)

    @column("account")
    def of_account(self, invoice: Invoice) -> str:
        return links.account(invoice.account_id)

    @column("related")
    def related(self, invoice: Invoice) -> str:
        trace = links.page("order_trace", invoice.order_id, text="trace")
        return links.joined(trace, links.several(invoice.order_id, transfers="billing_transfer", letters="notify_letter"))

    def has_pay_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(request.user.has_perm("billing.pay_invoice"))

    @button("Pay", needs="pay")
    def pay_selected(self, request: HttpRequest, queryset: QuerySet[Invoice]) -> HttpResponse | None:
        return confirmed(self, request, queryset, PAY)

    @button("Pay", needs="pay", path="pay", icon="payments")
    def pay_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return confirmed_one(self, request, object_id, PAY)


@admin.register(Transfer)
class TransferAdmin(Exported):
    list_display = ["id", "badge", "amount", "currency", "of_account", "number", "balance", "of_invoice", "created_at"]
    list_filter = [among("kind", Transfer.Kind.values), Period]
    ordering = ["-id"]
    searched = Searched(ids=("account_id", "invoice_id", "id", "invoice__order_id"))
    readonly_fields = ["of_account", "of_invoice"]
    exclude = ["account", "invoice"]
    export_fields = ("id", "kind", "account", "number", "amount", "currency", "balance", "debit", "credit", "invoice", "created_at")

    @column("kind", badges=MOVES)
    def badge(self, transfer: Transfer) -> str:
        return transfer.kind

    @column("account")
    def of_account(self, transfer: Transfer) -> str:
        return links.account(transfer.account_id)

    @column("invoice")
    def of_invoice(self, transfer: Transfer) -> str:
        return links.page("billing_invoice_change", transfer.invoice_id) if transfer.invoice_id else "–"
