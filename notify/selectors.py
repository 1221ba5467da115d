"""Notify's reads."""

from uuid import UUID

from django.db.models import QuerySet

from notify.models import Letter


def letters(customer_id: UUID | None) -> QuerySet[Letter]:
    """A customer's letters, newest first; with None those of all customers."""
    every = Letter.objects.order_by("-id")
    return every if customer_id is None else every.filter(customer_id=customer_id)
