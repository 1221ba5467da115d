"""The demo's buttons: place orders, send a poison message, mend what it broke. They are there only with settings.DEMO."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from consumers.console import trying
from consumers.console.home import seen
from consumers.ops.flow import flow
from orders.models import Order, Product

Deed = Callable[[], str]


def button(deed: Deed) -> Callable[[HttpRequest], HttpResponse]:
    """The view of a deed, which says what it has done."""

    @require_POST
    def view(request: HttpRequest) -> HttpResponse:
        try:
            messages.success(request, deed())
        except Product.DoesNotExist:
            messages.error(request, "The catalogue is empty. Put in a product first: Orders, Products.")
        flow.forget()
        return seen(request)

    return view


def place() -> str:
    [order] = trying.place_paid(count=1, now=timezone.now())
    return told("{} buys for {} {} and has the money. ", trying.PAYS, order)


def refuse() -> str:
    order = trying.place_refused(now=timezone.now())
    return told("{} orders for {} {}, which he has not. ", trying.CANNOT_PAY, order)


def rush() -> str:
    return f"{len(trying.place_paid(count=trying.RUSH, now=timezone.now()))} orders are placed. Watch the lag."


def poison() -> str:
    if trying.lost_orders():
        return "One order is lost already. Bring it back, then replay its dead letter."
    return format_html(
        "Billing hears of an order that orders has lost. In a moment its dead letter is on this page. {}",
        trace(trying.lose_order(now=timezone.now())),
    )


def mend() -> str:
    lost = trying.lost_orders()
    for result in lost:
        trying.bring_back(result=result, now=timezone.now())
    return "The order is there again. Now replay its dead letter." if lost else "No order is lost."


def told(what: str, name: str, order: Order) -> SafeString:
    return format_html(what + "{}", name.capitalize(), order.total, order.currency, trace(order.id))


def trace(order: Any) -> SafeString:
    return format_html('<a href="{}">Follow the order</a>.', reverse("admin:order_trace", args=[order]))


urlpatterns = [
    path(f"console/try/{deed.__name__}/", button(deed), name=f"try_{deed.__name__}") for deed in (place, refuse, rush, poison, mend)
]
