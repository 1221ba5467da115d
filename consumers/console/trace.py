"""The order trace: one page that tells the story of an order, and the search that leads to it."""

from collections.abc import Iterator
from typing import NamedTuple
from uuid import UUID

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from consumers.console.pages import page
from consumers.console.waterfall import chapters
from consumers.ops.finding import find
from consumers.ops.mending import MAY_LOOK
from consumers.ops.story import Story, story, told
from consumers.ops.trace import state

LEVELS = {"paid": "good", "pending": "warn", "rejected": "bad"}  # of badges, by the order's status


class Row(NamedTuple):
    """A row of a table that is shown elsewhere in the admin."""

    name: str
    link: str


@require_safe
def order_trace(request: HttpRequest, order_id: UUID) -> HttpResponseBase:
    """The story of an order; 404 when nobody here knows it."""
    found = story(order_id)
    if found is None:
        return page(request, "find.html", status=404, title="Order trace", typed=str(order_id))
    return page(
        request,
        "trace.html",
        title="Order trace",
        trace=told(found),
        awaits=found.awaits,
        chapters=chapters(found.facts, found.stored, timezone.now()),
        level=LEVELS.get(getattr(found.stored.order, "status", ""), ""),
        rows=list(rows(found, request)),
        live=moves(found),
        may_look=request.user.has_perm(MAY_LOOK),
    )


@require_safe
def find_order(request: HttpRequest) -> HttpResponseBase:
    """Leads from any id to its order."""
    typed = request.GET.get("q", "").strip()
    if not typed:
        return page(request, "find.html", title="Order trace")
    found = find(typed)
    if found.order:
        return redirect("admin:order_trace", found.order)
    return page(request, "find.html", status=503 if found.away else 404, title="Order trace", typed=typed[:200], away=found.away)


def rows(found: Story, request: HttpRequest) -> Iterator[Row]:
    """Where the order's own rows are, for those who may see them."""
    if found.stored.order and request.user.has_perm("orders.view_order"):
        yield Row("order", reverse("admin:orders_order_change", args=[found.stored.order_id]))
    if found.stored.invoice and request.user.has_perm("billing.view_invoice"):
        yield Row("invoice", reverse("admin:billing_invoice_change", args=[found.stored.invoice.id]))


def moves(found: Story) -> bool:
    """Whether the page should look again: what is awaited may come, and be seen here."""
    waits = {state(fact, found.stored) for fact in found.facts} - {"applied", "elsewhere"}
    return bool(waits) or (found.awaits is not None and not found.stored.elsewhere)


urlpatterns = [
    path("console/trace/", find_order, name="find_order"),
    path("console/trace/<uuid:order_id>/", order_trace, name="order_trace"),
]
