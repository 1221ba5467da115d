"""The ledger as staff see it."""

from django.contrib import admin

from billing.models import Account, Invoice, Transfer
from kafka_shop.api.admin import ReadOnly


@admin.register(Account)
class AccountAdmin(ReadOnly):
    list_display = ["id", "kind", "customer_id", "currency", "balance", "created_at"]


@admin.register(Invoice)
class InvoiceAdmin(ReadOnly):
    list_display = ["id", "order_id", "customer_id", "amount", "currency", "status", "reason", "opened_at"]


@admin.register(Transfer)
class TransferAdmin(ReadOnly):
    list_display = ["id", "kind", "account", "number", "amount", "currency", "balance", "created_at"]
    list_select_related = ["account"]
