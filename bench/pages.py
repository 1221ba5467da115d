"""How long the pages take that read much: lists and their filters, the console, the admin. For a set-up Django."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from http.client import HTTPConnection
from uuid import UUID

from django.conf import settings
from django.contrib import admin
from django.test import Client
from django.utils import timezone
from knox.models import AuthToken

from bench.shop import PATIENCE_SECONDS, started, wait
from kafka_shop.local.plan import HOST, Web, shop, webs
from kafka_shop.local.processes import Process
from kafka_shop.local.readiness import web_is_ready
from kafka_shop.users.models import User
from orders.models import Order

TIMES = 15  # the first of them are slow: plans and templates are made
STATUSES = {
    "orders": ("status", ("pending", "paid", "rejected", "cancelled")),
    "billing/invoices": ("status", ("open", "paid", "declined", "void", "refunded")),
    "notify/notifications": ("outcome", ("paid", "rejected", "cancelled", "refunded")),
}
MOMENTS = {"orders": "placed", "notify/notifications": "created"}

Page = tuple[str, str, Mapping[str, str]]  # its name, its path, and who asks: headers
Found = dict[str, dict[str, float]]  # by page and database


def measure(pages: Mapping[str, Sequence[Page]], environments: Mapping[str, dict[str, str]], show: Callable[[int], object]) -> Found:
    """The milliseconds of each page in each database, at its best: what the machine does besides changes that least. They take turns."""
    addresses = {database: webs(0)[0] for database in pages}
    with started([process(database, web, environments[database]) for database, web in addresses.items()]) as check:
        wait(lambda: all(web_is_ready(web) for web in addresses.values()), True, check)
        found: Found = {}
        for number, same in enumerate(zip(*pages.values(), strict=True)):
            taken = [{db: once(web, page) for (db, web), page in zip(addresses.items(), same, strict=True)} for _ in range(TIMES)]
            found[same[0][0]] = {database: round(min(times[database] for times in taken), 1) for database in pages}
            show(number + 1)
    return found


def process(database: str, web: Web, environment: dict[str, str]) -> Process:
    """A web on a database."""
    first = next(iter(shop([web])))
    return replace(first, name=f"web-{database}", environment=first.environment | environment)


def pages(customer: UUID) -> Iterator[Page]:
    """All pages that are measured. customer: somebody who has ordered."""
    staff = person("bench-staff", is_staff=True, is_superuser=True)
    own, all = bearer(person(f"bench-{customer}", id=customer)), bearer(staff)
    yield from ((f"a customer's {name}", path, own) for name, path in lists())
    yield from ((f"all {name}", path, all) for name, path in lists())
    order = Order.objects.filter(customer_id=customer).order_by("id")[0].id
    yield "flow", "/api/v1/ops/flow/", all
    yield "trace", f"/api/v1/ops/orders/{order}/trace/", all
    yield "dead letters", "/api/v1/ops/dead-letters/", all
    session = signed_in(staff)
    yield from ((f"admin {name}", f"/admin/{path}", session) for name, path in admin_pages(order, customer))


def lists() -> Iterator[tuple[str, str]]:
    """Name and path of each list and of each of its filters."""
    ago = {f"{days} days ago": (timezone.now() - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ") for days in (1, 200)}
    for path, (name, values) in STATUSES.items():
        yield path, f"/api/v1/{path}/"
        yield from ((f"{path}, {value}", f"/api/v1/{path}/?{name}={value}") for value in values)
        if what := MOMENTS.get(path):
            yield from ((f"{path}, {what} before {days}", f"/api/v1/{path}/?{what}_before={time}") for days, time in ago.items())
            yield from ((f"{path}, {what} after {days}", f"/api/v1/{path}/?{what}_after={time}") for days, time in ago.items())


def admin_pages(order: UUID, customer: UUID) -> Iterator[tuple[str, str]]:
    """Name and path of the admin's home, of each model's list, and of what is found of an order and a customer where one can search."""
    yield "home", ""
    for model, shown in admin.site._registry.items():
        name, path = str(model._meta.verbose_name_plural), f"{model._meta.app_label}/{model._meta.model_name}/"
        yield name, path
        if shown.search_fields:
            yield f"{name}, of an order", f"{path}?q={order}"
            yield f"{name}, of a customer", f"{path}?q={customer}"


def person(name: str, **values: object) -> User:
    return User.objects.get_or_create(username=name, defaults=values)[0]


def bearer(user: User) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {AuthToken.objects.create(user=user)[1]}"}


def signed_in(user: User) -> Mapping[str, str]:
    client = Client()
    client.force_login(user)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    return {"Cookie": f"{cookie.key}={cookie.value}"}


def once(web: Web, page: Page) -> float:
    """The milliseconds that a page takes. Raises RuntimeError when it is not answered with 200."""
    _, path, headers = page
    connection = HTTPConnection(HOST, web.port, timeout=PATIENCE_SECONDS)
    begun = time.perf_counter()
    connection.request("GET", path, headers=dict(headers))
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{path} was answered with {answer.status}: {body[:200]!r}")
    connection.close()
    return (time.perf_counter() - begun) * 1000
