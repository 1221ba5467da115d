"""Customers, who order over HTTP as long as the run lasts, and the ones who measure how long an order takes. For a set-up Django."""

import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from threading import Event, Thread
from uuid import UUID

import httpx
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from django.utils import timezone
from knox.models import AuthToken

import billing.services
from kafka_shop.databases import rows
from kafka_shop.users.models import User
from tests.kafka.probe import wait_until

PRODUCT = "TEA-001"
RICH, POOR = Decimal("900000000.00"), Decimal("5.00")
ANSWER_SECONDS = 5.0
PAUSE_SECONDS = 0.2  # between two orders of a customer
CANCELLED = 0.05  # of the orders
LONGEST_SECONDS = 180.0  # that an order may take: a bound for what never comes
ONE_A_PARTITION = "SELECT DISTINCT ON (partition) customer_id FROM billing_invoice WHERE customer_id = ANY(%s) ORDER BY partition"
ENDED = "SELECT count(DISTINCT order_id) FROM notify_letter WHERE order_id = ANY(%s)"


class Customer:
    """Somebody with an account, who orders tea and remembers every order that was accepted."""

    def __init__(self, address: str, money: Decimal) -> None:
        now = timezone.now()
        user = User.objects.create_user(f"chaos-{time.monotonic_ns()}")
        account = billing.services.open_account(customer_id=user.id, currency=settings.CURRENCY, now=now)
        billing.services.deposit(account_id=account.id, amount=money, now=now)
        self.accepted: list[UUID] = []
        self.answers: Counter[str] = Counter()
        headers = {"Authorization": f"Bearer {AuthToken.objects.create(user=user)[1]}"}
        anew = httpx.Limits(max_keepalive_connections=0)  # a connection that broke with the web must not be met again
        self._client = httpx.Client(
            base_url=f"{address}/api/v1/orders/", headers=headers, timeout=ANSWER_SECONDS, limits=anew, trust_env=False
        )
        self.id = user.id

    def order(self) -> UUID | None:
        """Places an order and returns its id; None when there was no answer, or another one than 201."""
        answer = self._post("", items=[{"product": PRODUCT, "quantity": random.randint(1, 3)}])
        if answer is None or answer.status_code != httpx.codes.CREATED:
            return None
        self.accepted.append(UUID(answer.json()["id"]))
        return self.accepted[-1]

    def cancel(self, order: UUID) -> None:
        """It may be rejected, or out of reach: then it is not."""
        self._post(f"{order}/cancel/")

    def _post(self, path: str, **body: object) -> httpx.Response | None:
        try:
            answer = self._client.post(path, json=body)
        except httpx.HTTPError as error:
            self.answers[type(error).__name__] += 1
            return None
        self.answers[str(answer.status_code)] += 1
        return answer


class Crowd:
    """Customers who keep ordering, and others who order only to see how long it takes."""

    def __init__(self, address: str) -> None:
        self._ordering = [Customer(address, money) for money in (RICH, RICH, RICH, POOR)]
        self._others = [Customer(address, RICH) for _ in range(8)]  # enough for every partition to have some
        self._measuring = self._others

    @property
    def accepted(self) -> list[UUID]:
        return [order for customer in [*self._ordering, *self._others] for order in customer.accepted]

    @property
    def answers(self) -> Counter[str]:
        return sum((customer.answers for customer in [*self._ordering, *self._others]), Counter())

    @contextmanager
    def ordering(self) -> Iterator[None]:
        """Orders keep coming while the block runs."""
        over = Event()
        threads = [Thread(target=self._order_until, args=(customer, over), daemon=True) for customer in self._ordering]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            over.set()
            for thread in threads:
                thread.join()

    def begin(self) -> None:
        """Waits for the first orders, and chooses who measures: one customer a partition."""
        self.recovery()
        chosen = {id for (id,) in rows("default", ONE_A_PARTITION, [customer.id for customer in self._others])}
        self._measuring = [customer for customer in self._others if customer.id in chosen]

    def recovery(self) -> float:
        """The seconds until orders placed from now on have come to their ends, letters and all. Raises TimeoutError."""
        begun = time.monotonic()
        placed = [placed_at_last(customer) for customer in self._measuring]
        wait_until(lambda: ended(placed), LONGEST_SECONDS, "the orders placed after the fault come to their ends")
        return time.monotonic() - begun

    def _order_until(self, customer: Customer, over: Event) -> None:
        while not over.wait(random.uniform(0.5, 1.5) * PAUSE_SECONDS):
            order = customer.order()
            if order and random.random() < CANCELLED:
                customer.cancel(order)


def placed_at_last(customer: Customer) -> UUID:
    """Tries until an order is accepted. Raises TimeoutError."""
    wait_until(lambda: customer.order() is not None, LONGEST_SECONDS, "an order is accepted")
    return customer.accepted[-1]


def ended(orders: Sequence[UUID]) -> bool:
    """Whether each of the orders has a letter."""
    try:
        return int(rows("default", ENDED, list(orders))[0][0]) == len(orders)
    except DatabaseError:
        connection.close()
        return False
