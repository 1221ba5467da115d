"""The console's home: the flow as it is now, from consumers/ops/flow.py. Its script asks for the live part every two seconds."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.defaultfilters import pluralize
from django.views.decorators.http import require_safe

from consumers.console import board
from consumers.console.pages import of_all, page
from consumers.console.templatetags.words import milliseconds, number
from consumers.console.trying import lost_orders
from consumers.ops.asking import Databases
from consumers.ops.flow import flow
from consumers.ops.wishes import MAY_PAUSE
from kafka_shop.databases import alias_of

LIVE = "X-Live"  # a header of the script's requests: it wants the live part, not the page


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The whole page; without a script it is a picture of the moment."""
    return page(request, "home.html", title="Overview", **figures(request))


@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """What changes on the page."""
    return render(request, "console/part.html", figures(request))


def seen(request: HttpRequest) -> HttpResponse:
    """The answer to a button: where its effect is seen."""
    return redirect("admin:live" if request.headers.get(LIVE) else "admin:index")


def figures(request: HttpRequest) -> dict[str, Any]:
    """What the templates show."""
    found = flow()
    minutes = found["minutes"] or []
    return {
        "flow": found,
        "hops": board.hops(found),
        "health": list(board.health(found)),
        "dead_letters": [of_all(group) for group in found["dead_letters"]],
        "troubles": list(board.troubles(found)),
        "letters": board.bars([(each.at, each.letters) for each in minutes], lambda count: f"{number(count)} letter{pluralize(count)}"),
        "slowest": board.bars([(each.at, each.p95_ms) for each in minutes], lambda took: milliseconds(took)),
        "may_pause": request.user.has_perm(MAY_PAUSE),
        **demo(),
    }


def demo() -> dict[str, Any]:
    """What the demo's buttons depend on."""
    lost = settings.DEMO and "orders" in settings.SERVICES and Databases().told(lambda alias: bool(lost_orders()), alias_of("orders"))
    return {"demo": settings.DEMO, "lost": bool(lost), "on_request": settings.BILLING_MODE == "on_request"}
