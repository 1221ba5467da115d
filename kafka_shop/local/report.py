"""What the demo shows: progress while it starts, and a table of the walk."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.table import Table

from kafka_shop.local.people import CUSTOMERS, OPERATOR
from kafka_shop.local.walk import Json, Trip


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

    def timed(hop: str, text: Sequence[str]) -> list[str]:
        return [cell for trip, value in zip(trips, text, strict=True) for cell in (value, f"{trip.hops[hop]:.0f}")]

    yield "money", plain([f"+{trip.deposit} = {trip.balance_before} {trip.order['currency']}" for trip in trips])
    yield "order", plain([f"{basket(trip.order)} = {trip.order['total']}" for trip in trips])
    yield "accepted", timed("accepted", ["pending" for _ in trips])
    yield "billed", timed("billed", [" ".join(filter(None, (trip.invoice["status"], trip.invoice["reason"]))) for trip in trips])
    yield "settled", timed("settled", [trip.order["status"] for trip in trips])
    yield "letter", timed("letter", [trip.letter["subject"] for trip in trips])
    yield "in all", plain_total(trips)
    yield "balance", plain([f"{trip.balance_after} {trip.order['currency']}" for trip in trips])


def plain_total(trips: Sequence[Trip]) -> list[str]:
    return [cell for trip in trips for cell in ("", f"{sum(trip.hops.values()):.0f}")]


def basket(order: Json) -> str:
    """What was ordered, in a few words."""
    first, *others = order["items"]
    return f"{first['quantity']} × {first['product']}" + (f" and {len(others)} more" if others else "")


def where(console: Console, address: str) -> None:
    """The addresses and the people."""
    console.print(f"API    {address}/api/v1/\nAdmin  {address}/admin/")
    console.print(
        f"People {', '.join(CUSTOMERS)} (customers), {OPERATOR} (operator); password = name\nCtrl-C ends the demo; its data stay."
    )
