"""Prices as this process saw them last: a guess, which the statement that places an order compares with the catalogue."""

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal

from orders import selectors

MOST_PRICES = 10_000
_known: dict[str, tuple[Decimal, str]] = {}


def prices(skus: Collection[str]) -> Mapping[str, tuple[Decimal, str]]:
    """Price and currency of those of these products that are sold, by SKU; read when one of them is not remembered."""
    known = {sku: price for sku in skus if (price := _known.get(sku))}
    if len(known) == len(skus):
        return known
    if len(_known) > MOST_PRICES:
        _known.clear()
    known = selectors.prices(skus)
    _known.update(known)
    return known


def forget(skus: Iterable[str]) -> None:
    """The next order reads the prices of these products."""
    for sku in skus:
        _known.pop(sku, None)
