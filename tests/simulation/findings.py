"""How a simulation ends other than well."""


class Killed(BaseException):
    """The process at work is gone. No `except Exception` of the product may hold it up."""


class Broken(BaseException):
    """An invariant does not hold. The history ends here, whatever the product would do next."""

    def __init__(self, invariant: str, detail: str) -> None:
        super().__init__(f"{invariant}: {detail}")
