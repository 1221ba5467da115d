"""The SQL of docs/production.md: the application's role does the shop's business, and cannot change the ledger."""

import re
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import ProgrammingError, transaction

from billing.models import Transfer
from billing.services import deposit, open_account
from consumers.receiving import receive
from kafka_shop.databases import rows, run
from kafka_shop.ids import uuid7
from notify.models import Letter
from orders.models import Product
from orders.services import place_order
from tests.deployment.compose import ROOT

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
FORBIDDEN = (
    "UPDATE billing_transfer SET amount = amount + 1",
    "DELETE FROM billing_transfer",
    "TRUNCATE billing_transfer",
    "ALTER TABLE billing_transfer DISABLE TRIGGER ALL",
    "DROP TABLE billing_transfer",
    "DELETE FROM django_migrations",
)


@pytest.fixture
def as_the_application(db: None) -> None:
    """All SQL of the page was run, and the session has the application's role; the roles are gone with the test's transaction."""
    section = (ROOT / "docs" / "production.md").read_text().partition("\n## PostgreSQL\n")[2].partition("\n## ")[0]
    blocks = re.findall(r"```sql\n(.*?)```", section, re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        run("default", block)
    run("default", "SET LOCAL ROLE shop_app")


def arrive(service: str, destination: str) -> None:
    """The service receives what was told to it."""
    receive(
        service, [bytes(event) for (event,) in rows("default", "SELECT event FROM messaging_outboxrow WHERE destination = %s", destination)]
    )


@pytest.mark.usefixtures("as_the_application")
def test_the_application_does_its_business() -> None:
    Product.objects.create(sku="tea", name="Tea", price=Decimal("3.50"), currency="EUR")
    customer = uuid7()
    account = open_account(customer_id=customer, currency="EUR", now=NOW)
    deposit(account_id=account.id, amount=Decimal("10.00"), now=NOW)
    place_order(customer_id=customer, items=[("tea", 2)], now=NOW)

    arrive("billing", "order-topic")
    arrive("orders", "billing-topic")
    arrive("notify", "notify-topic")

    assert [letter.outcome for letter in Letter.objects.filter(customer_id=customer)] == ["paid"]
    assert Transfer.objects.filter(account=account.id).count() == 2


@pytest.mark.usefixtures("as_the_application")
@pytest.mark.parametrize("statement", FORBIDDEN)
def test_the_application_cannot_change_the_ledger(statement: str) -> None:
    with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"), transaction.atomic():
        run("default", statement)
