"""Why orders refuses what a customer asks. Each message is one line that says what is wrong."""

from collections.abc import Sequence


class Unplaceable(Exception):
    """An order that cannot be placed."""


class UnknownProducts(Unplaceable):
    """Products that the catalogue does not sell; `skus` names them."""

    def __init__(self, skus: Sequence[str]) -> None:
        super().__init__(f"the catalogue does not sell {', '.join(skus)}")
        self.skus = list(skus)


class NotCancellable(Exception):
    """An order that is neither pending nor paid."""
