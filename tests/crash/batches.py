"""What the consumers are given: every event that there is, in every order that matters, twice, unreadable, contradicting."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from uuid import UUID

from django.core.management import call_command

from billing.events import InvoiceSettled
from consumers import membership
from consumers.positions import Positions
from consumers.receiving import receive
from kafka_shop.databases import run
from orders.events import Item, OrderPlaced
from tests.crash.people import customer, into_log, taken, written
from tests.crash.scenario import Scenario, consuming
from tests.crash.shop import flow, run_consumer
from tests.crash.world import logs

SETTLED = ("relay", "billing", "relay", "orders", "relay", "notify")
NOBODY, NOTHING = UUID(int=99), UUID(int=999)
NOW = datetime(2026, 1, 31, 9, tzinfo=UTC)
TWICE = {"MESSAGE_ATTEMPTS": 2}
UNREADABLE = b'{"no": "event"}'
FOREIGN = (
    b'{"specversion":"1.0","id":"door.opened:1","type":"shop.door.opened.v1","source":"/doors","subject":"1",'
    b'"time":"2026-01-31T09:00:00Z","partitionkey":"nobody","data":{}}'
)


def every_order() -> list[bytes]:
    """Orders that are paid, refused, without account, cancelled before and after their placement arrives; some facts twice."""
    alice, carol, dave = (customer(name, "99.00") for name in ("alice", "carol", "dave"))
    bob, erin = customer("bob", "1.00"), customer("erin")
    for buyer in (alice, bob, erin, alice):
        buyer.order()
    usual = taken("order-topic")
    carol.cancel(carol.order())
    overtaken = taken("order-topic")[::-1]
    dave.cancel(dave.order())
    cancelled = taken("order-topic")
    return [*usual, *overtaken, *cancelled, usual[0], FOREIGN, UNREADABLE]


def every_result() -> list[bytes]:
    """Orders are paid, rejected, paid too late, and given their money back; some results twice."""
    receive("billing", every_order())
    results = taken("billing-topic")
    return [*results, *results[::-1]]


def every_letter() -> list[bytes]:
    """Letters of each kind, one of them twice."""
    receive("orders", every_result())
    ends = taken("notify-topic")
    return [*ends, ends[0]]


def one_letter() -> list[bytes]:
    """The letter of an order that was cancelled at once."""
    alice = customer("alice", "99.00")
    alice.cancel(alice.order())
    return taken("notify-topic")


def contradictions() -> list[bytes]:
    """Among good orders one of no money, and one that is known with another amount."""
    alice, bob = customer("alice", "99.00"), customer("bob", "99.00")
    order = alice.order()
    receive("billing", taken("order-topic"))
    items = (Item(product="TEA-001", quantity=1, price=Decimal("7.50")),)
    other = OrderPlaced(order_id=order, customer_id=alice.id, amount=Decimal("0.01"), currency="EUR", items=items, placed_at=NOW)
    free = OrderPlaced(order_id=NOTHING, customer_id=NOBODY, amount=Decimal("0.00"), currency="EUR", items=items, placed_at=NOW)
    bob.order()
    alice.order()
    good = taken("order-topic")
    return [good[0], written(free), written(other), good[1]]


def strangers() -> list[bytes]:
    """Among good results one of an order that nobody knows."""
    alice, bob = customer("alice", "99.00"), customer("bob", "99.00")
    for buyer in (alice, bob):
        buyer.order()
    receive("billing", taken("order-topic"))
    good = taken("billing-topic")
    amount = Decimal("7.50")
    unknown = InvoiceSettled(
        invoice_id=NOTHING, order_id=NOTHING, customer_id=bob.id, amount=amount, currency="EUR", outcome="paid", settled_at=NOW
    )
    return [good[0], written(unknown), good[1]]


def open_invoices() -> list[bytes]:
    """Orders to be paid on request; one is cancelled when its invoice is open."""
    alice, bob = customer("alice", "99.00"), customer("bob", "99.00")
    alice.order()
    bob.cancel(bob.order())
    return taken("order-topic")


def killers() -> list[bytes]:
    """Orders near which a consumer has died twice; one of them has killed it as often as it may."""
    alice, dave = customer("alice", "99.00"), customer("dave", "99.00")
    for buyer in (alice, dave, alice):
        buyer.order()
    positions = Positions("default", "billing", "order-topic")
    for _ in range(2):
        positions.claim([0, 1])
    run("default", "UPDATE consumers_position SET lone_offset = 0, lone_attempts = 3 WHERE partition = 0")
    return taken("order-topic")


def lose_a_log() -> None:
    """Orders have come to their ends, another is on its way to billing: then the broker loses its disks."""
    alice, bob = customer("alice", "99.00"), customer("bob", "99.00")
    alice.order()
    order = bob.order()
    flow(*SETTLED)
    bob.cancel(order)
    flow(*SETTLED)
    alice.order()
    flow("relay")
    logs().begin("second")


def read_anew() -> None:
    """The relay has put every fact in the new log."""
    lose_a_log()
    flow("relay")


def more_letters() -> None:
    """The consumer has read a part of its log before."""
    first, *others = every_letter()
    into_log("notify-topic", [first])
    flow("notify")
    into_log("notify-topic", others)


def read_watchfully(given: object) -> None:
    """It looks at each turn whether its partitions and their logs are still its own."""
    membership.VERIFY_SECONDS = 0
    run_consumer("notify")


def a_dead_letter() -> None:
    """An order that was set aside because it killed the process."""
    into_log("order-topic", killers())
    flow("billing")


def replay(given: object = None) -> None:
    """What a person does when the cause is mended."""
    call_command("dead_letters", "replay", "--all", stdout=StringIO())


def read_and_replay() -> None:
    flow("billing")
    replay()


def in_log(topic: str, make: Callable[[], list[bytes]]) -> Callable[[], None]:
    return lambda: into_log(topic, make())


SCENARIOS: dict[str, Scenario] = {
    "billing-every-order": consuming("billing", in_log("order-topic", every_order)),
    "billing-on-request": consuming("billing", in_log("order-topic", open_invoices), settings={"BILLING_MODE": "on_request"}),
    "billing-contradictions": consuming("billing", in_log("order-topic", contradictions), settings=TWICE),
    "billing-killers": consuming("billing", in_log("order-topic", killers), mend=read_and_replay),
    "billing-lost-log": consuming("billing", read_anew),
    "orders-every-result": consuming("orders", in_log("billing-topic", every_result)),
    "orders-strangers": consuming("orders", in_log("billing-topic", strangers), settings=TWICE),
    "notify-one-letter": consuming("notify", in_log("notify-topic", one_letter)),
    "notify-every-letter": Scenario("notify", more_letters, read_watchfully),
    "replay-dead-letters": Scenario("dead_letters", a_dead_letter, replay),
}
