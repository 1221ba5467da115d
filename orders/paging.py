"""The short way to a page of a customer's orders (kafka_shop/api/express.py): the first page, and those that its `next` leads to."""

import re
from base64 import b64decode, b64encode
from itertools import groupby
from operator import itemgetter
from typing import Any
from urllib.parse import unquote, urlencode
from uuid import UUID

import msgspec
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from kafka_shop.api.authentication import caller
from kafka_shop.api.express import JSON
from kafka_shop.api.pagination import Pages
from orders import selectors
from orders.events import Item
from orders.forms import OrderOut, Page

CURSOR = re.compile(r"cursor=([A-Za-z0-9%]{1,200})")
POSITION = re.compile(rb"p=([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")  # of REST framework's cursors those that lead on
NEWEST = UUID(int=2**128 - 1)
COLUMNS = 7  # of the order; those of the line follow


def page(request: HttpRequest) -> HttpResponse | None:
    """The customer's orders from the request's cursor on; None: the long way is to be taken."""
    before = position(request.META["QUERY_STRING"])
    who = caller(request.META["HTTP_AUTHORIZATION"], timezone.now()) if before else None
    if before is None or who is None or who.is_staff:
        return None
    orders = [order(list(rows)) for _, rows in groupby(selectors.page(who.id, before=before), itemgetter(0))]
    if before != NEWEST and not orders:
        return None
    base, shown = request.build_absolute_uri(request.path), orders[: Pages.page_size]
    more = address(base, f"p={shown[-1].id}") if len(orders) > len(shown) else None
    back = address(base, f"r=1&p={shown[0].id}") if before != NEWEST else None
    return HttpResponse(msgspec.json.encode(Page(more, back, shown)), content_type=JSON)


def position(query: str) -> UUID | None:
    """The key that a query's cursor leads on from, NEWEST without a query; None when it asks for anything else."""
    if not query:
        return NEWEST
    cursor = CURSOR.fullmatch(query)
    try:
        found = POSITION.fullmatch(b64decode(unquote(cursor[1]), validate=True)) if cursor else None
    except ValueError:
        return None
    return UUID(found[1].decode()) if found else None


def order(rows: list[tuple[Any, ...]]) -> OrderOut:
    """An order from a row for each of its lines."""
    id, status, total, currency, placed_at, settled_at, reason = rows[0][:COLUMNS]
    items = [Item(*row[COLUMNS:]) for row in rows if row[COLUMNS] is not None]
    return OrderOut(id, status, total, currency, items, placed_at, settled_at, reason)


def address(base: str, cursor: str) -> str:
    """A link to another page, as REST framework writes it."""
    return f"{base}?{urlencode({Pages.cursor_query_param: b64encode(cursor.encode()).decode()})}"
