"""`/metrics` of the web."""

import pytest
from django.test import Client
from prometheus_client import REGISTRY
from pytest_django import Settings

from kafka_shop.api.tests.people import caller, refused, user
from kafka_shop.ids import uuid7

pytestmark = pytest.mark.django_db


def answered(method: str, route: str, status: int) -> float:
    return REGISTRY.get_sample_value("shop_http_requests_total", {"method": method, "route": route, "status": str(status)}) or 0.0


def test_requests_are_counted_by_route_not_by_path() -> None:
    before = answered("GET", "api/v1/orders/<uuid:pk>/", 404)

    for _ in range(2):
        caller(user(uuid7().hex)).get(f"/api/v1/orders/{uuid7()}/")

    assert answered("GET", "api/v1/orders/<uuid:pk>/", 404) == before + 2


def test_what_is_nowhere_and_odd_methods_make_no_series_of_their_own() -> None:
    before = answered("other", "none", 404)

    caller().generic("BREW", f"/{uuid7()}")

    assert answered("other", "none", 404) == before + 1


def test_staff_reads_metrics(settings: Settings) -> None:
    client = Client()
    client.force_login(user("eve", staff=True))

    page = client.get("/metrics")

    assert page.status_code == 200
    assert "shop_http_requests_total" in page.content.decode()


def test_the_token_reads_metrics_and_nothing_else(settings: Settings) -> None:
    settings.METRICS_TOKEN = "for-prometheus"
    own = {"Authorization": "Bearer for-prometheus"}

    assert Client().get("/metrics", headers=own).status_code == 200
    assert Client().get("/api/v1/orders/", headers=own).status_code == 401


@pytest.mark.parametrize("token", ["", "for-prometheus"])
@pytest.mark.parametrize("given", [None, "Bearer ", "Bearer wrong", "Bearer", "Basic for-prometheus", "Bearer für"])
def test_others_are_refused(settings: Settings, token: str, given: str | None) -> None:
    settings.METRICS_TOKEN = token
    refused(Client().get("/metrics", headers={"Authorization": given} if given else {}), 401)


def test_customers_are_refused(settings: Settings) -> None:
    client = Client()
    client.force_login(user("carol"))
    refused(client.get("/metrics"), 403)
