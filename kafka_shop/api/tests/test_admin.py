"""What the admin shows of a process that serves one service."""

from django.contrib.admin import AdminSite

from billing.models import Account
from kafka_shop.staff.base import ReadOnly, leave_out
from orders.models import Order


def test_the_admin_leaves_out_what_is_not_served() -> None:
    site = AdminSite()
    site.register([Order, Account], ReadOnly)

    leave_out(site, "orders")

    assert not site.is_registered(Order)
    assert site.is_registered(Account)
