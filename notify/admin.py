"""Letters as staff see them: to read."""

from django.contrib import admin

from kafka_shop.staff import links
from kafka_shop.staff.base import ReadOnly
from kafka_shop.staff.columns import OfCustomer, OfOrder
from kafka_shop.staff.exporting import Exported
from kafka_shop.staff.lists import among
from kafka_shop.staff.marks import column
from kafka_shop.staff.periods import Period
from kafka_shop.staff.searching import Searched
from notify.models import Horizon, Letter, Outcome

BADGES = {"paid": "success", "rejected": "danger", "cancelled": "info", "refunded": "warning"}


@admin.register(Letter)
class LetterAdmin(OfOrder, OfCustomer, Exported):
    list_display = ["id", "badge", "subject", "order", "customer", "created_at", "read_at", "related"]
    list_filter = [among("outcome", Outcome.values), Period]
    ordering = ["-id"]
    unlisted = ["body"]
    searched = Searched(ids=("order_id", "id", "customer_id"), customer="customer_id")
    readonly_fields = ["order", "customer", "related"]
    exclude = ["order_id", "customer_id"]
    export_fields = ("id", "order_id", "customer_id", "outcome", "subject", "created_at", "read_at")

    @column("outcome", badges=BADGES)
    def badge(self, letter: Letter) -> str:
        return letter.outcome

    @column("related")
    def related(self, letter: Letter) -> str:
        return links.joined(
            links.page("order_trace", letter.order_id, text="trace"), links.several(letter.order_id, invoice="billing_invoice")
        )


@admin.register(Horizon)
class HorizonAdmin(ReadOnly):
    list_display = ["kept_since"]
