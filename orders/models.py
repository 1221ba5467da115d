"""What orders knows: the catalogue, and of each order its facts, each with its own time."""

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db import models
from django.db.models import Case, F, Q, TextChoices, Value, When
from django.db.models.functions import Greatest

from kafka_shop.ids import uuid7


class Status(TextChoices):
    PENDING = "pending"
    PAID = "paid"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


STATUS = Case(
    When(cancelled_at__isnull=False, then=Value(Status.CANCELLED)),
    When(paid_at__isnull=False, then=Value(Status.PAID)),
    When(rejected_at__isnull=False, then=Value(Status.REJECTED)),
    default=Value(Status.PENDING),
)
FACTS_AGREE = (
    (Q(rejected_at=None) | Q(paid_at=None, cancelled_at=None))  # a rejected order was neither paid nor cancelled
    & (Q(paid_at=None) | Q(late_paid_at=None))  # the payment came in time or late
    & (Q(cancelled_at__isnull=False) | Q(late_paid_at=None, refunded_at=None))  # late and given back: only when cancelled
)
PENDING = Q(paid_at=None, rejected_at=None, cancelled_at=None)
AWAITS_REFUND = Q(cancelled_at__isnull=False, refunded_at=None) & (Q(paid_at__isnull=False) | Q(late_paid_at__isnull=False))
SWEEP_AGREES = ((PENDING | AWAITS_REFUND) & Q(sweep_from__isnull=False)) | (~(PENDING | AWAITS_REFUND) & Q(sweep_from=None))
LAST_FACT = Greatest("placed_at", "paid_at", "rejected_at", "cancelled_at", "refunded_at")


class Product(models.Model):
    sku = models.CharField(primary_key=True, max_length=40)
    name = models.CharField(max_length=200)
    price = models.DecimalField(max_digits=11, decimal_places=2)
    currency = models.CharField(max_length=3)
    active = models.BooleanField(default=True)  # is sold; a product is never deleted, old orders name it

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(price__gt=0), name="product_has_a_price"),
            models.CheckConstraint(condition=Q(currency__regex="^[A-Z]{3}$"), name="product_currency_is_a_code"),
        ]

    def __str__(self) -> str:
        return f"{self.sku} {self.name}"


class Order(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    customer_id = models.UUIDField()
    total = models.DecimalField(max_digits=11, decimal_places=2)
    currency = models.CharField(max_length=3)
    # the facts, each written once, by the transition that publishes it
    placed_at = models.DateTimeField()
    paid_at = models.DateTimeField(null=True, blank=True)
    rejected_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    refunded_at = models.DateTimeField(null=True, blank=True)
    late_paid_at = models.DateTimeField(null=True, blank=True)  # the payment found the order cancelled: no letter, the money is asked back
    reason = models.TextField(default="", blank=True)  # why it was rejected
    status = models.GeneratedField(expression=STATUS, output_field=models.CharField(max_length=9, choices=Status), db_persist=True)
    # where billing's events were read; empty: over HTTP. They were applied at the time of their fact.
    settled_partition = models.IntegerField(null=True, blank=True)
    settled_offset = models.BigIntegerField(null=True, blank=True)
    refunded_partition = models.IntegerField(null=True, blank=True)
    refunded_offset = models.BigIntegerField(null=True, blank=True)
    # the sweep asks billing again SWEEP_AFTER_SECONDS after this; empty: no answer is awaited
    sweep_from = models.DateTimeField(null=True, blank=True)
    sweeps = models.PositiveIntegerField(default=0)  # how often it has asked for the present answer

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(total__gt=0), name="order_costs_money"),
            models.CheckConstraint(condition=FACTS_AGREE, name="order_facts_agree"),
            models.CheckConstraint(condition=SWEEP_AGREES, name="order_is_swept_while_it_waits"),
        ]
        indexes = [
            models.Index(fields=["customer_id", "-id"], name="order_by_customer"),
            models.Index(fields=["sweep_from"], condition=Q(sweep_from__isnull=False), name="order_awaits_billing"),
            models.Index(LAST_FACT, F("id"), name="order_by_last_fact"),
            # for lists by status; those of the other two are found by the index of all, and by that of those who await billing
            models.Index(fields=["id", "status"], condition=Q(status__in=["rejected", "cancelled"]), name="order_of_rare_status"),
        ]
        permissions = [("cancel_order", "Can cancel any order"), ("export_order", "Can export orders")]

    def __str__(self) -> str:
        return f"{self.id} {self.status}"

    @cached_property
    def items(self) -> Sequence[Any]:
        """What was ordered: product, quantity and price of each line. Who places an order knows it and sets it."""
        return list(self.lines.all())

    @property
    def settled_at(self) -> datetime | None:
        """When it came to its present end."""
        return self.cancelled_at or self.paid_at or self.rejected_at


class OrderLine(models.Model):
    # no key in the database (docs/decisions/0013): the audit finds a line without its order; the index is that of the constraint
    order = models.ForeignKey(Order, models.CASCADE, related_name="lines", db_constraint=False, db_index=False)
    product = models.CharField(max_length=40)  # the SKU
    quantity = models.PositiveIntegerField()
    price = models.DecimalField(max_digits=11, decimal_places=2)  # of one piece, when it was ordered

    class Meta:
        ordering = ["id"]  # as they were ordered
        constraints = [
            models.UniqueConstraint(fields=["order", "product"], name="order_names_a_product_once"),
            models.CheckConstraint(condition=Q(quantity__range=(1, 10_000)), name="line_quantity"),
            models.CheckConstraint(condition=Q(price__gt=0), name="line_has_a_price"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} {self.product}"
