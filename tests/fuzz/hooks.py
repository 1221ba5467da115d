"""What is changed in the requests that schemathesis makes up, and which of them never reach the shop."""

import re
from collections.abc import Iterator
from itertools import count
from typing import Any
from urllib.parse import urlencode

import schemathesis

LONGEST_TARGET = 65_000  # bytes: granian refuses a longer path and query than 65,534 by itself, before the shop hears of it
KEY, PREFER = "Idempotency-Key", "Prefer"
VISIBLE = re.compile(r"[!-~]+")
REUSED = 4  # one in so many keys is sent as it was made up, and so perhaps again

numbers: Iterator[int] = count(1)


def register() -> None:
    """Once a process."""
    schemathesis.hook(before_call)
    schemathesis.hook(filter_case)


def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Most keys are new ones: else nearly every request would be another's twin. And waiting is short: some orders are never settled."""
    headers, number = case.headers or {}, next(numbers)
    if number % REUSED and VISIBLE.fullmatch(str(headers.get(KEY, ""))):
        headers[KEY] = f"{headers[KEY]}-{number}"[-255:]
    if "wait" in str(headers.get(PREFER, "")):
        headers[PREFER] = "wait=1"


def filter_case(context: Any, case: Any) -> bool:
    return len(case.path) + len(urlencode(case.query or {}, doseq=True)) < LONGEST_TARGET
