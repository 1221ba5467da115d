"""What the relay finds: facts for every topic, a broker that refuses some, orders that wait too long, a log that was lost."""

from django.utils import timezone

from consumers.receiving import receive
from kafka_shop.messaging.models import OutboxRow
from tests.crash.batches import lose_a_log
from tests.crash.people import LONG_AGO, customer, taken
from tests.crash.requests import OVER_HTTP
from tests.crash.scenario import Scenario, relaying
from tests.crash.world import logs


def facts_for_all() -> None:
    """Facts wait for each of the three topics."""
    alice, bob = customer("alice", "99.00"), customer("bob", "99.00")
    alice.order()
    receive("billing", taken("order-topic"))
    bob.cancel(bob.order())


def everything() -> None:
    """Facts wait for each topic; of two the broker takes one never and answers the other late; two orders wait for billing too long."""
    overdue()
    facts_for_all()
    late, refused = (customer(name, "99.00").order() for name in ("carol", "dave"))
    logs().answer_badly("timed-out", to=str(late))
    logs().answer_badly("too-large", to=str(refused))


def overdue() -> None:
    """An order's placement and the cancellation of a paid one never reached billing."""
    erin, long_ago = customer("erin", "99.00"), timezone.now() - LONG_AGO
    paid = erin.order(at=long_ago)
    receive("billing", taken("order-topic"))
    receive("orders", taken("billing-topic"))
    erin.cancel(paid, at=long_ago)
    erin.order(at=long_ago)
    taken("order-topic")


def mend_answers() -> None:
    """The broker is well again, and a person gives what was set aside another chance."""
    logs().answer_well("timed-out")
    logs().answer_well("too-large")
    OutboxRow.objects.exclude(refused="").update(refused="")


SCENARIOS: dict[str, Scenario] = {
    "relay-everything": relaying(everything, mend=mend_answers),
    "relay-publishes": relaying(facts_for_all),
    "relay-lost-log": relaying(lose_a_log),
    "relay-over-http": relaying(facts_for_all, settings=OVER_HTTP),
}
