"""The event tables of services apart, as staff see them."""

from collections.abc import Iterator

import pytest
from django.test import Client
from django.utils import timezone

from kafka_shop.databases import served_aliases
from kafka_shop.messaging.models import OutboxRow
from kafka_shop.users.models import User
from tests.flows import ways

LIST = "/admin/messaging/outboxrow/"


@pytest.fixture
def apart(databases_apart: None) -> Iterator[None]:
    with ways.apart():
        yield


@pytest.fixture
def operator(apart: None, committed: None) -> Client:
    """Staff of a shop with a fact in each of its three outboxes, named after its database."""
    for alias in served_aliases():
        row = OutboxRow(destination="order-topic", event_id=f"fact of {alias}", key="k", event=b"{}", created_at=timezone.now())
        row.save(using=alias)
    client = Client()
    client.force_login(User.objects.create_superuser("admin"))
    return client


def shown(operator: Client, path: str) -> list[str]:
    """The databases of which a fact is on a page."""
    page = operator.get(path).content.decode()
    return [alias for alias in served_aliases() if f"fact of {alias}" in page]


def test_each_database_can_be_chosen(operator: Client) -> None:
    assert len(served_aliases()) == 3
    assert [shown(operator, f"{LIST}?database={alias}") for alias in served_aliases()] == [[alias] for alias in served_aliases()]


def test_the_first_is_shown_until_one_is_chosen_and_the_page_names_all(operator: Client) -> None:
    page = operator.get(LIST).content.decode()

    assert shown(operator, LIST) == served_aliases()[:1]
    assert all(f"?database={alias}" in page for alias in served_aliases())


def test_a_row_is_opened_from_the_database_of_its_list(operator: Client) -> None:
    row = OutboxRow.objects.using("billing").get()

    assert shown(operator, f"{LIST}{row.pk}/change/?_changelist_filters=database%3Dbilling") == ["billing"]


def test_a_database_that_is_not_there_is_not_asked(operator: Client) -> None:
    assert shown(operator, f"{LIST}?database=nowhere") == served_aliases()[:1]
