"""The tables of schema.sql as Django models, for the floor only."""

from typing import ClassVar

from django.db import models


class Account(models.Model):
    objects: ClassVar[models.Manager["Account"]] = models.Manager()

    id = models.UUIDField(primary_key=True)
    customer_id = models.UUIDField()
    currency = models.CharField(max_length=3)
    balance = models.DecimalField(max_digits=12, decimal_places=2)
    last_number = models.BigIntegerField()

    class Meta:
        app_label = "bench"
        db_table = "bench_account"
        managed = False

    def __str__(self) -> str:
        return str(self.id)


class Invoice(models.Model):
    objects: ClassVar[models.Manager["Invoice"]] = models.Manager()

    id = models.UUIDField(primary_key=True)
    order_id = models.UUIDField(unique=True)
    customer_id = models.UUIDField()
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    currency = models.CharField(max_length=3)
    outcome = models.TextField()
    reason = models.TextField()
    opened_at = models.DateTimeField()
    settled_at = models.DateTimeField()
    source_partition = models.IntegerField()
    source_offset = models.BigIntegerField()

    class Meta:
        app_label = "bench"
        db_table = "bench_invoice"
        managed = False

    def __str__(self) -> str:
        return str(self.id)


class Transfer(models.Model):
    objects: ClassVar[models.Manager["Transfer"]] = models.Manager()

    id = models.UUIDField(primary_key=True)
    account = models.ForeignKey(Account, models.PROTECT)
    invoice = models.ForeignKey(Invoice, models.PROTECT)
    kind = models.TextField()
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    currency = models.CharField(max_length=3)
    number = models.BigIntegerField()
    balance_after = models.DecimalField(max_digits=12, decimal_places=2)
    created_at = models.DateTimeField()

    class Meta:
        app_label = "bench"
        db_table = "bench_transfer"
        managed = False

    def __str__(self) -> str:
        return str(self.id)
