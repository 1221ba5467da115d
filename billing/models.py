"""The ledger's tables. Money moves only by transfers, and a transfer never changes (the database forbids it: migration 0002)."""

from django.db import models
from django.db.models import Case, F, Q, Value, When

from kafka_shop.ids import uuid7


class Account(models.Model):
    """A customer's money in one currency, or one of the shop's own accounts, which carry no balance so that no row is hot."""

    class Kind(models.TextChoices):
        CUSTOMER = "customer"
        CASH = "cash"  # where deposits come from
        SALES = "sales"  # where charges go to

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.TextField(choices=Kind)
    customer_id = models.UUIDField(null=True)  # none: the shop's own
    currency = models.CharField(max_length=3)
    balance = models.DecimalField(max_digits=24, decimal_places=2, null=True)  # 10^13 of the largest transfers
    sequence = models.BigIntegerField(default=0)  # the number of its last transfer
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["customer_id", "currency", "kind"], nulls_distinct=False, name="account_once_a_currency"),
            models.CheckConstraint(condition=Q(balance__gte=0), name="account_balance_not_below_zero"),
            models.CheckConstraint(
                condition=Q(kind="customer", customer_id__isnull=False, balance__isnull=False)
                | Q(kind__in=["cash", "sales"], customer_id=None, balance=None, sequence=0),
                name="account_is_a_customers_or_the_shops",
            ),
            models.CheckConstraint(condition=Q(currency__regex="^[A-Z]{3}$"), name="account_currency_is_a_code"),
        ]
        permissions = [("export_account", "Can export accounts")]

    def __str__(self) -> str:
        return f"{self.kind} {self.currency} {self.id}"


class Invoice(models.Model):
    """What billing knows of an order. The fact columns are written once; the status is derived from them, for people."""

    class Status(models.TextChoices):
        OPEN = "open"
        PAID = "paid"
        DECLINED = "declined"
        VOID = "void"
        REFUNDED = "refunded"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    order_id = models.UUIDField(unique=True)
    customer_id = models.UUIDField()
    amount = models.DecimalField(max_digits=11, decimal_places=2, null=True)  # none: cancelled before it was known
    currency = models.CharField(max_length=3, blank=True, default="")
    # the one charged; no key in the database: the audit compares it with that of the charge
    account = models.ForeignKey(Account, models.PROTECT, null=True, related_name="+", db_constraint=False, db_index=False)
    # the facts
    outcome = models.TextField(choices=[("paid", "paid"), ("declined", "declined")], blank=True, default="")
    reason = models.TextField(blank=True, default="")
    opened_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    voided_at = models.DateTimeField(null=True)
    refunded_at = models.DateTimeField(null=True)
    # where order.placed was read, and when it was applied; where order.cancelled was read
    partition = models.IntegerField(null=True)
    offset = models.BigIntegerField(null=True)
    applied_at = models.DateTimeField(null=True)
    cancelled_partition = models.IntegerField(null=True)
    cancelled_offset = models.BigIntegerField(null=True)
    status = models.GeneratedField(
        expression=Case(
            When(refunded_at__isnull=False, then=Value("refunded")),
            When(voided_at__isnull=False, then=Value("void")),
            When(settled_at__isnull=True, then=Value("open")),
            default=F("outcome"),
            output_field=models.TextField(),
        ),
        output_field=models.TextField(choices=Status),
        db_persist=True,
    )

    class Meta:
        indexes = [
            models.Index(fields=["customer_id", "id"], name="invoice_of_customer"),
            # the order in which facts are published again
            models.Index(fields=["settled_at", "id"], condition=Q(settled_at__isnull=False), name="invoice_settled"),
            models.Index(fields=["refunded_at", "id"], condition=Q(refunded_at__isnull=False), name="invoice_refunded"),
            models.Index(fields=["id", "status"], condition=~Q(status="paid"), name="invoice_of_rare_status"),  # for lists by status
            models.Index(fields=["id"], condition=Q(status="open"), name="invoice_open"),  # few or none, among all that are not paid
        ]
        permissions = [("pay_invoice", "Can pay any invoice"), ("export_invoice", "Can export invoices")]
        constraints = [
            models.CheckConstraint(
                condition=Q(outcome="", settled_at=None, reason="", account=None)
                | Q(outcome="paid", settled_at__isnull=False, reason="", account__isnull=False)
                | (Q(outcome="declined", settled_at__isnull=False, account=None) & ~Q(reason="")),
                name="invoice_outcome_makes_sense",
            ),
            models.CheckConstraint(condition=Q(voided_at=None) | Q(outcome="", refunded_at=None), name="invoice_void_was_open"),
            models.CheckConstraint(condition=Q(refunded_at=None) | Q(outcome="paid"), name="invoice_refunded_was_paid"),
            models.CheckConstraint(
                condition=Q(amount__gt=0, currency__regex="^[A-Z]{3}$", amount__isnull=False)
                | Q(amount=None, currency="", voided_at__isnull=False),
                name="invoice_has_an_amount_or_is_void",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.status} {self.order_id}"


class Transfer(models.Model):
    """An amount that moved from one account to another: immutable, numbered in the sequence of the customer's account."""

    class Kind(models.TextChoices):
        DEPOSIT = "deposit"  # cash to customer
        CHARGE = "charge"  # customer to sales
        REFUND = "refund"  # sales to customer

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.TextField(choices=Kind)
    # no keys in the database (docs/decisions/0013): the audit finds what is not there
    debit = models.ForeignKey(Account, models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    credit = models.ForeignKey(Account, models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    account = models.ForeignKey(Account, models.PROTECT, related_name="transfers", db_constraint=False, db_index=False)  # the customer's
    number = models.BigIntegerField()  # in that account's sequence, from 1, without a gap
    amount = models.DecimalField(max_digits=11, decimal_places=2)
    currency = models.CharField(max_length=3)
    balance = models.DecimalField(max_digits=24, decimal_places=2)  # of that account, after the transfer
    invoice = models.ForeignKey(Invoice, models.PROTECT, null=True, related_name="transfers", db_constraint=False, db_index=False)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "number"], name="transfer_once_a_number"),
            models.UniqueConstraint(fields=["invoice", "kind"], name="transfer_once_an_invoice"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="transfer_amount_above_zero"),
            models.CheckConstraint(condition=Q(balance__gte=0, number__gte=1), name="transfer_number_and_balance"),
            models.CheckConstraint(
                condition=~Q(debit=F("credit"))
                & (
                    Q(kind="charge", debit=F("account"), invoice__isnull=False)
                    | Q(kind="refund", credit=F("account"), invoice__isnull=False)
                    | Q(kind="deposit", credit=F("account"), invoice=None)
                ),
                name="transfer_kind_makes_sense",
            ),
        ]
        indexes = [models.Index(fields=["id", "kind"], condition=~Q(kind="charge"), name="transfer_of_rare_kind")]  # for lists by kind
        permissions = [("export_transfer", "Can export transfers")]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount} {self.currency}"
