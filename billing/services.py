"""Billing's only transactions, and what its handlers do inside the engine's: load, ask the rules, save, say what follows."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings

from billing import facts, ledger, rules, selectors
from billing.models import Account, Invoice, Transfer
from kafka_shop.databases import alias_of, limited_transaction
from kafka_shop.ids import uuid7
from kafka_shop.messaging import outbox
from kafka_shop.messaging.events import Event


class AccountExists(Exception):
    """The customer has an account in that currency."""


class NotOpen(Exception):
    """The invoice is not open, so it cannot be paid."""


class NotEnoughMoney(Exception):
    """The customer's account does not cover the invoice, which stays open."""


def open_account(*, customer_id: UUID, currency: str, now: datetime) -> Account:
    """Opens a customer's account, and the shop's own when it is the first in that currency.

    Raises AccountExists; ValueError for what is no currency.
    """
    cash, sales = (Account(kind=kind, currency=rules.code(currency), created_at=now) for kind in ("cash", "sales"))
    account = Account(kind="customer", customer_id=customer_id, currency=currency, balance=Decimal("0.00"), created_at=now)
    with limited_transaction(alias_of("billing")):
        Account.objects.bulk_create([cash, sales, account], ignore_conflicts=True)
        if not Account.objects.filter(id=account.id).exists():
            raise AccountExists(f"the customer has an account in {currency}")
    return account


def deposit(*, account_id: UUID, amount: Decimal, now: datetime) -> Transfer:
    """Puts money into a customer's account. Raises Account.DoesNotExist; ValueError for what is no amount of money."""
    amount = rules.money(amount)
    with limited_transaction(alias_of("billing")):
        account = ledger.lock_account(account_id)
        if account is None:
            raise Account.DoesNotExist(f"no customer has the account {account_id}")
        after = rules.move(account, amount)
        ledger.post("deposit", [rules.Posting(after, amount)], now=now)
        return Transfer.objects.get(account=account_id, number=after.sequence)


def pay_invoice(*, invoice_id: UUID, now: datetime) -> Invoice:
    """Pays an open invoice from its customer's account. Raises Invoice.DoesNotExist, NotOpen, NotEnoughMoney."""
    with limited_transaction(alias_of("billing")):
        stored = Invoice.objects.get(id=invoice_id)
        accounts = ledger.lock_accounts([stored.customer_id])
        invoice = ledger.lock_invoices([stored.order_id])[stored.order_id]
        if not rules.is_open(invoice) or invoice.amount is None:
            raise NotOpen(f"invoice {invoice_id} is not open")
        order = rules.Order(invoice.order_id, invoice.customer_id, invoice.amount, invoice.currency)
        [verdict] = rules.charge([order], accounts)
        if verdict.account is None:
            raise NotEnoughMoney(f"invoice {invoice_id} stays open: {verdict.reason}")
        paid = rules.bill(order, verdict, id=invoice.id, now=now)
        ledger.settle_invoices([paid])
        ledger.post("charge", [rules.Posting(verdict.account, order.amount, invoice.id)], now=now)
        outbox.publish(facts.settled([paid]), alias=alias_of("billing"), now=now)
        return Invoice.objects.get(id=invoice_id)


def charge_orders(*, orders: Sequence[rules.Order], now: datetime) -> list[Event]:
    """Bills orders that are new, and returns the facts of all that are settled. Inside an open transaction.

    With BILLING_MODE=on_request a new invoice stays open, and has no fact, until its customer pays it.
    Raises Conflict for an order that contradicts what is known of it.
    """
    told = rules.once(orders)
    accounts = ledger.lock_accounts(order.customer_id for order in told.values())
    known = ledger.lock_invoices(told)
    for invoice in known.values():
        rules.refuse_conflict(told[invoice.order_id], invoice)
    ledger.fill_in_invoices([told[invoice.order_id] for invoice in known.values() if invoice.amount is None], now=now)
    invoices = known | _bill([order for order in told.values() if order.id not in known], accounts, now=now)
    return facts.settled(invoices[order] for order in told)


def _bill(orders: Sequence[rules.Order], accounts: Sequence[rules.Account], *, now: datetime) -> dict[UUID, rules.Invoice]:
    """Makes the invoices of new orders and charges the accounts, in the orders' own order; returns the invoices by order."""
    verdicts = rules.charge(orders, accounts) if settings.BILLING_MODE == "auto" else [rules.Verdict()] * len(orders)
    billed = [(rules.bill(order, verdict, id=uuid7(), now=now), order) for order, verdict in zip(orders, verdicts, strict=True)]
    charges = [
        rules.Posting(account, order.amount, invoice.id)
        for (invoice, order), (account, _) in zip(billed, verdicts, strict=True)
        if account is not None
    ]
    ledger.insert_invoices(billed, now=now)
    ledger.post("charge", charges, now=now)
    return {invoice.order_id: invoice for invoice, _ in billed}


def cancel_orders(*, cancellations: Sequence[rules.Cancellation], now: datetime) -> list[Event]:
    """Voids open invoices and refunds paid ones, each once; returns the facts of all that are refunded. Inside an open transaction.

    An order that is not known yet gets its invoice, void: it is never charged.
    Raises Conflict for a cancellation that names another customer than what is known.
    """
    told = rules.once(cancellations)
    accounts = ledger.lock_accounts(cancellation.customer_id for cancellation in told.values())
    known = ledger.lock_invoices(told)
    for invoice in known.values():
        rules.refuse_stranger(told[invoice.order_id], invoice)
    early = [(rules.void(each, id=uuid7(), now=now), each) for each in told.values() if each.id not in known]
    ledger.insert_void_invoices(early, now=now)
    return facts.refunded(_cancel(told, known, accounts, now=now))


def _cancel(
    told: Mapping[UUID, rules.Cancellation], known: Mapping[UUID, rules.Invoice], accounts: Sequence[rules.Account], *, now: datetime
) -> list[rules.Invoice]:
    """Voids or refunds the known invoices that are open or paid; returns all known ones as they are now, in the order of the telling."""
    cancelled = [rules.cancel(known[order], now=now) for order in told if order in known]
    changed = [invoice for invoice in cancelled if invoice is not known[invoice.order_id]]
    ledger.cancel_invoices([(invoice, told[invoice.order_id]) for invoice in changed])
    ledger.post("refund", rules.refund((invoice for invoice in changed if invoice.refunded_at), accounts), now=now)
    return cancelled


def republish(*, since: datetime, cursor: list[Any] | None, limit: int, now: datetime) -> list[Any] | None:
    """Puts at most `limit` stored facts since a time back in the outbox, oldest first; returns the next cursor, None at the end."""
    alias = alias_of("billing")
    with limited_transaction(alias):
        page = selectors.facts_after(cursor or [since.isoformat(), str(UUID(int=0)), 0], limit=limit)
        outbox.publish([fact for _, fact in page], alias=alias, now=now, resent=True)
    return page[-1][0] if len(page) == limit else None
