"""The user. A customer's id everywhere in the shop is this user's id."""

from django.contrib.auth.models import AbstractUser
from django.db import models

from kafka_shop.ids import uuid7


class User(AbstractUser):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
