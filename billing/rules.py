"""The decisions of billing: pure functions of what is known, so that they decide the same tomorrow.

Amounts are in major units with two places. An event that is known changes nothing and states its stored fact again.
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Literal, NamedTuple, TypeVar
from uuid import UUID

from kafka_shop.messaging.events import Conflict
from kafka_shop.money import CURRENCIES, LARGEST

CENT = Decimal("0.01")


class Account(NamedTuple):
    """A customer's account: its balance, and the number of its last transfer."""

    id: UUID
    customer_id: UUID
    currency: str
    balance: Decimal
    sequence: int


class Order(NamedTuple):
    """What billing is told of an order that was placed, and where that was read."""

    id: UUID
    customer_id: UUID
    amount: Decimal
    currency: str
    partition: int | None = None
    offset: int | None = None


class Cancellation(NamedTuple):
    """What billing is told of an order that was cancelled, and where that was read."""

    id: UUID  # of the order
    customer_id: UUID
    partition: int | None = None
    offset: int | None = None


class Invoice(NamedTuple):
    """What billing knows of an order. No amount: it was cancelled before it was known. No outcome: it is open or void."""

    id: UUID
    order_id: UUID
    customer_id: UUID
    amount: Decimal | None
    currency: str
    account_id: UUID | None = None  # the one charged
    outcome: Literal["", "paid", "declined"] = ""
    reason: str = ""
    settled_at: datetime | None = None
    voided_at: datetime | None = None
    refunded_at: datetime | None = None


class Verdict(NamedTuple):
    """Of one order: the account as the charge leaves it, or the reason of the refusal, or neither: it waits for its customer."""

    account: Account | None = None
    reason: str = ""


class Posting(NamedTuple):
    """A transfer between the shop and a customer: the amount, and the customer's account as it leaves it."""

    account: Account
    amount: Decimal
    invoice_id: UUID | None = None


Told = TypeVar("Told", Order, Cancellation)


def money(amount: Decimal) -> Decimal:
    """The amount with exactly two places. Raises ValueError unless it is above 0, at most LARGEST, and of whole cents."""
    if not (amount.is_finite() and 0 < amount <= LARGEST and amount == (cents := amount.quantize(CENT))):
        raise ValueError(f"{amount} is not an amount above 0, up to {LARGEST}, with at most two decimal places")
    return cents


def code(currency: str) -> str:
    """The currency. Raises ValueError unless it is an ISO 4217 code of one that has two decimals."""
    if currency not in CURRENCIES:
        raise ValueError(f"{currency!r} is not the ISO 4217 code of a currency with two decimals")
    return currency


def charge(orders: Iterable[Order], accounts: Iterable[Account]) -> list[Verdict]:
    """Decides orders one after another: each finds the balance that those before it left."""
    state = {(account.customer_id, account.currency): account for account in accounts}
    customers = {customer for customer, _ in state}
    verdicts = []
    for order in orders:
        key = order.customer_id, order.currency
        verdict = judge(order, state.get(key), has_accounts=order.customer_id in customers)
        if verdict.account:
            state[key] = verdict.account
        verdicts.append(verdict)
    return verdicts


def judge(order: Order, account: Account | None, *, has_accounts: bool) -> Verdict:
    """The verdict of one order on the customer's account in its currency."""
    if account is None:
        return Verdict(reason="wrong_currency" if has_accounts else "no_account")
    if account.balance < order.amount:
        return Verdict(reason="insufficient_funds")
    return Verdict(move(account, -order.amount))


def refund(invoices: Iterable[Invoice], accounts: Iterable[Account]) -> list[Posting]:
    """Gives the money of paid invoices back to the accounts charged, one after another."""
    state = {account.id: account for account in accounts}
    postings = []
    for invoice in invoices:
        account_id, amount = invoice.account_id, invoice.amount
        if account_id is None or amount is None:
            raise ValueError(f"invoice {invoice.id} was not paid: nothing to give back")
        state[account_id] = move(state[account_id], amount)
        postings.append(Posting(state[account_id], amount, invoice.id))
    return postings


def move(account: Account, amount: Decimal) -> Account:
    """The account after a transfer of `amount`, which is below zero for a charge."""
    return Account(account.id, account.customer_id, account.currency, account.balance + amount, account.sequence + 1)


def once(told: Iterable[Told]) -> dict[UUID, Told]:
    """Each order once, as it was told first. Raises Conflict when another telling says something else."""
    first: dict[UUID, Told] = {}
    for each in told:
        known = first.setdefault(each.id, each)
        if known is not each and known[:-2] != each[:-2]:
            raise Conflict(f"order {each.id} is told twice with another amount, currency or customer")
    return first


def refuse_conflict(order: Order, invoice: Invoice) -> None:
    """Raises Conflict when an order contradicts its invoice."""
    refuse_stranger(order, invoice)
    if invoice.amount is not None and (invoice.amount, invoice.currency) != (order.amount, order.currency):
        raise Conflict(f"order {order.id} is known with another amount or currency")


def refuse_stranger(told: Order | Cancellation, invoice: Invoice) -> None:
    """Raises Conflict when an invoice is another customer's."""
    if invoice.customer_id != told.customer_id:
        raise Conflict(f"order {told.id} is known with another customer")


def bill(order: Order, verdict: Verdict, *, id: UUID, now: datetime) -> Invoice:
    """The invoice of an order: paid, declined or open."""
    account, reason = verdict
    if account:
        return Invoice(id, *order[:4], account.id, "paid", "", now)
    if reason:
        return Invoice(id, *order[:4], None, "declined", reason, now)
    return Invoice(id, *order[:4])


def void(cancellation: Cancellation, *, id: UUID, now: datetime) -> Invoice:
    """The invoice of an order that was cancelled before it was known: it is never charged."""
    return Invoice(id, cancellation.id, cancellation.customer_id, None, "", voided_at=now)


def cancel(invoice: Invoice, *, now: datetime) -> Invoice:
    """The invoice after its order was cancelled: an open one is void, a paid one refunded, any other the same as before."""
    if is_open(invoice):
        return invoice._replace(voided_at=now)
    if invoice.outcome == "paid" and invoice.refunded_at is None:
        return invoice._replace(refunded_at=now)
    return invoice


def is_open(invoice: Invoice) -> bool:
    """It waits for its customer."""
    return not invoice.outcome and invoice.voided_at is None
