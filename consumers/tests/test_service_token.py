"""The service token is compared in a time that tells nothing about it."""

import pytest
from django.test import Client
from pytest_django import Settings

from kafka_shop.api import authentication

TOKEN = "between-services"  # not a secret of anybody


@pytest.mark.django_db  # a service that is asked looks whether it is paused
@pytest.mark.parametrize("given", ["x", "between-service", "between-services!", TOKEN])
def test_only_the_comparison_in_constant_time_decides(given: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def compare_digest(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return True

    settings.SERVICE_TOKEN = TOKEN
    monkeypatch.setattr(authentication, "compare_digest", compare_digest)
    headers = {"Authorization": f"Bearer {given}"}
    answer = Client().post("/api/v1/billing/events/", b"[]", content_type="application/cloudevents-batch+json", headers=headers)

    assert answer.status_code == 204
    assert compared == [(given.encode(), TOKEN.encode())]
