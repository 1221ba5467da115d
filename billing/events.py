"""The facts that billing publishes; the only door to its siblings."""

from datetime import datetime
from decimal import Decimal
from typing import ClassVar, Literal
from uuid import UUID

from kafka_shop.messaging.events import Event, Time


class InvoiceSettled(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "shop.invoice.settled.v1"
    source: ClassVar[str] = "/billing"
    destination: ClassVar[str] = "billing-topic"

    invoice_id: UUID
    amount: Decimal
    currency: str
    outcome: Literal["paid", "declined"]
    reason: str = ""
    settled_at: Time

    @property
    def id(self) -> str:
        return f"invoice.settled:{self.subject}"

    @property
    def time(self) -> datetime:
        return self.settled_at


class InvoiceRefunded(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "shop.invoice.refunded.v1"
    source: ClassVar[str] = "/billing"
    destination: ClassVar[str] = "billing-topic"

    invoice_id: UUID
    amount: Decimal
    currency: str
    refunded_at: Time

    @property
    def id(self) -> str:
        return f"invoice.refunded:{self.subject}"

    @property
    def time(self) -> datetime:
        return self.refunded_at
