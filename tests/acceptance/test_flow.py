"""Orders through all services, on a real Kafka."""

import pytest

from billing.models import Account
from notify.models import Letter
from tests.acceptance.shop import Shop

pytestmark = pytest.mark.kafka


def test_a_paid_and_a_refused_order_reach_their_customers(shop: Shop) -> None:
    alice, bob = shop.customer("100.00"), shop.customer("5.00")
    paid, refused = shop.order(alice, "TEA-001", 2), shop.order(bob, "TEA-001")
    shop.start()

    shop.settles()
    letters = Letter.objects.values_list("customer_id", "order_id", "outcome")
    assert set(letters) == {(alice, paid.id, "paid"), (bob, refused.id, "rejected")}
    assert sorted(str(account.balance) for account in Account.objects.filter(kind="customer")) == ["5.00", "85.00"]
