"""Staff and orders: who sees, cancels and exports them, and what the log says of it."""

import csv
from io import StringIO
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone

from kafka_shop.messaging.models import OutboxRow
from kafka_shop.staff import confirming, exporting
from kafka_shop.staff.tests.operators import act, because, offers, operator, rows, superuser, told
from orders.models import Order, Product, Status
from orders.tests.helpers import many, outbox_ids, place

pytestmark = pytest.mark.django_db
ORDERS = "orders/order"


def page(order: Order, action: str = "change") -> str:
    return f"/admin/{ORDERS}/{order.pk}/{action}/"


def status(order: Order) -> Any:
    return Order.objects.get(pk=order.pk).status


def test_who_may_see_orders_sees_their_lines_and_what_belongs_to_them(catalogue: None) -> None:
    order = place()
    content = operator("orders.view_order", "users.view_user").get(page(order)).content.decode()
    assert "TEA-001" in content
    for path in (f"/admin/users/user/{order.customer_id}/", f"/admin/billing/invoice/?q={order.pk}", f"/admin/notify/letter/?q={order.pk}"):
        assert path in content
    assert f"/admin/billing/transfer/?q={order.pk}" in content


def test_who_may_see_nothing_sees_nothing() -> None:
    [order] = many(1)
    client = operator()
    assert [client.get(path).status_code for path in (f"/admin/{ORDERS}/", page(order), f"/admin/{ORDERS}/export/")] == [403] * 3


def test_an_order_is_written_by_nobody() -> None:
    [order] = many(1)
    root = superuser()
    assert root.get(f"/admin/{ORDERS}/add/").status_code == 403
    assert root.post(page(order), {"total": "1"}).status_code == 403
    assert root.post(page(order, "delete"), {"post": "yes"}).status_code == 403
    assert Order.objects.get(pk=order.pk).total == order.total


def test_a_product_that_was_sold_is_not_deleted(catalogue: None) -> None:
    product = Product.objects.all()[0]
    assert superuser().post(f"/admin/orders/product/{product.pk}/delete/", {"post": "yes"}).status_code == 403


# --- cancelling ---


def test_an_order_is_cancelled_only_after_a_reason_was_given() -> None:
    one, other = many(2)
    staff = operator("orders.view_order", "orders.cancel_order")
    asked = act(staff, ORDERS, "cancel_selected", one.pk)
    assert "Money that was taken" in asked.content.decode()
    assert str(other.pk) not in asked.content.decode()
    act(staff, ORDERS, "cancel_selected", one.pk, **because(""))
    assert status(one) == Status.PENDING
    assert not OutboxRow.objects.exists()

    done = act(staff, ORDERS, "cancel_selected", one.pk, **because("the customer called"))

    assert (status(one), status(other)) == (Status.CANCELLED, Status.PENDING)
    assert outbox_ids() == [f"order.cancelled:{one.pk}", f"order.settled:{one.pk}:cancelled"]
    assert told(done) == [f"{one}: Cancelled."]


def test_the_log_tells_who_cancelled_what_and_why() -> None:
    [order] = many(1)
    act(operator("orders.view_order", "orders.cancel_order"), ORDERS, "cancel_selected", order.pk, **because("the customer called"))
    entry = LogEntry.objects.get()
    assert (entry.user.username, entry.object_id, entry.change_message) == ("eve", str(order.pk), "Cancelled, because the customer called.")


def test_an_order_is_cancelled_from_its_page() -> None:
    [order] = many(1)
    staff = operator("orders.view_order", "orders.cancel_order")
    assert page(order, "cancel") in staff.get(page(order)).content.decode()
    assert status(order) == Status.PENDING
    staff.get(page(order, "cancel"))
    assert status(order) == Status.PENDING
    done = staff.post(page(order, "cancel"), because("a mistake"))
    assert done["Location"] == page(order)
    assert status(order) == Status.CANCELLED


def test_what_the_rules_refuse_is_said_and_the_others_are_cancelled() -> None:
    done, open_ = many(2)
    Order.objects.filter(pk=done.pk).update(rejected_at=timezone.now(), sweep_from=None)
    staff = operator("orders.view_order", "orders.cancel_order")
    answer = act(staff, ORDERS, "cancel_selected", done.pk, open_.pk, **because("x"))
    assert answer.status_code == 200
    assert told(answer)[0] == f"{open_}: Cancelled."
    assert told(answer)[1].startswith(f"{done.pk} rejected: ")
    assert (status(done), status(open_)) == (Status.REJECTED, Status.CANCELLED)
    assert [entry.object_id for entry in LogEntry.objects.all()] == [str(open_.pk)]


def test_a_second_click_cancels_nothing_more() -> None:
    [order] = many(1)
    staff = operator("orders.view_order", "orders.cancel_order")
    act(staff, ORDERS, "cancel_selected", order.pk, **because("x"))
    sent = outbox_ids()
    answer = act(staff, ORDERS, "cancel_selected", order.pk, **because("x"))
    assert "Cancelled." not in told(answer)[0]
    assert outbox_ids() == sent
    assert LogEntry.objects.count() == 1


def test_who_may_not_cancel_is_not_asked_and_cannot() -> None:
    [order] = many(1)
    staff = operator("orders.view_order", "orders.change_order")
    assert not offers(staff.get(f"/admin/{ORDERS}/"), "Cancel")
    assert page(order, "cancel") not in staff.get(page(order)).content.decode()
    act(staff, ORDERS, "cancel_selected", order.pk, **because("x"))
    assert staff.post(page(order, "cancel"), because("x")).status_code == 403
    assert status(order) == Status.PENDING
    assert not LogEntry.objects.exists()
    assert not OutboxRow.objects.exists()


def test_who_may_cancel_is_offered_it_and_so_is_a_superuser() -> None:
    many(1)
    for staff in (operator("orders.view_order", "orders.cancel_order"), superuser()):
        assert offers(staff.get(f"/admin/{ORDERS}/"), "Cancel")


def test_an_order_that_is_not_there_is_not_found() -> None:
    assert superuser().get("/admin/orders/order/0199b1c4-6b1a-7c3e-9f52-1d2a3b4c5d6e/cancel/").status_code == 404


def test_too_many_at_once_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confirming, "MOST", 1)
    one, other = many(2)
    answer = act(superuser(), ORDERS, "cancel_selected", one.pk, other.pk, **because("x"))
    assert told(answer) == ["At most 1 at once."]
    assert {status(one), status(other)} == {Status.PENDING}


# --- exporting ---


def exported(client: Client, **query: str) -> list[list[str]]:
    path = f"/admin/{ORDERS}/export/?" + "&".join(f"{name}={value}" for name, value in query.items())
    form = client.get(path).context["form"]
    answer: Any = client.post(path, {"format": "0", "resource": "0", **{name: "on" for name in form.fields if name.startswith("order")}})
    assert answer.status_code == 200
    return list(csv.reader(StringIO(b"".join(answer.streaming_content).decode())))


def test_what_a_list_shows_is_exported_newest_first_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "CHUNK", 2)
    made = many(5)
    Order.objects.filter(pk=made[0].pk).update(rejected_at=timezone.now(), sweep_from=None)
    header, *lines = exported(superuser(), status="pending")
    assert header[:3] == ["id", "customer_id", "total"]
    assert [line[0] for line in lines] == [str(order.pk) for order in reversed(made[1:])]


def test_nothing_is_exported_as_a_line_of_names() -> None:
    assert len(exported(superuser())) == 1


def test_who_may_not_export_cannot_and_an_export_is_in_the_log() -> None:
    many(1)
    may_not = operator("orders.view_order", name="frank")
    assert not offers(may_not.get(f"/admin/{ORDERS}/"), "Export")
    assert may_not.post(f"/admin/{ORDERS}/export/", {"format": "0", "resource": "0"}).status_code == 403
    assert not LogEntry.objects.exists()
    exported(operator("orders.view_order", "orders.export_order"), status="pending")
    entry = LogEntry.objects.get()
    assert (entry.user.username, entry.change_message) == ("eve", "Exported orders: status=pending")


def test_the_list_is_of_orders_newest_first() -> None:
    made = many(3)
    assert rows(superuser(), ORDERS) == made[::-1]
