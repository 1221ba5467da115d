"""How long a lone order takes from its POST to its customer's letter. For a set-up Django."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from http.client import HTTPConnection
from statistics import median, quantiles
from threading import Thread
from typing import Any, NamedTuple

import psycopg
from django.db import connection
from knox.models import AuthToken

from bench import data
from bench.cores import Cores
from bench.shop import PATIENCE_SECONDS, Show, dsn, started, wait, whole
from kafka_shop.ids import uuid7
from kafka_shop.local.plan import HOST
from kafka_shop.local.readiness import consumers_are_ready, web_is_ready
from kafka_shop.users.models import User
from orders import selectors
from orders.services import seed_catalogue

ORDERS_A_SECOND = 10
WARM_UP_ORDERS = 20
BALANCE = Decimal("1000000.00")
TELL = """
CREATE OR REPLACE FUNCTION bench_tell() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_notify('letter', NEW.order_id::text); RETURN NEW; END $$;
CREATE TRIGGER bench_tell AFTER INSERT ON notify_letter FOR EACH ROW EXECUTE FUNCTION bench_tell()
"""
TELL_NO_MORE = "DROP TRIGGER bench_tell ON notify_letter"


class Latency(NamedTuple):
    """Milliseconds from the POST until its answer, and until the letter is there for all to see."""

    answers: list[float]
    letters: list[float]
    cores: Mapping[str, float]


def measure(transport: str, names: Mapping[str, str], seconds: int, show: Show) -> Latency:
    """Places ORDERS_A_SECOND orders through the web for so long, each at its time whatever became of the last."""
    token, sku = customer()
    web, processes = whole(transport, names)
    with started(processes) as check, heard() as letters:
        wait(lambda: web_is_ready(web) and (transport == "http" or consumers_are_ready({})), True, check)
        client = Client(web.port, token, sku)
        run(client, letters, WARM_UP_ORDERS, check, lambda _: None)
        cores, count = Cores(), seconds * ORDERS_A_SECOND
        answers, times = run(client, letters, count, check, show)
        used = cores.used()
    data.verify(paid_orders=count + WARM_UP_ORDERS, letters=count + WARM_UP_ORDERS, dead_letters=0, wrong_accounts=0)
    return Latency(answers, times, used)


def customer() -> tuple[str, str]:
    """Makes a customer with money; returns a token, and the cheapest product's SKU."""
    user = User.objects.create_user(f"bench-{uuid7()}")
    data.prepare([user.id], balance=BALANCE)
    seed_catalogue()
    return str(AuthToken.objects.create(user=user)[1]), min(selectors.products(), key=lambda product: product.price).sku


def run(client: "Client", letters: dict[str, float], count: int, check: Callable[[], None], show: Show) -> tuple[list[float], list[float]]:
    """Places `count` orders and waits for their letters; returns the milliseconds to each answer and to each letter."""
    begun = time.perf_counter() + 0.1
    posted: dict[str, float] = {}
    answers = []
    for number in range(count):
        due = begun + number / ORDERS_A_SECOND
        time.sleep(max(0, due - time.perf_counter()))
        posted[client.order()] = due
        answers.append((time.perf_counter() - due) * 1000)
        show(number + 1)
    wait(lambda: posted.keys() <= letters.keys(), True, check)
    return answers, [(letters[order] - due) * 1000 for order, due in posted.items()]


def p50(milliseconds: list[float]) -> float:
    return median(milliseconds)


def p99(milliseconds: list[float]) -> float:
    return quantiles(milliseconds, n=100, method="inclusive")[98]


class Client:
    """A customer who orders over one connection that stays open."""

    def __init__(self, port: int, token: str, sku: str, *, keys: bool = False) -> None:
        self._connection = HTTPConnection(HOST, port, timeout=PATIENCE_SECONDS)
        self._headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        self._body = json.dumps({"items": [{"product": sku, "quantity": 1}]})
        self._keys = keys  # whether each order has its Idempotency-Key

    def order(self) -> str:
        """Places an order and returns its id."""
        key = {"Idempotency-Key": str(uuid7())} if self._keys else {}
        self._connection.request("POST", "/api/v1/orders/", self._body, self._headers | key)
        answer = self._connection.getresponse()
        body: dict[str, Any] = json.loads(answer.read())
        if answer.status != 201:
            raise RuntimeError(f"the order was answered with {answer.status}: {body}")
        return str(body["id"])

    def read(self) -> None:
        """Reads the first page of the customer's orders."""
        self._connection.request("GET", "/api/v1/orders/", headers=self._headers)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"the page was answered with {answer.status}: {content!r}")


@contextmanager
def heard() -> Iterator[dict[str, float]]:
    """The time at which each order's letter was committed, as PostgreSQL tells it; nobody has to look."""
    letters: dict[str, float] = {}
    with psycopg.connect(dsn(), autocommit=True) as listener, connection.cursor() as cursor:
        listener.execute("LISTEN letter")
        cursor.execute(TELL)
        thread = Thread(target=_listen, args=(listener, letters), daemon=True)
        thread.start()
        try:
            yield letters
        finally:
            cursor.execute(TELL_NO_MORE)
            cursor.execute("NOTIFY letter")
            thread.join()


def _listen(listener: "psycopg.Connection[Any]", letters: dict[str, float]) -> None:
    for notice in listener.notifies():
        if not notice.payload:
            return
        letters[notice.payload] = time.perf_counter()
