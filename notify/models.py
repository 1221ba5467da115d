"""The letters that customers get."""

from django.db import models

from kafka_shop.ids import uuid7


class Outcome(models.TextChoices):
    PAID = "paid"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"


class Letter(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    order_id = models.UUIDField()
    customer_id = models.UUIDField()
    outcome = models.CharField(max_length=9, choices=Outcome)
    subject = models.CharField(max_length=200)
    body = models.TextField()
    created_at = models.DateTimeField()  # when its event was applied
    read_at = models.DateTimeField(null=True, blank=True)
    # where its event was read; empty: over HTTP
    partition = models.IntegerField(null=True, blank=True)
    offset = models.BigIntegerField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["order_id", "outcome"], name="letter_once_an_outcome"),
            models.CheckConstraint(condition=models.Q(outcome__in=Outcome.values), name="letter_outcome"),
        ]
        indexes = [
            models.Index(fields=["customer_id", "-id"], name="letter_by_customer"),
            models.Index(
                fields=["id", "outcome"], condition=~models.Q(outcome="paid"), name="letter_of_rare_outcome"
            ),  # for lists by outcome
        ]
        permissions = [("export_letter", "Can export letters")]

    def __str__(self) -> str:
        return f"{self.outcome}: {self.order_id}"


class Horizon(models.Model):
    """How far back letters are kept: one row, or none while all are. No letter comes any more of an end that an order came to before it."""

    id = models.BooleanField(primary_key=True, default=True)
    kept_since = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=True), name="horizon_is_one")]

    def __str__(self) -> str:
        return f"letters since {self.kept_since}"
