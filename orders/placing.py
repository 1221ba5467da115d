"""The short way to place an order (kafka_shop/api/express.py): one statement places the order, or nothing."""

import msgspec
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from psycopg.errors import LockNotAvailable

from kafka_shop.api import idempotency
from kafka_shop.api.authentication import Sender, sender
from kafka_shop.api.express import JSON
from kafka_shop.databases import alias_of
from orders import services
from orders.errors import Unplaceable
from orders.forms import NewOrder, OrderOut
from orders.models import Status
from orders.store import Placement

_decoder = msgspec.json.Decoder(NewOrder)


def place(request: HttpRequest) -> HttpResponse | None:
    """Places the order of a body and answers. None: the long way is to be taken, and nothing has happened yet."""
    new, now = body(request), timezone.now()
    who = sender(request.META["HTTP_AUTHORIZATION"], now, acts_on=alias_of("orders")) if new and has_a_good_key(request) else None
    if new is None or who is None:
        return None
    try:
        order = services.guess_order(customer_id=who.id, items=[(line.product, line.quantity) for line in new.items], now=now)
    except Unplaceable:
        return None
    content = msgspec.json.encode(told(order))
    location = f"{request.build_absolute_uri(request.path)}{order.id}/"
    if not placed(order, who, answer(request, new, order, location, content)):
        return None
    return HttpResponse(content, status=201, content_type=JSON, headers={"Location": location})


def body(request: HttpRequest) -> NewOrder | None:
    """The order of a request's body; None for what the long way refuses, or looks at more closely.

    As many colons as names: so none is given twice. No backslash: so there is no half of a surrogate pair, and no U+0000.
    """
    if request.META.get("CONTENT_TYPE") != JSON or request.META["QUERY_STRING"]:
        return None
    try:
        new = _decoder.decode(content := request.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    products = {line.product for line in new.items}
    is_plain = content.count(b":") == 1 + 2 * len(new.items) == 1 + 2 * len(products) and b"\\" not in content
    return new if is_plain else None


def has_a_good_key(request: HttpRequest) -> bool:
    """Whether a request has an Idempotency-Key that is one, or none."""
    return idempotency.VISIBLE.fullmatch(request.META.get("HTTP_IDEMPOTENCY_KEY", "none")) is not None


def told(order: Placement) -> OrderOut:
    return OrderOut(order.id, Status.PENDING.value, order.total, order.currency, order.items, order.placed_at)


def answer(request: HttpRequest, new: NewOrder, order: Placement, location: str, content: bytes) -> idempotency.Answer | None:
    """What is stored with the request's key; None: it has none."""
    key = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if key is None:
        return None
    fingerprint = idempotency.fingerprint(msgspec.to_builtins(new))
    headers = msgspec.json.encode({"Location": location}).decode()
    return idempotency.Answer(order.customer_id, key, request.path, fingerprint, order.placed_at, 201, headers, content.decode())


def placed(order: Placement, who: Sender, answer: idempotency.Answer | None) -> bool:
    """Places an order, unless the token has been revoked, prices have changed, its key is known, or a twin in flight has it."""
    try:
        return services.place_guessed(order, who, answer)
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            return False
        raise
