"""The whole shop in the test's own process: what its customers do by the REST API, and relay and consumers a turn at a time."""

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import Any, NamedTuple

import httpx
from django.conf import settings
from django.db import connections
from django.test import Client
from django.utils import timezone

from consumers.audit import audit
from consumers.loop import Loop
from consumers.models import DeadLetter
from consumers.relay import couriers
from consumers.routes import ROUTES
from kafka_shop.databases import served_aliases
from kafka_shop.messaging.http import Away
from kafka_shop.messaging.models import OutboxRow
from kafka_shop.messaging.relay import Carrier
from kafka_shop.users.models import User
from kafka_shop.wsgi import application
from tests.flows.ways import Way

LONGEST_SECONDS = 30.0  # that it may take to come to rest


class View(NamedTuple):
    """What a customer sees of an order, and of the money."""

    order: str
    invoice: str
    letters: list[str]
    balance: str


class Customer:
    """Somebody who is signed in."""

    def __init__(self, name: str, money: str) -> None:
        self._client = Client()
        self._client.force_login(User.objects.create_user(name))
        self._account = self.post("billing/accounts/")["id"]
        self.deposit(money)

    def deposit(self, money: str) -> None:
        self.post(f"billing/accounts/{self._account}/deposits/", amount=money)

    def order(self, product: str = "TEA-001", quantity: int = 1) -> str:
        """Places an order and returns its id; a piece of tea costs 7.50."""
        return str(self.post("orders/", items=[{"product": product, "quantity": quantity}])["id"])

    def cancel(self, order: str, expect: int = 200) -> None:
        self.post(f"orders/{order}/cancel/", expect)

    def pay(self, order: str, expect: int = 200) -> None:
        self.post(f"billing/invoices/{self.invoice(order)['id']}/pay/", expect)

    def sees(self, order: str) -> View:
        letters = self.get(f"notify/notifications/?order_id={order}")["results"]
        return View(
            order=self.get(f"orders/{order}/")["status"],
            invoice=self.invoice(order)["status"],
            letters=sorted(letter["outcome"] for letter in letters),
            balance=self.get(f"billing/accounts/{self._account}/")["balance"],
        )

    def statement(self) -> list[tuple[str, str]]:
        """Kind and amount of every transfer, oldest first."""
        transfers = self.get(f"billing/accounts/{self._account}/transfers/")["results"]
        return [(transfer["kind"], transfer["amount"]) for transfer in reversed(transfers)]

    def invoice(self, order: str) -> dict[str, Any]:
        [invoice] = self.get(f"billing/invoices/?order_id={order}")["results"]
        return dict(invoice)

    def get(self, path: str) -> dict[str, Any]:
        answer = self._client.get(f"/api/v1/{path}")
        assert answer.status_code == 200, answer.content
        return dict(answer.json())

    def post(self, path: str, expect: int | None = None, **body: object) -> dict[str, Any]:
        """expect: the status; without it 201."""
        answer = self._client.post(f"/api/v1/{path}", body, content_type="application/json")
        assert answer.status_code == (expect or 201), answer.content
        return dict(answer.json())


class Web(httpx.BaseTransport):
    """The services' web, in a thread of its own: what it does is never part of the relay's transaction.

    `on_way` is called with the path of each request before it arrives, and may keep it from arriving.
    """

    def __init__(self) -> None:
        self.on_way: Callable[[str], object] = lambda path: None
        self._thread = ThreadPoolExecutor(1)
        self._server = httpx.WSGITransport(application)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.on_way(request.url.path)
        return self._thread.submit(self._answer, request).result()

    def close(self) -> None:
        self._thread.submit(connections.close_all).result()
        self._thread.shutdown()

    def _answer(self, request: httpx.Request) -> httpx.Response:
        answer = self._server.handle_request(request)
        content = answer.read()
        answer.close()
        return httpx.Response(answer.status_code, headers=answer.headers, content=content)


class Shop:
    """Relay and consumers move only while a test lets them."""

    def __init__(self, way: Way) -> None:
        self.way = way
        self.start()

    def customer(self, name: str, money: str) -> Customer:
        return Customer(name, money)

    def start(self, disturbed: Callable[[Carrier], Carrier] = lambda carry: carry) -> None:
        """A new relay, and new consumers where there is a log to read; what the relay carries is disturbed."""
        self._couriers = couriers()
        for courier in self._couriers:
            courier.carry = disturbed(courier.carry)
        self._loops = [Loop(name) for name in ROUTES] if settings.TRANSPORT == "kafka" else []

    def stop(self) -> None:
        for loop in self._loops:
            loop.close()

    def restart(self, disturbed: Callable[[Carrier], Carrier] = lambda carry: carry) -> None:
        self.stop()
        self.start(disturbed)

    def publish(self, later: timedelta = timedelta()) -> int:
        """One turn of the relay, now or so much later; returns how many facts left. Who is away holds up no other."""
        count = 0
        for courier in self._couriers:
            with suppress(Away):
                count += courier.turn(timezone.now() + later)
        return count

    def drain(self, *names: str) -> None:
        """Lets these consumers read their logs to the end."""
        deadline = time.monotonic() + LONGEST_SECONDS
        for loop in (loop for loop in self._loops if loop.name in names):
            while not loop.idle:
                assert time.monotonic() < deadline, f"{loop.name} does not come to the end of its log"
                loop.run_once()

    def settle(self, dead_letters: Iterable[str] = ()) -> None:
        """Carries every fact to its end, and proves that nothing is lost; only these consumers may have an open dead letter, one each."""
        deadline = time.monotonic() + LONGEST_SECONDS
        self.drain(*ROUTES)
        while self.publish() or any(self._outboxes()):
            assert time.monotonic() < deadline, f"these facts do not leave: {list(self._outboxes())}"
            self.drain(*ROUTES)
        report = audit(timezone.now())
        assert (report.findings, report.in_flight) == ([], [])
        assert sorted(self._dead_letters()) == sorted(dead_letters)

    def _outboxes(self) -> Iterator[str]:
        """The facts that wait."""
        for alias in served_aliases():
            yield from OutboxRow.objects.using(alias).values_list("event_id", flat=True)

    def _dead_letters(self) -> Iterator[str]:
        """The consumer of each open dead letter."""
        for alias in served_aliases():
            yield from DeadLetter.objects.using(alias).filter(closed_at=None).values_list("consumer", flat=True)
