"""Every path of the API that takes a body, with a body that it accepts, for a customer who has something at each of them."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Model
from django.urls import URLPattern, URLResolver
from knox.models import AuthToken

from billing import services
from billing.models import Account, Invoice, Transfer
from consumers.models import DeadLetter
from kafka_shop import urls
from kafka_shop.api.views import ShopViewSet
from kafka_shop.ids import uuid7
from kafka_shop.messaging.models import OutboxRow
from kafka_shop.users.models import User
from notify.models import Letter
from orders.models import Order, OrderLine, Product

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
PASSWORD = "correct horse battery"
ROWS: tuple[type[Model], ...] = (User, AuthToken, Account, Transfer, Order, OrderLine, OutboxRow)

BODIES: dict[str, dict[str, Any]] = {
    "auth/token/": {"username": "carol", "password": PASSWORD},
    "auth/users/": {"username": "erin", "password": PASSWORD, "email": "erin@example.org"},
    "billing/accounts/": {"currency": "USD"},
    "billing/accounts/<uuid:pk>/deposits/": {"amount": "100.00"},
    "billing/invoices/<uuid:pk>/pay/": {},
    "orders/": {"items": [{"product": "tea", "quantity": 2}]},
    "orders/bulk/": {"orders": [{"items": [{"product": "tea", "quantity": 2}]}]},
    "orders/<uuid:pk>/cancel/": {},
    "notify/notifications/<uuid:pk>/read/": {},
    "ops/consumers/<str:name>/pause/": {},
    "ops/consumers/<str:name>/resume/": {},
    "ops/dead-letters/replay/": {"consumer": "billing"},
    "ops/dead-letters/<uuid:pk>/replay/": {},
    "ops/dead-letters/<uuid:pk>/discard/": {"reason": "a test"},
}


class Things:
    """What a customer has, one of each kind, and a message that could not be applied."""

    def __init__(self, customer: User) -> None:
        mine: dict[str, Any] = {"customer_id": customer.pk}
        price: dict[str, Any] = {"currency": "EUR"}
        Product.objects.create(sku="tea", name="Tea", price=Decimal("4.50"), **price)
        self.account = services.open_account(customer_id=customer.pk, currency="EUR", now=NOW)
        services.deposit(account_id=self.account.id, amount=Decimal("100.00"), now=NOW)
        self.order = Order.objects.create(total=Decimal("4.50"), placed_at=NOW, sweep_from=NOW, **mine, **price)
        self.invoice = Invoice.objects.create(order_id=self.order.id, amount=Decimal("4.50"), opened_at=NOW, **mine, **price)
        self.letter = Letter.objects.create(order_id=self.order.id, outcome="paid", subject="s", body="b", created_at=NOW, **mine)
        self.dead_letter = DeadLetter.objects.create(
            consumer="billing", identity="x", reason="broken", fingerprint="f", value=b"{}", failed_at=NOW
        )

    def path(self, route: str) -> str:
        """The path of a route, with the id of the thing that it is about."""
        kinds: dict[str, Any] = {
            "dead-letters": self.dead_letter,
            "accounts": self.account,
            "invoices": self.invoice,
            "notifications": self.letter,
        }
        thing = next((thing for kind, thing in kinds.items() if kind in route), self.order)
        return f"/api/v1/{route.replace('<uuid:pk>', str(thing.id)).replace('<str:name>', 'billing')}"


def counts() -> list[int]:
    """How many rows there are of all that a request can make."""
    return [model._default_manager.count() for model in ROWS]


def unknown_id() -> str:
    return str(uuid7())


def routes_with_bodies() -> set[str]:
    """The routes of all actions that say which body they take."""
    return {route for route, view, action in actions(urls.api(settings.SERVICES)) if action in view.inputs}


def actions(patterns: list[Any], prefix: str = "") -> Iterator[tuple[str, type[ShopViewSet], str]]:
    """Every action of the API: its route, its resource and its name."""
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from actions(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern) and (names := getattr(pattern.callback, "actions", None)):
            yield from ((route, vars(pattern.callback)["cls"], name) for name in names.values())
