"""What plain Django views can be: one statement looks at the token and the prices and writes all rows; another reads a page."""

import json
from hashlib import sha512
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.urls import path
from django.utils import timezone

from kafka_shop.ids import uuid7

PLACE = """
WITH caller AS (
    SELECT users_user.id FROM knox_authtoken JOIN users_user ON users_user.id = user_id
    WHERE digest = %(digest)s AND expiry > %(now)s AND is_active
), line AS (
    SELECT product, quantity, price, currency, place
    FROM unnest(%(products)s::text[], %(quantities)s::int[]) WITH ORDINALITY AS item(product, quantity, place)
    JOIN orders_product ON sku = product AND active
), placed AS (
    INSERT INTO orders_order (id, customer_id, total, currency, placed_at, sweep_from, reason, sweeps)
    SELECT %(id)s, caller.id, sum(price * quantity), min(currency), %(now)s, %(now)s, '', 0 FROM caller, line GROUP BY caller.id
    RETURNING id, customer_id, total, currency
), lines AS (
    INSERT INTO orders_orderline (order_id, product, quantity, price)
    SELECT placed.id, product, quantity, price FROM placed, line ORDER BY place
    RETURNING product, quantity, price::text
), told AS (
    SELECT placed.*, (SELECT json_agg(lines) FROM lines) AS items FROM placed
), fact AS (
    INSERT INTO messaging_outboxrow (destination, event_id, key, event, resent, attempts, refused, created_at)
    SELECT 'order-topic', 'order.placed:' || id, customer_id, convert_to(json_build_object(
        'order_id', id, 'customer_id', customer_id, 'amount', total::text, 'currency', currency, 'items', items,
        'placed_at', %(now)s::timestamptz)::text, 'UTF8'), false, 0, '', %(now)s
    FROM told
)
SELECT total::text, currency, items FROM told
"""
CALLER = """
SELECT users_user.id FROM knox_authtoken JOIN users_user ON users_user.id = user_id WHERE digest = %s AND expiry > %s AND is_active
"""
PAGE = """
SELECT id, status, total::text, currency, placed_at, COALESCE(cancelled_at, paid_at, rejected_at), reason
FROM orders_order WHERE customer_id = %s ORDER BY id DESC LIMIT 51
"""
LINES = "SELECT order_id, product, quantity, price::text FROM orders_orderline WHERE order_id = ANY(%s) ORDER BY id"
NAMES = ("id", "status", "total", "currency", "placed_at", "settled_at", "reason")


def orders(request: HttpRequest) -> HttpResponseBase:
    """Believes the body."""
    answer = placed(request) if request.method == "POST" else page(request)
    return answer or JsonResponse({"detail": "The token is not good."}, status=401)


def digest(request: HttpRequest) -> str:
    return sha512(request.headers["Authorization"].removeprefix("Bearer ").encode()).hexdigest()


def placed(request: HttpRequest) -> JsonResponse | None:
    items: list[dict[str, Any]] = json.loads(request.body)["items"]
    order: dict[str, Any] = {"id": uuid7(), "now": timezone.now(), "digest": digest(request)}
    lines = {"products": [item["product"] for item in items], "quantities": [item["quantity"] for item in items]}
    with connection.cursor() as cursor:
        cursor.execute(PLACE, order | lines)
        row = cursor.fetchone()
    if row is None:
        return None
    told = dict(zip(("total", "currency", "items"), row, strict=True))
    return JsonResponse({"id": order["id"], "status": "pending", "placed_at": order["now"], **told}, status=201)


def page(request: HttpRequest) -> JsonResponse | None:
    with connection.cursor() as cursor:
        cursor.execute(CALLER, [digest(request), timezone.now()])
        caller = cursor.fetchone()
        if caller is None:
            return None
        cursor.execute(PAGE, caller)
        rows = cursor.fetchall()
        cursor.execute(LINES, [[row[0] for row in rows]])
        lines: dict[Any, list[dict[str, Any]]] = {row[0]: [] for row in rows}
        for order, product, quantity, price in cursor.fetchall():
            lines[order].append({"product": product, "quantity": quantity, "price": price})
    results = [dict(zip(NAMES, row, strict=True)) | {"items": lines[row[0]]} for row in rows[:50]]
    following = request.build_absolute_uri(f"?cursor={rows[49][0]}") if len(rows) > 50 else None
    return JsonResponse({"next": following, "previous": None, "results": results})


urlpatterns = [path("api/v1/orders/", orders)]
