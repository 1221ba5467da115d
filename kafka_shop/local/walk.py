"""The demo's walk: account, money, order and letter, through the REST API as any client would."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import TracebackType
from typing import Any, Self

import httpx

DEPOSIT = Decimal("100.00")
MOST_ITEMS, MOST_PIECES = 100, 10_000  # of one order
HOP_SECONDS = 120.0  # a backlog may lie before the order
PAUSE_SECONDS = 0.005

Json = dict[str, Any]


class WalkFailed(Exception):
    """A step of the walk did not go as it must; the message says which and why."""


@dataclass(frozen=True, kw_only=True)
class Trip:
    """What became of one order. `hops`: the milliseconds from one sight to the next, by name."""

    customer: str
    deposit: Decimal
    balance_before: Decimal
    balance_after: Decimal
    order: Json
    invoice: Json
    letter: Json
    hops: Mapping[str, float]


def walk(address: str, check: Callable[[], None]) -> list[Trip]:
    """Alice orders what she can pay, bob more than he has. `check` is called while waiting, to raise what else went wrong.

    Raises WalkFailed.
    """
    with Customer(address, "alice", check) as alice, Customer(address, "bob", check) as bob:
        return [
            travel(alice, choose=one_piece, ends="paid"),
            travel(bob, choose=too_much, ends="rejected"),
        ]


def travel(customer: "Customer", *, choose: Callable[[Sequence[Json], Decimal], list[Json]], ends: str) -> Trip:
    """One customer's way from account to letter. `ends`: the status that the order must come to."""
    products = customer.get("orders/products/")["results"]
    if not products:
        raise WalkFailed("the catalogue is empty")
    account = customer.account(products[0]["currency"])
    deposit = max(DEPOSIT, Decimal(cheapest(products)["price"]))
    balance = Decimal(customer.post(f"billing/accounts/{account}/deposits/", amount=f"{deposit:.2f}")["balance"])
    order, invoice, letter, hops = follow(customer, choose(products, balance))
    if order["status"] != ends:
        raise WalkFailed(f"{customer.name}'s order is {order['status']}, it should be {ends}")
    after = Decimal(customer.get(f"billing/accounts/{account}/")["balance"])
    return Trip(
        customer=customer.name,
        deposit=deposit,
        balance_before=balance,
        balance_after=after,
        order=order,
        invoice=invoice,
        letter=letter,
        hops=hops,
    )


def follow(customer: "Customer", items: list[Json]) -> tuple[Json, Json, Json, dict[str, float]]:
    """Places an order and watches it pass through the services: the order, its invoice, its letter, and the time of each hop."""
    clock = Stopwatch()
    order = customer.post("orders/", items=items)
    clock.lap("accepted")
    invoice = customer.wait(
        "the invoice", lambda: customer.first("billing/invoices/", order_id=order["id"]), lambda found: found["status"] != "open"
    )
    clock.lap("billed")
    order = customer.wait("the order's end", lambda: customer.get(f"orders/{order['id']}/"), lambda found: found["status"] != "pending")
    clock.lap("settled")
    letter = customer.wait("the letter", lambda: customer.first("notify/notifications/", order_id=order["id"]))
    clock.lap("letter")
    return order, invoice, letter, clock.laps


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


class Stopwatch:
    """Milliseconds from one lap to the next."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name] = (now - self._last) * 1000
        self._last = now


class Customer:
    """A customer who is signed in with the name as password."""

    def __init__(self, address: str, name: str, check: Callable[[], None]) -> None:
        self.name, self._check = name, check
        self._client = httpx.Client(base_url=f"{address}/api/v1/", timeout=10, trust_env=False)

    def __enter__(self) -> Self:
        token = self.post("auth/token/", username=self.name, password=self.name)["token"]
        self._client.headers["Authorization"] = f"Bearer {token}"
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._client.close()

    def get(self, path: str, **query: str) -> Json:
        return self._json(self._ask("GET", path, params=query))

    def post(self, path: str, **body: Any) -> Json:
        return self._json(self._ask("POST", path, json=body))

    def first(self, path: str, **query: str) -> Json | None:
        """The newest entry of a list, if there is one."""
        results: list[Json] = self.get(path, **query)["results"]
        return results[0] if results else None

    def account(self, currency: str) -> str:
        """The id of the customer's account in a currency; it is opened when there is none."""
        if currency not in (known := self._accounts()):
            opened = self._ask("POST", "billing/accounts/", json={"currency": currency})
            if opened.status_code != httpx.codes.CONFLICT:  # someone else has just opened it
                self._json(opened)
            known = self._accounts()
        return known[currency]

    def _accounts(self) -> dict[str, str]:
        return {account["currency"]: account["id"] for account in self.get("billing/accounts/")["results"]}

    def wait(self, what: str, look: Callable[[], Json | None], enough: Callable[[Json], bool] = bool) -> Json:
        """Looks again and again until it sees enough. Raises WalkFailed after HOP_SECONDS."""
        deadline = time.monotonic() + HOP_SECONDS
        while not ((found := look()) and enough(found)):
            self._check()
            if time.monotonic() > deadline:
                raise WalkFailed(f"{what} of {self.name} did not come within {HOP_SECONDS:g} s")
            time.sleep(PAUSE_SECONDS)
        return found

    def _ask(self, method: str, path: str, **content: Any) -> httpx.Response:
        try:
            return self._client.request(method, path, **content)
        except httpx.HTTPError as error:
            raise WalkFailed(f"{method} {path} failed: {error}") from error

    def _json(self, answer: httpx.Response) -> Json:
        if not answer.is_success:
            raise WalkFailed(f"{answer.request.method} {answer.url.path} answered {answer.status_code}: {answer.text[:200]}")
        body: Json = answer.json()
        return body
