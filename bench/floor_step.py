"""The billing step of the floor: one message, one transaction of Django's ORM. Import it when Django is set up."""

import json
from datetime import datetime
from decimal import Decimal
from typing import Any

from confluent_kafka import Message
from django.db import transaction
from django.utils import timezone

from billing.models import Account, Invoice, Transfer


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
        order_id=order["order_id"],
        customer_id=order["customer_id"],
        amount=amount,
        currency=order["currency"],
        account=None if reason else account,
        outcome="declined" if reason else "paid",
        reason=reason,
        opened_at=now,
        settled_at=now,
        applied_at=now,
        partition=message.partition(),
        offset=message.offset(),
    )
    if account and not reason:
        _charge(account, invoice, amount, now)
    return invoice


def _refusal(account: Account | None, amount: Decimal, *, any_account: bool) -> str:
    if account is None or account.balance is None:
        return "wrong_currency" if any_account else "no_account"
    return "" if account.balance >= amount else "insufficient_funds"


def _charge(account: Account, invoice: Invoice, amount: Decimal, now: datetime) -> None:
    account.balance = (account.balance or Decimal(0)) - amount
    account.sequence += 1
    account.save()
    Transfer.objects.create(
        kind="charge",
        debit=account,
        credit=Account.objects.get(kind="sales", currency=invoice.currency),
        account=account,
        number=account.sequence,
        amount=amount,
        currency=invoice.currency,
        balance=account.balance,
        invoice=invoice,
        created_at=now,
    )
