"""The billing step of the floor: one message, one transaction of Django's ORM. Import it when Django is set up."""

import json
from datetime import datetime
from decimal import Decimal
from typing import Any

from confluent_kafka import Message
from django.db import transaction
from django.utils import timezone
from uuid_utils.compat import uuid7

from bench.floor_models import Account, Invoice, Transfer


@transaction.atomic
def bill(message: Message) -> Invoice:
    """Return the invoice of an order.placed message, made and charged when the order is not known yet."""
    order = json.loads(message.value() or b"")
    known = Invoice.objects.filter(order_id=order["order_id"]).first()
    return known or _settle(order, message)


def _settle(order: dict[str, Any], message: Message) -> Invoice:
    now = timezone.now()
    amount = Decimal(order["amount"])
    accounts = Account.objects.select_for_update().filter(customer_id=order["customer_id"])
    account = next((each for each in accounts if each.currency == order["currency"]), None)
    reason = _refusal(account, amount, any_account=bool(accounts))
    invoice = Invoice.objects.create(
        id=uuid7(),
        order_id=order["order_id"],
        customer_id=order["customer_id"],
        amount=amount,
        currency=order["currency"],
        outcome="declined" if reason else "paid",
        reason=reason,
        opened_at=now,
        settled_at=now,
        source_partition=message.partition(),
        source_offset=message.offset(),
    )
    if account and not reason:
        _charge(account, invoice, now)
    return invoice


def _refusal(account: Account | None, amount: Decimal, *, any_account: bool) -> str:
    if account is None:
        return "wrong_currency" if any_account else "no_account"
    return "" if account.balance >= amount else "insufficient_funds"


def _charge(account: Account, invoice: Invoice, now: datetime) -> None:
    account.balance -= invoice.amount
    account.last_number += 1
    account.save()
    Transfer.objects.create(
        id=uuid7(),
        account=account,
        invoice=invoice,
        kind="charge",
        amount=invoice.amount,
        currency=invoice.currency,
        number=account.last_number,
        balance_after=account.balance,
        created_at=now,
    )
