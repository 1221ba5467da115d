"""Letters as staff see them: to read."""

from django.contrib import admin

from kafka_shop.api.admin import ReadOnly
from notify.models import Letter


@admin.register(Letter)
class LetterAdmin(ReadOnly):
    list_display = ["id", "customer_id", "order_id", "outcome", "subject", "created_at", "read_at"]
    list_filter = ["outcome"]
    ordering = ["-id"]
