"""The user, and attempts to sign in as one. A customer's id everywhere in the shop is this user's id."""

from django.contrib.auth.models import AbstractUser
from django.db import models

from kafka_shop.ids import uuid7


class User(AbstractUser):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)

    class Meta(AbstractUser.Meta):
        indexes = [models.Index(fields=["id"], condition=models.Q(is_staff=True), name="user_staff")]  # few of many


class FailedAttempt(models.Model):
    """An attempt to sign in that failed within the last minute, and a hash of the name and the address that it came from."""

    key = models.CharField(max_length=64)
    at = models.DateTimeField(db_index=True)

    class Meta:
        indexes = [models.Index(fields=["key", "-at"], name="failed_attempts_of_one")]

    def __str__(self) -> str:
        return f"{self.key} at {self.at}"
