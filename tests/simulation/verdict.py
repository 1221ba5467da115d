"""What must be true when a history has come to rest."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from consumers.audit import audit
from tests.simulation.findings import Broken
from tests.simulation.witness import KILLED

if TYPE_CHECKING:
    from tests.simulation.world import World

ORDERS = "SELECT id::text, status FROM orders_order"
INVOICES = "SELECT order_id::text, status FROM billing_invoice"
LETTERS = "SELECT order_id::text, outcome FROM notify_letter"
ACCOUNTS = "SELECT customer_id::text, (balance * 100)::bigint FROM billing_account WHERE kind = 'customer' AND currency = 'EUR'"
TRANSFERS = """
SELECT account.customer_id::text, transfer.kind, (transfer.amount * 100)::bigint
FROM billing_transfer AS transfer JOIN billing_account AS account ON account.id = transfer.account_id
WHERE account.currency = 'EUR' ORDER BY transfer.account_id, transfer.number
"""
DEAD = "SELECT identity, reason FROM consumers_deadletter WHERE closed_at IS NULL"
OLD_ENOUGH_SECONDS = 200_000.0  # nothing is young any more: what is missing is lost


def judge(world: World) -> None:
    """Raises Broken for the first thing that is not as it must be."""
    model_is_at_rest(world)
    orders_agree(world)
    money_agrees(world)
    letters_agree(world)
    every_message_is_explained(world)
    world.clock.advance(OLD_ENOUGH_SECONDS)
    report = audit(world.clock.now())
    for finding in [*report.findings, *report.in_flight]:
        raise Broken(finding.check, f"{world.name(finding.subject)}: {finding.detail} (audit)")


def model_is_at_rest(world: World) -> None:
    for line in world.shop.unfinished():
        raise Broken("I1", world.named(line))


def orders_agree(world: World) -> None:
    agree(world, "I1", "order", dict(world.observer.execute(ORDERS)), {id: order.status for id, order in world.shop.orders.items()})
    agree(world, "I1", "invoice", dict(world.observer.execute(INVOICES)), {id: order.invoice for id, order in world.shop.orders.items()})


def money_agrees(world: World) -> None:
    agree(world, "I4", "balance", dict(world.observer.execute(ACCOUNTS)), world.shop.balances)
    statements = defaultdict(list)
    for customer, kind, cents in world.observer.execute(TRANSFERS):
        statements[customer].append((kind, cents))
    agree(world, "I2", "statement", dict(statements), {id: each for id, each in world.shop.statements.items() if each})


def letters_agree(world: World) -> None:
    expected = Counter((id, letter) for id, order in world.shop.orders.items() for letter in order.letters)
    agree(world, "I5", "letters", Counter(world.observer.execute(LETTERS)), expected)


def every_message_is_explained(world: World) -> None:
    for topic in world.cluster.topics.values():
        for message in world.witness.unread(topic):
            raise Broken("I8", f"{message} was passed over")
    for identity, reason in world.observer.execute(DEAD):
        harmless = reason == KILLED and identity in world.witness.foreign  # it was the next one while processes were killed
        if identity not in world.witness.poison and "@" not in identity and not harmless:
            raise Broken("I8", f"{world.name(identity)} is an open dead letter: {reason}")


def agree(world: World, invariant: str, what: str, found: object, expected: object) -> None:
    if found != expected and isinstance(found, dict) and isinstance(expected, dict):
        wrong = next(key for key in [*expected, *found] if found.get(key) != expected.get(key))
        raise Broken(invariant, f"{what} of {world.name(wrong)} is {found.get(wrong)}, not {expected.get(wrong)}")
