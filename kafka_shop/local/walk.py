"""The demo's walk: account, money, order and letter, through the REST API as any client would."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from kafka_shop.local.customer import Customer, Json, WalkFailed

DEPOSIT = Decimal("100.00")
MOST_ITEMS, MOST_PIECES = 100, 10_000  # of one order


@dataclass(frozen=True)
class Hop:
    """Something that was seen of an order, and the milliseconds since what was seen before it."""

    name: str
    seen: str
    milliseconds: float


@dataclass(frozen=True, kw_only=True)
class Trip:
    """What became of one order."""

    customer: str
    deposit: Decimal
    balance_before: Decimal
    balance_after: Decimal
    order: Json
    hops: Sequence[Hop]


@dataclass
class Journey:
    """An order on its way: what its customer does about it, and what is seen of it."""

    customer: Customer
    order: Json
    hops: list[Hop] = field(default_factory=list)
    _last: float = field(default_factory=time.perf_counter)

    def saw(self, name: str, seen: str) -> None:
        now = time.perf_counter()
        self.hops.append(Hop(name, seen, (now - self._last) * 1000))
        self._last = now

    def invoice(self, name: str, *statuses: str) -> Json:
        """Waits for the order's invoice to have one of these statuses."""
        invoice = self.customer.wait(
            f"the {' or '.join(statuses)} invoice",
            lambda: self.customer.first("billing/invoices/", order_id=self.order["id"]),
            lambda found: found["status"] in statuses,
        )
        self.saw(name, " ".join(filter(None, (invoice["status"], invoice["reason"]))))
        return invoice

    def end(self) -> None:
        """Waits for the order's end."""
        path = f"orders/{self.order['id']}/"
        self.order = self.customer.wait("the order's end", lambda: self.customer.get(path), lambda found: found["status"] != "pending")
        self.saw("settled", self.order["status"])

    def letter(self) -> None:
        """Waits for the letter."""
        letter = self.customer.wait("the letter", lambda: self.customer.first("notify/notifications/", order_id=self.order["id"]))
        self.saw("letter", letter["subject"])


Way = Callable[[Journey], None]
Choice = Callable[[Sequence[Json], Decimal], list[Json]]


def walk(addresses: Mapping[str, str], check: Callable[[], None], *, on_request: bool) -> list[Trip]:
    """Alice orders what she can pay, bob more than he has. `check` is called while waiting, to raise what else went wrong.

    `addresses`: where each service answers. Raises WalkFailed.
    """
    with Customer(addresses, "alice", check) as alice, Customer(addresses, "bob", check) as bob:
        return [
            travel(alice, one_piece, pay if on_request else be_billed, ends="paid"),
            travel(bob, too_much, give_up if on_request else be_billed, ends="cancelled" if on_request else "rejected"),
        ]


def travel(customer: Customer, choose: Choice, way: Way, *, ends: str) -> Trip:
    """One customer's way from account to letter. `ends`: the status that the order must come to."""
    products = customer.get("orders/products/")["results"]
    if not products:
        raise WalkFailed("the catalogue is empty")
    account = customer.account(products[0]["currency"])
    deposit = max(DEPOSIT, Decimal(cheapest(products)["price"]))
    balance = Decimal(customer.post(f"billing/accounts/{account}/deposits/", amount=f"{deposit:.2f}")["balance"])
    journey = place(customer, choose(products, balance))
    way(journey)
    if journey.order["status"] != ends:
        raise WalkFailed(f"{customer.name}'s order is {journey.order['status']}, it should be {ends}")
    after = Decimal(customer.get(f"billing/accounts/{account}/")["balance"])
    return Trip(
        customer=customer.name, deposit=deposit, balance_before=balance, balance_after=after, order=journey.order, hops=journey.hops
    )


def place(customer: Customer, items: list[Json]) -> Journey:
    """Places an order."""
    began = time.perf_counter()
    journey = Journey(customer, customer.post("orders/", items=items), _last=began)
    journey.saw("accepted", journey.order["status"])
    return journey


def be_billed(journey: Journey) -> None:
    """Billing charges the account by itself, or declines."""
    journey.invoice("billed", "paid", "declined")
    journey.end()
    journey.letter()


def pay(journey: Journey) -> None:
    """The customer pays the open invoice."""
    invoice = journey.invoice("billed", "open")
    paid = journey.customer.post(f"billing/invoices/{invoice['id']}/pay/")
    journey.saw("pays", paid["status"])
    journey.end()
    journey.letter()
    journey.invoice("invoice", "paid")


def give_up(journey: Journey) -> None:
    """The customer cannot pay the open invoice, and cancels the order."""
    invoice = journey.invoice("billed", "open")
    refusal = journey.customer.refused(f"billing/invoices/{invoice['id']}/pay/")
    status = journey.customer.get(f"billing/invoices/{invoice['id']}/")["status"]
    if status != "open":
        raise WalkFailed(f"the invoice is {status} after a refused payment, it should stay open")
    journey.saw("pays", f"{refusal}, stays {status}")
    journey.customer.post(f"orders/{journey.order['id']}/cancel/")
    journey.end()
    journey.letter()
    journey.invoice("invoice", "void")


def cheapest(products: Sequence[Json]) -> Json:
    return min(products, key=lambda product: Decimal(product["price"]))


def one_piece(products: Sequence[Json], balance: Decimal) -> list[Json]:
    """One piece of the cheapest product: a deposit pays for it."""
    return [{"product": cheapest(products)["sku"], "quantity": 1}]


def too_much(products: Sequence[Json], balance: Decimal) -> list[Json]:
    """Items that cost more than `balance`, dearest first. Raises WalkFailed when no order can."""
    items: list[Json] = []
    for product in sorted(products, key=lambda product: Decimal(product["price"]), reverse=True)[:MOST_ITEMS]:
        pieces = min(MOST_PIECES, int(balance / Decimal(product["price"])) + 1)
        items.append({"product": product["sku"], "quantity": pieces})
        balance -= pieces * Decimal(product["price"])
        if balance < 0:
            return items
    raise WalkFailed("bob has more money than one order can cost: use another VAR_DIR for a fresh demo")
