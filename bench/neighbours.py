"""Measures the floor and the ceiling alone, in turns, and checks what each has done: `python -m bench.neighbours --help`."""

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from decimal import Decimal
from statistics import median
from uuid import UUID, uuid4

from bench import ceiling, load, rig, schema

BALANCE = Decimal("1000000.00")
ORDERS, RESULTS = "order-topic", "billing-topic"


def main() -> None:
    """Print messages per second: the median and every turn."""
    options = _options()
    customers = load.make_customers(options.customers)
    with rig.postgres() as dsn, rig.kafka() as kafka:
        rig.set_up_django(dsn)
        for topic in (ORDERS, RESULTS):
            kafka.create_topic(topic, partitions=2)
        load.produce(kafka.bootstrap, ORDERS, load.make_orders(customers, options.orders))
        rates: dict[str, list[float]] = {}
        for _ in range(options.turns):
            rates.setdefault("floor", []).append(measure_floor(kafka.bootstrap, dsn, customers, options.floor_orders))
            for size in options.batch_sizes:
                rate = measure_ceiling(kafka.bootstrap, dsn, customers, options.orders, size)
                rates.setdefault(f"ceiling, batches of {size}", []).append(rate)
    for name, found in rates.items():
        print(f"{name:<24} {median(found):>8,.0f} messages/s   ({', '.join(f'{rate:,.0f}' for rate in found)})")


def measure_ceiling(bootstrap: str, dsn: str, customers: Sequence[UUID], orders: int, batch_size: int) -> float:
    """Let the ceiling bill the `orders` messages on the topic from the start; return messages per second."""
    schema.prepare(dsn, customers, balance=BALANCE)
    rate = ceiling.run(bootstrap, dsn, ORDERS, batch_size=batch_size)
    schema.verify(dsn, orders=orders, paid=orders, facts=orders, balance=BALANCE)
    return rate


def measure_floor(bootstrap: str, dsn: str, customers: Sequence[UUID], orders: int) -> float:
    """Let the floor bill the first `orders` messages on the topic; return messages per second."""
    from bench import floor  # its models can be imported only when Django is set up

    schema.prepare(dsn, customers, balance=BALANCE)
    rate = floor.run(bootstrap, ORDERS, RESULTS, count=orders, group=f"bench.floor.{uuid4()}")
    schema.verify(dsn, orders=orders, paid=orders, facts=0, balance=BALANCE)
    return rate


def _options() -> Namespace:
    parser = ArgumentParser(prog="python -m bench.neighbours", description=__doc__)
    parser.add_argument("--orders", type=int, default=100_000, help="orders that the ceiling bills a turn")
    parser.add_argument("--floor-orders", type=int, default=1_000, help="orders that the floor bills a turn")
    parser.add_argument("--customers", type=int, default=1_000)
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[1_000])
    parser.add_argument("--turns", type=int, default=3)
    return parser.parse_args()


if __name__ == "__main__":
    main()
