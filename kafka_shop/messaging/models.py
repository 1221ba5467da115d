"""The outbox and what the relay remembers: one of each in every service's database."""

from django.db import models
from django.db.models import Q


class OutboxRow(models.Model):
    """A fact on its way out. The row is there until its destination has acknowledged it."""

    number = models.BigAutoField(primary_key=True)  # the order in which facts leave; drawn after the lock of what they are about
    destination = models.TextField()  # a topic's logical name
    event_id = models.TextField()
    key = models.TextField()  # the partition key: the customer
    event = models.BinaryField()  # the CloudEvent in JSON
    resent = models.BooleanField(default=False)  # put back by a sweep or a republication: it waits for new rows
    attempts = models.PositiveIntegerField(default=0)
    not_before = models.DateTimeField(null=True)  # back-off of a row that failed
    refused = models.TextField(default="")  # why its destination will never take it; such a row is set aside and shown
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = "outbox row"
        constraints = [models.UniqueConstraint(fields=["destination", "event_id"], name="outbox_one_pending_row_a_fact")]
        indexes = [
            models.Index(fields=["destination", "resent", "number"], condition=Q(refused=""), name="outbox_pending"),
            models.Index(fields=["destination", "number"], condition=~Q(refused=""), name="outbox_refused"),
        ]

    def __str__(self) -> str:
        return f"{self.event_id} to {self.destination}"


class PublishedLog(models.Model):
    """The log that a destination's facts went to last: when it is replaced by another, what it lost is published again."""

    destination = models.TextField(primary_key=True)
    identity = models.TextField()  # cluster id and topic id
    seen_at = models.DateTimeField()
    republish_since = models.DateTimeField(null=True)  # the facts since then are being put back
    cursor = models.JSONField(null=True)  # how far: what the service's `republish` gave back last

    def __str__(self) -> str:
        return self.destination
