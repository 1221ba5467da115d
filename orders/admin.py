"""Orders as staff see them: the catalogue to edit, orders to read and to cancel."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from kafka_shop.staff import links
from kafka_shop.staff.base import Admin, ReadOnlyInline
from kafka_shop.staff.columns import OfCustomer
from kafka_shop.staff.confirming import Deed, confirmed, confirmed_one
from kafka_shop.staff.exporting import Exported
from kafka_shop.staff.lists import Among
from kafka_shop.staff.marks import button, column
from kafka_shop.staff.periods import Period
from kafka_shop.staff.searching import Searched
from kafka_shop.users.models import User
from orders import services
from orders.errors import NotCancellable
from orders.models import Order, OrderLine, Product, Status

BADGES = {"pending": "warning", "paid": "success", "rejected": "danger", "cancelled": "info"}


def cancel(order: Order, user: User, reason: str) -> str:
    services.cancel_order(order_id=order.pk, now=timezone.now())
    return "Cancelled"


CANCEL = Deed(
    title="Cancel for good",
    warning="A cancelled order stays so. Money that was taken for it is given back, and its customer gets a letter.",
    do=cancel,
    refusals=(NotCancellable,),
)


@admin.register(Product)
class ProductAdmin(Admin):
    list_display = ["sku", "name", "price", "currency", "active"]
    list_filter = ["active", "currency"]
    search_fields = ["sku", "name"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # old orders name it: it is taken out of sale instead


class LineInline(ReadOnlyInline):
    model = OrderLine
    fields = readonly_fields = ("product", "quantity", "price")


class StatusFilter(Among):
    title = parameter_name = "status"
    values = Status.values

    def condition(self, value: str) -> Q:
        """Pending orders are found by the index of those that await billing."""
        return Q(status=value, sweep_from__isnull=False) if value == Status.PENDING else Q(status=value)


@admin.register(Order)
class OrderAdmin(OfCustomer, Exported):
    list_display = ["id", "state", "total", "currency", "customer", "placed_at", "settled_at", "related"]
    list_filter = [StatusFilter, Period]
    ordering = ["-id"]
    searched = Searched(ids=("id", "customer_id"), customer="customer_id")
    inlines = [LineInline]
    readonly_fields = ["state", "customer", "related"]
    fieldsets = [
        (None, {"fields": ["state", "reason", "total", "currency", "customer", "related"]}),
        ("Its facts", {"fields": ["placed_at", "paid_at", "rejected_at", "cancelled_at", "refunded_at", "late_paid_at"]}),
        ("Where billing's events were read", {"fields": ["settled_partition", "settled_offset", "refunded_partition", "refunded_offset"]}),
        ("The sweep, which asks billing again", {"fields": ["sweep_from", "sweeps"]}),
    ]
    actions = ["cancel_selected"]
    actions_detail = ["cancel_this"]
    export_fields = ("id", "customer_id", "total", "currency", "status", "reason", "placed_at", "paid_at", "rejected_at", "cancelled_at")

    @column("status", badges=BADGES)
    def state(self, order: Order) -> str:
        return str(order.status)

    @column("related")
    def related(self, order: Order) -> str:
        lists = {"invoice": "billing_invoice", "transfers": "billing_transfer", "letters": "notify_letter"}
        return links.joined(links.page("order_trace", order.pk, text="trace"), links.several(order.pk, **lists))

    def has_cancel_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(request.user.has_perm("orders.cancel_order"))

    @button("Cancel", needs="cancel")
    def cancel_selected(self, request: HttpRequest, queryset: QuerySet[Order]) -> HttpResponse | None:
        return confirmed(self, request, queryset, CANCEL)

    @button("Cancel", needs="cancel", path="cancel", icon="cancel")
    def cancel_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return confirmed_one(self, request, object_id, CANCEL)
