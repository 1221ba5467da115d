"""What the API remembers: the keys of requests that must not have their effect twice, in each service's database."""

from django.db import models


class IdempotencyKey(models.Model):
    """A caller's key and the answer to its request, in the transaction of the effect."""

    owner = models.UUIDField()  # the caller: keys of others are others
    key = models.CharField(max_length=255)
    path = models.TextField()
    fingerprint = models.CharField(max_length=64)  # SHA-256 of the parsed body
    status = models.PositiveSmallIntegerField(null=True)  # empty only within the transaction
    headers = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))
    body = models.TextField(default="", db_default="")  # JSON as it was answered, its members in their order
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "key"], name="idempotency_key_of_an_owner")]
        indexes = [models.Index(fields=["created_at"], name="idempotency_key_by_age")]

    def __str__(self) -> str:
        return self.key
