"""What customers do: deposits, orders, cancellations and payments, drawn before the history begins and tried until they are answered."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import close_old_connections

from billing import services as billing
from orders import services as orders
from orders.catalogue import PRODUCTS
from orders.errors import NotCancellable
from tests.simulation.findings import Broken
from tests.simulation.processes import Process

if TYPE_CHECKING:
    from tests.simulation.sessions import Session
    from tests.simulation.world import World

CENTS = {sku: int(price * 100) for sku, _, price in PRODUCTS}
CHEAP = ("TEA-001", "TEA-002", "COF-001", "MUG-001", "POT-001")
MOST_TRIES = 12  # then a customer gives up waiting for an invoice to pay
ORDERS_OF = "SELECT id::text FROM orders_order WHERE customer_id = %s ORDER BY id"
INVOICE_OF = "SELECT id FROM billing_invoice WHERE order_id = %s"


@dataclass
class Customer:
    name: str
    id: UUID
    currency: str  # of the account; none: there is no account
    account: UUID | None = None


@dataclass
class Wish:
    """One thing that a customer wants. order: the number of the order that it is about, in the order of wishing."""

    kind: str  # deposit, place, cancel or pay
    customer: Customer
    cents: int = 0
    items: tuple[tuple[str, int], ...] = ()
    order: int = 0
    tries: int = 0


def people(random: Random) -> list[Customer]:
    """Two with an account, and now and then one without, or with one in another currency."""
    currencies = ["EUR", "EUR", *random.choices([[], ["EUR"], [""], ["USD"]], (6, 3, 1, 1))[0]]
    names = ("alice", "bob", "carol")
    return [
        Customer(name, UUID(int=(7 << 76) | (2 << 62) | random.getrandbits(60)), each)
        for name, each in zip(names, currencies, strict=False)
    ]


def wishes(random: Random, customers: list[Customer]) -> list[Wish]:
    """5 to 15 orders, their cancellations and payments somewhere behind them, and deposits that are enough for some of them."""
    count, plan = random.randint(5, 15), []
    for number in range(count):
        customer = random.choice(customers)
        items = tuple((sku, random.randint(1, 3)) for sku in random.sample(CHEAP, random.randint(1, 2)))
        cents = sum(CENTS[sku] * quantity for sku, quantity in items)
        plan.append((float(number), Wish("place", customer, cents, items, number)))
        if random.random() < 0.4:
            plan.append((number + 3 * random.random(), Wish("cancel", customer, order=number)))
        if settings.BILLING_MODE == "on_request" and random.random() < 0.8:
            plan.append((number + 5 * random.random(), Wish("pay", customer, cents, order=number)))
        if random.random() < 0.7 and customer.currency:
            plan.append((number + 4 * random.random() - 2, Wish("deposit", customer, random.randrange(1000, 8000, 50))))
    return [wish for _, wish in sorted(plan, key=lambda each: each[0])]


class Customers(Process):
    """The web process that serves them, a request a turn."""

    def __init__(self, session: Session, world: World, wishes: list[Wish]) -> None:
        super().__init__("web", session, world)
        self.wishes = wishes
        self._placed: dict[int, str] = {}

    def open_accounts(self, customers: list[Customer]) -> None:
        for customer in customers:
            if customer.currency:
                account = billing.open_account(customer_id=customer.id, currency=customer.currency, now=self.world.clock.now())
                customer.account = account.id
            if customer.currency == settings.CURRENCY:
                self.world.shop.opens(str(customer.id))

    def turn(self) -> None:
        """Serves one wish. One that was not answered comes back, unless its transaction was committed all the same."""
        if not self.wishes:
            return
        wish = self.wishes.pop(self.world.random.randrange(min(3, len(self.wishes))))
        commits, served = self.session.commits, False
        try:
            served = getattr(self, f"_{wish.kind}")(wish)
        except DatabaseError as error:
            self.world.say(f"answers 503 to {wish.kind} {wish.order}: {type(error).__name__}")
            close_old_connections()
        finally:
            self._conclude(wish, served, committed=self.session.commits > commits)

    def _conclude(self, wish: Wish, served: bool, *, committed: bool) -> None:
        wish.tries += 1
        if committed:
            self._tell(wish)
        elif not served and wish.tries < MOST_TRIES:
            self.wishes.insert(min(2, len(self.wishes)), wish)

    # one method a kind of wish; each returns whether the customer got an answer
    def _deposit(self, wish: Wish) -> bool:
        if wish.customer.account is None:
            return True
        billing.deposit(account_id=wish.customer.account, amount=Decimal(wish.cents) / 100, now=self.world.clock.now())
        return True

    def _place(self, wish: Wish) -> bool:
        orders.place_order(customer_id=wish.customer.id, items=wish.items, now=self.world.clock.now())
        return True

    def _cancel(self, wish: Wish) -> bool:
        id = self._placed.get(wish.order)
        if id is None:
            return False
        try:
            orders.cancel_order(order_id=UUID(id), now=self.world.clock.now())
        except NotCancellable:
            self._expect(self.world.shop.orders[id].status in {"rejected", "cancelled"}, f"order {wish.order} could not be cancelled")
        return True

    def _pay(self, wish: Wish) -> bool:
        id = self._placed.get(wish.order)
        found = self.world.observer.execute(INVOICE_OF, [id]).fetchone()
        if id is None or found is None:
            return False
        order = self.world.shop.orders[id]
        try:
            billing.pay_invoice(invoice_id=found[0], now=self.world.clock.now())
        except billing.NotOpen:
            self._expect(order.invoice != "open", f"the open invoice of order {wish.order} could not be paid")
        except billing.NotEnoughMoney:
            self._expect(self.world.shop.balances.get(order.customer, 0) < order.cents, f"order {wish.order} was too dear")
        return True

    def _expect(self, truth: bool, refusal: str) -> None:
        if not truth:
            raise Broken("contract", refusal)

    def _tell(self, wish: Wish) -> None:
        """The model hears of what was committed, whatever the customer was answered."""
        shop, customer = self.world.shop, str(wish.customer.id)
        self.world.say(f"{wish.customer.name}: {wish.kind} {f'order {wish.order}' if wish.kind != 'deposit' else ''} {wish.cents or ''}")
        if wish.kind == "deposit" and customer in shop.balances:
            shop.deposits(customer, wish.cents)
        elif wish.kind == "place":
            [id] = [id for (id,) in self.world.observer.execute(ORDERS_OF, [customer]) if id not in shop.orders]
            self._placed[wish.order] = id
            self.world.names[id] = f"order {wish.order}"
            shop.places(id, customer, wish.cents)
        elif wish.kind == "cancel":
            shop.cancels(self._placed[wish.order])
        elif wish.kind == "pay":
            shop.pays(self._placed[wish.order])
