"""What commands do beside the relay and the consumers: old letters are forgotten."""

from datetime import timedelta

from django.utils import timezone

from consumers import purging
from tests.crash.people import customer
from tests.crash.scenario import Scenario
from tests.crash.shop import flow


def letters() -> None:
    """Two orders have come to their ends, one of them twice."""
    alice, bob = customer("alice", "99.00"), customer("bob")
    cancelled = alice.order()
    bob.order()
    flow("relay", "billing", "relay", "orders", "relay", "notify")
    alice.cancel(cancelled)
    flow("relay", "billing", "relay", "orders", "relay", "notify")


def purge(given: object) -> None:
    """As if a day had passed since."""
    old = purging.letters(timezone.now() + timedelta(days=1))
    old.count()
    purging.Purger().run(old)


SCENARIOS: dict[str, Scenario] = {"purge-letters": Scenario("purge", letters, purge)}
