"""Scenarios of the web: every POST, by customers and by other services."""

from functools import partial
from uuid import UUID

from knox.models import AuthToken

from billing.models import Account, Invoice, Transfer
from kafka_shop.users.models import User
from notify.models import Letter
from orders.models import Order
from tests.crash import people
from tests.crash.batches import SETTLED, every_letter, every_order, every_result
from tests.crash.people import Customer, customer
from tests.crash.scenario import Scenario, posting
from tests.crash.shop import flow

TOKEN = "between-services"  # not a secret of anybody
OVER_HTTP = {
    "TRANSPORT": "http",
    "SERVICE_TOKEN": TOKEN,
    "SERVICE_URLS": dict.fromkeys(("orders", "billing", "notify"), "http://localhost"),
}
TEA_AND_MUG = [{"product": "TEA-001", "quantity": 2}, {"product": "MUG-001", "quantity": 1}]
ZOE = {"username": "zoe", "password": "correct horse"}


def an_order(*before: str) -> tuple[Customer, UUID]:
    alice = customer("alice", "100.00")
    order = alice.order()
    flow(*before)
    return alice, order


def cancel(given: tuple[Customer, UUID]) -> None:
    alice, order = given
    alice.post(f"orders/{order}/cancel/", 200)


def is_cancelled(given: tuple[Customer, UUID]) -> bool:
    return Order.objects.filter(id=given[1], status="cancelled").exists()


def pay(given: tuple[Customer, UUID]) -> None:
    alice, order = given
    alice.post(f"billing/invoices/{Invoice.objects.get(order_id=order).id}/pay/", 200)


def is_paid(given: tuple[Customer, UUID]) -> bool:
    return Invoice.objects.filter(order_id=given[1], status="paid").exists()


def a_letter() -> tuple[Customer, UUID]:
    alice, _ = an_order(*SETTLED)
    return alice, Letter.objects.get().id


def send(service: str, events: list[bytes]) -> None:
    """What the relay of another service does; it repeats what was not answered."""
    body = b"[" + b",".join(events) + b"]"
    people.post(f"{service}/events/", body, 204, f"Bearer {TOKEN}", "application/cloudevents-batch+json")


SCENARIOS: dict[str, Scenario] = {
    "post-account": posting(
        partial(customer, "alice", "1.00"),
        lambda alice: alice.post("billing/accounts/", 201, currency="USD"),
        lambda alice: Account.objects.filter(customer_id=alice.id, currency="USD").exists(),
    ),
    "post-deposit": posting(
        partial(customer, "alice", "1.00"),
        lambda alice: alice.post(f"billing/accounts/{alice.account}/deposits/", 201, amount="5.00"),
        lambda alice: Transfer.objects.count() == 2,
    ),
    "post-order": posting(
        partial(customer, "alice", "100.00"),
        lambda alice: alice.post("orders/", 201, items=TEA_AND_MUG),
        lambda alice: Order.objects.exists(),
        decided_by="EXECUTE",
    ),
    "post-order-without-a-key": posting(
        partial(customer, "alice", "100.00"),
        lambda alice: people.post("orders/", {"items": TEA_AND_MUG}, 201, f"Bearer {alice.token}"),
        lambda alice: Order.objects.exists(),
        decided_by="EXECUTE",
        repeats=False,
    ),
    "post-orders-in-bulk": posting(
        partial(customer, "alice", "100.00"),
        lambda alice: alice.post("orders/bulk/", 200, orders=[{"items": TEA_AND_MUG}, {"items": TEA_AND_MUG[:1]}]),
        lambda alice: Order.objects.count() == 2,
    ),
    "post-cancel-of-pending": posting(an_order, cancel, is_cancelled),
    "post-cancel-of-paid": posting(partial(an_order, *SETTLED), cancel, is_cancelled),
    "post-pay": posting(partial(an_order, "relay", "billing"), pay, is_paid, settings={"BILLING_MODE": "on_request"}),
    "post-read": posting(
        a_letter,
        lambda given: given[0].post(f"notify/notifications/{given[1]}/read/", 200),
        lambda given: Letter.objects.get().read_at is not None,
    ),
    "post-user": posting(
        lambda: None,
        lambda _: people.post("auth/users/", {**ZOE, "email": "zoe@shop.example"}, 201),
        lambda _: User.objects.exists(),
        decided_by="INSERT",
        repeats=False,
    ),
    "post-token": posting(
        lambda: User.objects.create_user(**ZOE),
        lambda _: people.post("auth/token/", ZOE, 200),
        lambda _: AuthToken.objects.exists(),
        decided_by="INSERT",
        repeats=False,
    ),
    "post-events-billing": posting(every_order, partial(send, "billing"), None, settings=OVER_HTTP),
    "post-events-orders": posting(every_result, partial(send, "orders"), None, settings=OVER_HTTP),
    "post-events-notify": posting(every_letter, partial(send, "notify"), None, settings=OVER_HTTP),
}
