"""How long the pages take that read much: lists and their filters, the console, the admin. For a set-up Django."""

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from http.client import HTTPConnection
from statistics import median
from uuid import UUID

from django.conf import settings
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.utils import timezone
from knox.models import AuthToken

from bench.shop import PATIENCE_SECONDS, started, wait
from kafka_shop.local.plan import HOST, Web, shop, webs
from kafka_shop.local.readiness import web_is_ready
from kafka_shop.users.models import User
from orders.models import Order

TIMES = 15
WARM_UP_TIMES = 3
STATUSES = {
    "orders": ("status", ("pending", "paid", "rejected", "cancelled")),
    "billing/invoices": ("status", ("open", "paid", "declined", "void", "refunded")),
    "notify/notifications": ("outcome", ("paid", "rejected", "cancelled", "refunded")),
}
MOMENTS = {"orders": "placed", "notify/notifications": "created"}

Page = tuple[str, str, Mapping[str, str]]  # its name, its path, and who asks: headers


def measure(customer: UUID, show: Callable[[int], object]) -> dict[str, float]:
    """The median milliseconds of each page, by name. customer: somebody who has ordered."""
    [web] = webs(0)
    with started([next(iter(shop([web])))]) as check:
        wait(lambda: web_is_ready(web), True, check)
        found = {}
        for number, (name, path, headers) in enumerate(pages(customer)):
            found[name] = milliseconds(web, path, headers)
            show(number + 1)
    connection.close()
    return found


def pages(customer: UUID) -> Iterator[Page]:
    """All pages that are measured."""
    staff = person("bench-staff", is_staff=True, is_superuser=True)
    own, all = bearer(person(f"bench-{customer}", id=customer)), bearer(staff)
    yield from ((f"a customer's {name}", path, own) for name, path in lists())
    yield from ((f"all {name}", path, all) for name, path in lists())
    order = Order.objects.filter(customer_id=customer).order_by("id")[0].id
    yield "flow", "/api/v1/ops/flow/", all
    yield "trace", f"/api/v1/ops/orders/{order}/trace/", all
    yield "dead letters", "/api/v1/ops/dead-letters/", all
    yield from ((f"admin {path}", f"/admin/{path}", signed_in(staff)) for path in admin_paths(order, customer))


def lists() -> Iterator[tuple[str, str]]:
    """Name and path of each list and of each of its filters."""
    ago = {f"{days} days ago": (timezone.now() - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ") for days in (1, 200)}
    for path, (name, values) in STATUSES.items():
        yield path, f"/api/v1/{path}/"
        yield from ((f"{path}, {value}", f"/api/v1/{path}/?{name}={value}") for value in values)
        if what := MOMENTS.get(path):
            yield from ((f"{path}, {what} before {days}", f"/api/v1/{path}/?{what}_before={time}") for days, time in ago.items())
            yield from ((f"{path}, {what} after {days}", f"/api/v1/{path}/?{what}_after={time}") for days, time in ago.items())


def admin_paths(order: UUID, customer: UUID) -> Iterator[str]:
    """The admin's home; of each model the list, and where it can be searched, what is found of an order and of a customer."""
    yield ""
    for model, shown in admin.site._registry.items():
        path = f"{model._meta.app_label}/{model._meta.model_name}/"
        yield path
        if shown.search_fields:
            yield from (f"{path}?q={wanted}" for wanted in (order, customer))


def person(name: str, **values: object) -> User:
    return User.objects.get_or_create(username=name, defaults=values)[0]


def bearer(user: User) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {AuthToken.objects.create(user=user)[1]}"}


def signed_in(user: User) -> Mapping[str, str]:
    client = Client()
    client.force_login(user)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    return {"Cookie": f"{cookie.key}={cookie.value}"}


def milliseconds(web: Web, path: str, headers: Mapping[str, str]) -> float:
    """The median of TIMES. Raises RuntimeError when it is not answered with 200."""
    times = [once(web, path, headers) for _ in range(WARM_UP_TIMES + TIMES)]
    return median(times[WARM_UP_TIMES:])


def once(web: Web, path: str, headers: Mapping[str, str]) -> float:
    connection = HTTPConnection(HOST, web.port, timeout=PATIENCE_SECONDS)
    begun = time.perf_counter()
    connection.request("GET", path, headers=dict(headers))
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{path} was answered with {answer.status}: {body[:200]!r}")
    connection.close()
    return (time.perf_counter() - begun) * 1000
