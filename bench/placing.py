"""How many orders a second a web places: the shop's, with and without Idempotency-Key, and the bare view's. For a set-up Django."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import httpx

from bench import data
from bench.cores import Cores
from bench.latency import Client, customer
from bench.shop import Rate, Show, started, wait
from kafka_shop.local.plan import Web, shop, webs
from kafka_shop.local.processes import Process

CUSTOMERS = 8  # at once: as many as a web has threads
WARM_UP_ORDERS = 100  # of each
BARE = {"DJANGO_SETTINGS_MODULE": "bench.bare_settings"}
APPLICATIONS = {"kafka_shop.wsgi": "django.core.wsgi:get_wsgi_application()"}  # the bare view's instead of the shop's


def measure(*, is_bare: bool, keys: bool, orders: int, show: Show) -> Rate:
    """Places `orders` orders through one web, nothing else of the shop being up: orders a second, and the cores that each part used."""
    token, sku = customer()
    rate = through(token, sku, is_bare=is_bare, keys=keys, orders=orders, show=show)
    data.verify(outbox=orders // CUSTOMERS * CUSTOMERS + WARM_UP_ORDERS * CUSTOMERS)
    return rate


def through(token: str, sku: str, *, is_bare: bool = False, keys: bool = False, orders: int, show: Show) -> Rate:
    """The same for a customer who is known, in whatever tables there are."""
    [web] = webs(0)
    process = next(iter(shop([web])))
    with started([bare(process) if is_bare else process]) as check:
        wait(lambda: answers(web), True, check)
        clients = [Client(web.port, token, sku, keys=keys) for _ in range(CUSTOMERS)]
        place(clients, WARM_UP_ORDERS * CUSTOMERS, bool)
        cores, begun = Cores(), time.perf_counter()
        placed = place(clients, orders, show)
        return placed / (time.perf_counter() - begun), cores.used()


def bare(process: Process) -> Process:
    """The same gunicorn with the bare view in it."""
    command = [APPLICATIONS.get(word, word) for word in process.command]
    return replace(process, command=command, environment=process.environment | BARE)


def answers(web: Web) -> bool:
    """Whether a web answers at all: the bare one has no page that says that it is ready."""
    try:
        return bool(httpx.get(web.address, timeout=5, trust_env=False).status_code)
    except httpx.HTTPError:
        return False


def place(clients: list[Client], orders: int, show: Show) -> int:
    """Lets all clients order at once, each as often; returns how many orders were placed."""
    each = orders // len(clients)

    def work(client: Client) -> None:
        for number in range(each):
            client.order()
            if client is clients[0]:
                show(number * len(clients))

    with ThreadPoolExecutor(len(clients)) as pool:
        list(pool.map(work, clients))
    return each * len(clients)
