"""The facts that follow from invoices: of the stored columns alone, so that each can be stated again, the same."""

from collections.abc import Iterable

from billing.events import InvoiceRefunded, InvoiceSettled
from billing.rules import Invoice
from kafka_shop.messaging.events import Event


def settled(invoices: Iterable[Invoice]) -> list[Event]:
    """The facts of those that were paid or declined, whatever became of them later."""
    return [
        InvoiceSettled(
            order_id=invoice.order_id,
            customer_id=invoice.customer_id,
            invoice_id=invoice.id,
            amount=invoice.amount,
            currency=invoice.currency,
            outcome=invoice.outcome,
            reason=invoice.reason,
            settled_at=invoice.settled_at,
        )
        for invoice in invoices
        if invoice.outcome and invoice.settled_at and invoice.amount
    ]


def refunded(invoices: Iterable[Invoice]) -> list[Event]:
    """The facts of those that were refunded."""
    return [
        InvoiceRefunded(
            order_id=invoice.order_id,
            customer_id=invoice.customer_id,
            invoice_id=invoice.id,
            amount=invoice.amount,
            currency=invoice.currency,
            refunded_at=invoice.refunded_at,
        )
        for invoice in invoices
        if invoice.refunded_at and invoice.amount
    ]
