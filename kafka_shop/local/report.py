"""What the demo shows: progress while it starts, and a table of the walk."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.table import Table

from kafka_shop.local.customer import Json
from kafka_shop.local.people import CUSTOMERS, OPERATOR
from kafka_shop.local.plan import Web
from kafka_shop.local.walk import Trip


@contextmanager
def step(console: Console, what: str) -> Iterator[None]:
    """Says what is being done, and how long it took once it is done."""
    console.print(f"{what} … ", end="", soft_wrap=True)
    began = time.monotonic()
    try:
        yield
    except BaseException:
        console.print()  # the error starts on a line of its own
        raise
    console.print(f"{time.monotonic() - began:.1f} s")


def table(trips: Sequence[Trip]) -> Table:
    """A column a customer, a row for each thing that happened, with the milliseconds since the row above it."""
    shown = Table(title="Two orders through three services", title_justify="left")
    shown.add_column("")
    for trip in trips:
        shown.add_column(trip.customer)
        shown.add_column("ms", justify="right")
    for name, cells in rows(trips):
        shown.add_row(name, *cells)
    return shown


def rows(trips: Sequence[Trip]) -> Iterator[tuple[str, list[str]]]:
    """Name and cells of every row."""

    def plain(text: Sequence[str]) -> list[str]:
        return [cell for value in text for cell in (value, "")]

    yield "money", plain([f"+{trip.deposit} = {trip.balance_before} {trip.order['currency']}" for trip in trips])
    yield "order", plain([f"{basket(trip.order)} = {trip.order['total']}" for trip in trips])
    for hops in zip(*(trip.hops for trip in trips), strict=True):
        yield hops[0].name, [cell for hop in hops for cell in (hop.seen, f"{hop.milliseconds:.0f}")]
    yield "in all", plain_total(trips)
    yield "balance", plain([f"{trip.balance_after} {trip.order['currency']}" for trip in trips])


def plain_total(trips: Sequence[Trip]) -> list[str]:
    return [cell for trip in trips for cell in ("", f"{sum(hop.milliseconds for hop in trip.hops):.0f}")]


def basket(order: Json) -> str:
    """What was ordered, in a few words."""
    first, *others = order["items"]
    return f"{first['quantity']} × {first['product']}" + (f" and {len(others)} more" if others else "")


def way(webs: Sequence[Web]) -> str:
    """What the walk is called, with the addresses that it goes through where there are several."""
    through = ", ".join(f"{web.services[0]} ({web.address})" for web in webs)
    return "Walking from account to letter, paid and refused" + (f", through {through}" if len(webs) > 1 else "")


def where(console: Console, webs: Sequence[Web]) -> None:
    """The addresses and the people."""
    for web in webs:
        console.print(f"API     {web.address}/api/v1/" + (f" ({', '.join(web.services)})" if len(webs) > 1 else ""))
    for web in webs:
        console.print(f"Console {web.address}/admin/ (name {OPERATOR}, password {OPERATOR}): watch it live, and try it", soft_wrap=True)
    console.print(
        f"People  {', '.join(CUSTOMERS)} (customers), {OPERATOR} (operator); password = name\nCtrl-C ends the demo; its data stay."
    )
