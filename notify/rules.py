"""What a letter says: pure functions of what happened and of a form in the customer's language."""

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

PLACEHOLDERS = {"order_id": "{order_id}", "amount": "{amount:.2f}", "currency": "{currency}"}


class Notice(NamedTuple):
    """An end that an order came to, and when; when it was read and where."""

    order_id: UUID
    customer_id: UUID
    outcome: str
    amount: Decimal
    currency: str
    reason: str
    settled_at: datetime
    at: datetime
    partition: int | None = None
    offset: int | None = None


class Form(NamedTuple):
    """A letter with PLACEHOLDERS where the order's own values go."""

    subject: str
    body: str


def form(text: str) -> Form:
    """The form that a text is: its first line is the subject, the rest the body."""
    subject, _, body = text.strip().partition("\n")
    return Form(subject.strip(), body.strip())


def fill(form: Form, notice: Notice) -> tuple[str, str]:
    """Subject and body of a letter. The values are put in as they are, whatever they hold."""
    values = {"order_id": notice.order_id, "amount": notice.amount, "currency": notice.currency}
    return form.subject.format_map(values), form.body.format_map(values)
