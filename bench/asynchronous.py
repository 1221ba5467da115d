"""The neighbour without Django: FastAPI and asyncpg make the rows that the shop makes, each kind by a statement, as most teams do."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha512
from typing import Annotated, Any
from uuid import UUID

import asyncpg  # type: ignore[import-untyped]  # it ships no types
from fastapi import Depends, FastAPI, Header, HTTPException, Request
from pydantic import BaseModel, Field

from kafka_shop.ids import uuid7

CONNECTIONS = 8  # as many as a web has threads
CALLER = """
SELECT users_user.id FROM knox_authtoken JOIN users_user ON users_user.id = user_id WHERE digest = $1 AND expiry > now() AND is_active
"""
PRICES = "SELECT sku, price FROM orders_product WHERE active AND sku = ANY($1)"
ORDER = """
INSERT INTO orders_order (id, customer_id, total, currency, placed_at, sweep_from, reason, sweeps) VALUES ($1, $2, $3, 'EUR', $4, $4, '', 0)
"""
LINE = "INSERT INTO orders_orderline (order_id, product, quantity, price) VALUES ($1, $2, $3, $4)"
FACT = """
INSERT INTO messaging_outboxrow (destination, event_id, key, event, resent, attempts, refused, created_at)
VALUES ('order-topic', $1, $2, $3, false, 0, '', $4)
"""


class Item(BaseModel):
    product: str = Field(min_length=1, max_length=40)
    quantity: int = Field(ge=1, le=10_000)


class NewOrder(BaseModel):
    items: list[Item] = Field(min_length=1, max_length=100)


class Line(Item):
    price: Decimal


class Order(BaseModel):
    id: UUID
    status: str = "pending"
    total: Decimal
    currency: str = "EUR"
    items: list[Line]
    placed_at: datetime


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    place = {"host": os.environ["BENCH_HOST"], "database": os.environ["BENCH_DATABASE"], "user": os.environ["PGUSER"]}
    async with asyncpg.create_pool(**place, min_size=CONNECTIONS, max_size=CONNECTIONS) as pool:
        app.state.pool = pool
        yield


app = FastAPI(lifespan=lifespan)


async def connection(request: Request) -> AsyncIterator[Any]:
    async with request.app.state.pool.acquire() as acquired:
        yield acquired


Connection = Annotated[Any, Depends(connection)]


async def customer(authorization: Annotated[str, Header()], database: Connection) -> UUID:
    found: UUID | None = await database.fetchval(CALLER, sha512(authorization.removeprefix("Bearer ").encode()).hexdigest())
    if found is None:
        raise HTTPException(401)
    return found


@app.post("/api/v1/orders/", status_code=201)
async def place(new: NewOrder, database: Connection, caller: Annotated[UUID, Depends(customer)]) -> Order:
    prices = {row["sku"]: row["price"] for row in await database.fetch(PRICES, [item.product for item in new.items])}
    lines = [Line(product=item.product, quantity=item.quantity, price=prices[item.product]) for item in new.items]
    total = sum((line.price * line.quantity for line in lines), Decimal())
    order = Order(id=uuid7(), total=total, items=lines, placed_at=datetime.now(UTC))
    async with database.transaction():
        await database.execute(ORDER, order.id, caller, order.total, order.placed_at)
        await database.executemany(LINE, [(order.id, line.product, line.quantity, line.price) for line in lines])
        await database.execute(FACT, f"order.placed:{order.id}", str(caller), order.model_dump_json().encode(), order.placed_at)
    return order
