"""The life of an order as the contract tells it, in plain Python: a second opinion on what the shop must have come to.

It is told what happened in the order in which it was committed: what customers did, and which facts each service has heard. Amounts are
in cents. It shares nothing with the product.
"""

from dataclasses import dataclass, field

from tests.simulation.findings import Broken


@dataclass
class Order:
    customer: str
    cents: int
    invoice: str = ""  # none yet
    told: str = ""  # what billing has said of it: paid or declined
    status: str = "pending"
    letters: set[str] = field(default_factory=set)


class Shop:
    """Balances and orders. `on_request`: customers pay their invoices themselves."""

    def __init__(self, on_request: bool) -> None:
        self.on_request = on_request
        self.balances: dict[str, int] = {}
        self.statements: dict[str, list[tuple[str, int]]] = {}
        self.orders: dict[str, Order] = {}

    # what customers do
    def opens(self, customer: str) -> None:
        self.balances[customer], self.statements[customer] = 0, []

    def deposits(self, customer: str, cents: int) -> None:
        self._moves(customer, "deposit", cents)

    def places(self, order: str, customer: str, cents: int) -> None:
        self.orders[order] = Order(customer, cents)

    def cancels(self, id: str) -> None:
        order = self.orders[id]
        if order.status not in {"pending", "paid"}:
            raise Broken("contract", f"{id} is {order.status}, and was cancelled all the same")
        order.status = "cancelled"
        order.letters.add("cancelled")

    def pays(self, id: str) -> None:
        order = self.orders[id]
        if order.invoice != "open":
            raise Broken("contract", f"the invoice of {id} is {order.invoice or 'not there'}, and was paid all the same")
        self._charges(order)

    # what services hear
    def billing_hears_placed(self, id: str) -> None:
        order = self.orders[id]
        if order.invoice:
            return
        if self.on_request:
            order.invoice = "open"
        elif self.balances.get(order.customer, -1) < order.cents:
            order.invoice = order.told = "declined"
        else:
            self._charges(order)

    def billing_hears_cancelled(self, id: str) -> None:
        order = self.orders[id]
        if order.invoice == "paid":
            order.invoice = "refunded"
            self._moves(order.customer, "refund", order.cents)
        elif order.invoice in {"", "open"}:
            order.invoice = "void"

    def orders_hears_settled(self, id: str, outcome: str) -> None:
        order = self.orders[id]
        if outcome != order.told:
            raise Broken("contract", f"{id} was told as {outcome}, its invoice is {order.told or 'not settled'}")
        if order.status == "pending":
            order.status = "paid" if outcome == "paid" else "rejected"
            order.letters.add(order.status)

    def orders_hears_refunded(self, id: str) -> None:
        order = self.orders[id]
        if order.invoice != "refunded":
            raise Broken("contract", f"{id} was told as refunded, its invoice is {order.invoice or 'not there'}")
        order.letters.add("refunded")

    # what must be true at rest
    def unfinished(self) -> list[str]:
        """Why the shop cannot be at rest yet: orders whose parts do not fit, one line each."""
        return [
            f"{id} is {order.status}, its invoice is {order.invoice or 'not there'}" for id, order in self.orders.items() if not fits(order)
        ]

    def _charges(self, order: Order) -> None:
        order.invoice = order.told = "paid"
        self._moves(order.customer, "charge", -order.cents)

    def _moves(self, customer: str, kind: str, cents: int) -> None:
        self.balances[customer] += cents
        self.statements[customer].append((kind, abs(cents)))
        if self.balances[customer] < 0:
            raise Broken("I4", f"{customer} has {self.balances[customer]} cents")


def fits(order: Order) -> bool:
    """Whether an order, its invoice and its letters agree as they must at rest."""
    invoices = {"pending": {"open"}, "paid": {"paid"}, "rejected": {"declined"}, "cancelled": {"void", "declined", "refunded"}}
    return order.invoice in invoices[order.status] and (order.invoice == "refunded") == ("refunded" in order.letters)
