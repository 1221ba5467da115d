"""How many orders a second a web places, and how many pages of orders it reads: the shop's, and its neighbours'. For a set-up Django."""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import httpx
from django.db import connection
from django.utils import timezone

from bench import data
from bench.cores import Cores
from bench.latency import Client, customer
from bench.shop import Rate, Show, started, wait
from kafka_shop.local.plan import HOST, Web, shop, webs
from kafka_shop.local.processes import Process
from kafka_shop.users.models import User
from orders.services import place_orders

CUSTOMERS = 8  # at once: as many as a web has threads
WARM_UP_ORDERS = 100  # of each
ON_A_PAGE = 60  # orders of the customer who reads: more than a page
FAST_API = "-m uvicorn bench.asynchronous:app --no-access-log --log-level warning"


@dataclass(frozen=True)
class Subject:
    """What is measured: the shop as it is, or a neighbour."""

    settings: str = ""  # of a plain Django in the same server
    is_fast_api: bool = False
    keys: bool = False  # each order with its Idempotency-Key
    reads: bool = False  # pages, and no orders

    def process(self, web: Web) -> Process:
        own = next(iter(shop([web])))
        if self.is_fast_api:
            return replace(own, command=fast_api(web), environment=own.environment | database())
        return replace(own, environment=own.environment | {"DJANGO_SETTINGS_MODULE": self.settings}) if self.settings else own


SUBJECTS = {
    "bare view": Subject(settings="bench.bare_settings"),
    "one-statement view": Subject(settings="bench.one_statement_settings"),
    "FastAPI": Subject(is_fast_api=True),
    "placing": Subject(),
    "placing with keys": Subject(keys=True),
    "one-statement page": Subject(settings="bench.one_statement_settings", reads=True),
    "page": Subject(reads=True),
}


def measure(subject: Subject, *, orders: int, show: Show) -> Rate:
    """Asks one web `orders` times, nothing else of the shop being up: answers a second, and the cores that each part used."""
    token, sku = customer()
    if subject.reads:
        place_orders(customer_id=User.objects.latest("date_joined").pk, baskets=[[(sku, 1)]] * ON_A_PAGE, now=timezone.now())
    rate = through(token, sku, subject=subject, orders=orders, show=show)
    data.verify(outbox=ON_A_PAGE if subject.reads else orders // CUSTOMERS * CUSTOMERS + WARM_UP_ORDERS * CUSTOMERS)
    return rate


def through(token: str, sku: str, *, subject: Subject = SUBJECTS["placing"], orders: int, show: Show) -> Rate:
    """The same for a customer who is known, in whatever tables there are."""
    [web] = webs(0)
    with started([subject.process(web)]) as check:
        wait(lambda: answers(web), True, check)
        clients = [Client(web.port, token, sku, keys=subject.keys) for _ in range(CUSTOMERS)]
        ask(clients, WARM_UP_ORDERS * CUSTOMERS, bool, reads=subject.reads)
        cores, begun = Cores(), time.perf_counter()
        asked = ask(clients, orders, show, reads=subject.reads)
        return asked / (time.perf_counter() - begun), cores.used()


def fast_api(web: Web) -> list[str]:
    return [sys.executable, *FAST_API.split(), "--host", HOST, "--port", str(web.port)]


def database() -> dict[str, str]:
    """Where the database is, for a neighbour without Django."""
    own = connection.settings_dict
    return {"BENCH_HOST": own["HOST"], "BENCH_DATABASE": own["NAME"]}


def answers(web: Web) -> bool:
    """Whether a web answers at all: neighbours have no page that says that they are ready."""
    try:
        return bool(httpx.get(web.address, timeout=5, trust_env=False).status_code)
    except httpx.HTTPError:
        return False


def ask(clients: list[Client], times: int, show: Show, *, reads: bool) -> int:
    """Lets all clients order, or read, at once, each as often; returns how often they did."""
    each = times // len(clients)

    def work(client: Client) -> None:
        for number in range(each):
            client.read() if reads else client.order()
            if client is clients[0]:
                show(number * len(clients))

    with ThreadPoolExecutor(len(clients)) as pool:
        list(pool.map(work, clients))
    return each * len(clients)
