"""What the engine remembers: one table of each in every service's database."""

from django.contrib.postgres.indexes import HashIndex
from django.db import models
from django.db.models import Q

from kafka_shop.ids import uuid7


class Position(models.Model):
    """How far a consumer has come in one partition. The row is the truth; Kafka's committed offset only follows it."""

    consumer = models.TextField()
    topic = models.TextField()
    partition = models.IntegerField()
    position = models.BigIntegerField()  # the offset of the next message
    owner = models.UUIDField(null=True)  # who may move it; none: released
    # the identity of the log that the position counts in
    cluster_id = models.TextField(default="")
    topic_id = models.TextField(default="")
    anchor_offset = models.BigIntegerField(null=True)  # the last message applied: read again, it shows that the log is the same
    anchor_timestamp = models.BigIntegerField(null=True)  # milliseconds, as the broker has it
    anchor_event_id = models.TextField(default="")
    # messages that kill the process
    claimed_position = models.BigIntegerField(null=True)  # where it stood at the last claim
    stalled_claims = models.PositiveIntegerField(default=0)  # claims that found it neither released nor moved, since its last move
    lone_offset = models.BigIntegerField(null=True)  # the message that is being tried by itself
    lone_attempts = models.PositiveIntegerField(default=0)
    moved_at = models.DateTimeField(null=True)
    beat_at = models.DateTimeField(null=True)  # when its owner last said that it lives, every few seconds

    class Meta:
        constraints = [models.UniqueConstraint(fields=["consumer", "topic", "partition"], name="position_once_a_partition")]

    def __str__(self) -> str:
        return f"{self.consumer} {self.topic}[{self.partition}] at {self.position}"


class Pause(models.Model):
    """The wish that a consumer stands still; it goes with its row."""

    consumer = models.TextField(primary_key=True)
    since = models.DateTimeField()
    by = models.TextField()  # the name of who wished it

    class Meta:
        permissions = [("pause_consumer", "Can pause and resume a consumer")]

    def __str__(self) -> str:
        return self.consumer


class DeadLetter(models.Model):
    """A message that its consumer could not apply, as it came, with the reason."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    consumer = models.TextField()
    identity = models.TextField()  # the event's id, else its coordinates, else the SHA-256 of what came
    topic = models.TextField(default="")
    partition = models.IntegerField(null=True)
    offset = models.BigIntegerField(null=True)
    log = models.TextField(default="", db_default="")  # the log that the offset counts in: its topic id, else its cluster's
    key = models.BinaryField(null=True)  # the customer; over HTTP that of the envelope, if it can be read
    value = models.BinaryField(null=True)
    headers = models.JSONField(default=list)  # [[name, latin-1 text]]: bytes kept one to one, NUL as U+FFFD
    event_type = models.TextField(default="")
    subject = models.TextField(default="")
    reason = models.TextField()  # one line, without the message's content
    fingerprint = models.TextField()  # groups what failed alike
    attempts = models.PositiveIntegerField(default=1)
    failed_at = models.DateTimeField()  # when its consumer passed over it; a replay that fails leaves this, and so the order of a key
    closed_at = models.DateTimeField(null=True)
    outcome = models.TextField(default="")  # how it was closed: applied, replayed or discarded
    closed_because = models.TextField(default="", db_default="")  # why it was discarded

    class Meta:
        constraints = [models.UniqueConstraint(fields=["consumer", "identity"], name="dead_letter_once_an_event")]
        indexes = [
            models.Index(fields=["consumer", "fingerprint"], condition=Q(closed_at=None), name="dead_letter_open"),
            models.Index(fields=["consumer", "partition", "offset"], name="dead_letter_coordinates"),
            models.Index(fields=["subject"], name="dead_letter_subject"),
            HashIndex(fields=["key"], condition=Q(closed_at=None), name="dead_letter_key"),  # a key may be longer than a B-tree takes
            models.Index(fields=["outcome", "id"], name="dead_letter_by_outcome"),  # for lists by state
        ]
        permissions = [
            ("replay_deadletter", "Can replay dead letters"),
            ("discard_deadletter", "Can discard dead letters"),
            ("export_deadletter", "Can export dead letters"),
        ]

    def __str__(self) -> str:
        return f"{self.consumer}: {self.identity}"

    @property
    def state(self) -> str:
        """open, or how it was closed."""
        return self.outcome if self.closed_at else "open"
