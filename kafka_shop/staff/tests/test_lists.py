"""Lists of staff: what they count, how they find, and that no list reads a whole table."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from billing.models import Account, Invoice
from consumers.models import DeadLetter
from kafka_shop.api.models import IdempotencyKey
from kafka_shop.ids import first_id_of, uuid7
from kafka_shop.messaging.models import OutboxRow
from kafka_shop.staff import lists
from kafka_shop.staff.periods import span, within
from kafka_shop.staff.tests.operators import rows, superuser
from kafka_shop.users.models import User
from notify.models import Letter
from orders.models import Order

pytestmark = pytest.mark.django_db
LISTS = {  # and how many statements they may take, two of which are the session's
    "orders/order": 10,
    "billing/invoice": 10,
    "billing/account": 10,
    "billing/transfer": 10,
    "notify/letter": 10,
    "consumers/deadletter": 12,
    "messaging/outboxrow": 10,
    "api/idempotencykey": 10,
    "users/user": 10,
    "knox/authtoken": 10,
    "admin/logentry": 10,
}


@pytest.fixture
def root() -> Client:
    return superuser()


def order(placed_at: datetime | None = None, **facts: Any) -> Order:
    at = placed_at or timezone.now()
    known: dict[str, Any] = {"customer_id": uuid7(), "total": 10, "currency": "EUR", "placed_at": at, **facts}
    return Order.objects.create(
        **{"id": UUID(int=first_id_of(at).int + Order.objects.count()), "sweep_from": None if facts else at, **known}
    )


@pytest.mark.parametrize("path", LISTS)
def test_a_list_takes_few_statements_and_counts_no_whole_table(path: str, root: Client) -> None:
    for _ in range(20):
        order()
        User.objects.create_user(str(uuid7()))
    with CaptureQueriesContext(connection) as asked:
        rows(root, path)
    statements = [each["sql"] for each in asked]
    assert len(statements) <= LISTS[path], statements
    assert all("LIMIT 1000" in statement for statement in statements if "COUNT(" in statement), statements


def test_a_list_counts_up_to_a_limit_and_says_that_there_are_more(root: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "MOST", 3)
    monkeypatch.setattr(lists.CappedPaginator, "most", 3)
    for _ in range(3):
        order()
    assert "more than" not in root.get("/admin/orders/order/").content.decode()
    order()
    page = root.get("/admin/orders/order/")
    assert "more than 3 orders" in page.content.decode()
    assert page.context["cl"].result_count == 3


def test_beside_each_value_is_the_number_of_the_newest_rows_that_have_it(root: Client) -> None:
    now = timezone.now()
    order(), order(), order(paid_at=now), order(rejected_at=now)
    page = root.get("/admin/orders/order/").content.decode()
    assert [label in page for label in ("pending (2)", "paid (1)", "rejected (1)", "cancelled (0)")] == [True] * 4


@pytest.mark.parametrize("status", ["pending", "paid", "rejected", "cancelled"])
def test_a_status_finds_its_orders_and_no_others(status: str, root: Client) -> None:
    now = timezone.now()
    facts: dict[str, dict[str, Any]] = {
        "pending": {},
        "paid": {"paid_at": now},
        "rejected": {"rejected_at": now},
        "cancelled": {"cancelled_at": now},
    }
    made = {each: order(**known) for each, known in facts.items()}
    assert rows(root, "orders/order", status=status) == [made[status]]


def test_an_order_is_found_by_its_id_its_customer_or_the_customers_name(root: Client) -> None:
    carol = User.objects.create_user("carol")
    one, _ = order(customer_id=carol.pk, paid_at=timezone.now()), order()
    for term in (one.pk, str(one.pk).upper(), carol.pk, "carol", f"order.placed:{one.pk}", f"  {one.pk} "):
        assert rows(root, "orders/order", q=str(term)) == [one], term


@pytest.mark.parametrize("path", ["orders/order", "consumers/deadletter", "users/user"])
def test_what_is_not_there_is_not_found(path: str, root: Client) -> None:
    order()
    for term in ("carl", "%", "00000000-0000-0000-0000-000000000000"):
        assert rows(root, path, q=term) == []


def test_everything_of_an_order_is_found_by_its_id(root: Client) -> None:
    id, now = uuid7(), timezone.now()
    invoice = Invoice.objects.create(order_id=id, customer_id=uuid7(), amount=10, currency="EUR", opened_at=now)
    letter = Letter.objects.create(order_id=id, customer_id=uuid7(), outcome="paid", subject="s", body="b", created_at=now)
    row = OutboxRow.objects.create(destination="order-topic", event_id=f"order.placed:{id}", key="k", event=b"{}", created_at=now)
    dead = DeadLetter.objects.create(
        consumer="billing", identity=f"order.placed:{id}", subject=str(id), reason="r", fingerprint="f", failed_at=now
    )
    assert rows(root, "billing/invoice", q=str(id)) == [invoice]
    assert rows(root, "notify/letter", q=str(id)) == [letter]
    assert rows(root, "messaging/outboxrow", q=f"order.placed:{id}") == [row]
    assert rows(root, "consumers/deadletter", q=str(id)) == rows(root, "consumers/deadletter", q=f"order.placed:{id}") == [dead]


def test_an_open_dead_letter_is_found_by_its_customer(root: Client) -> None:
    customer = uuid7()
    dead = DeadLetter.objects.create(
        consumer="billing", identity="x", reason="r", fingerprint="f", failed_at=timezone.now(), key=str(customer).encode()
    )
    assert rows(root, "consumers/deadletter", q=str(customer)) == [dead]


def test_accounts_keys_and_people_are_found_by_name(root: Client) -> None:
    carol = User.objects.create_user("carol")
    account = Account.objects.create(kind="customer", customer_id=carol.pk, currency="EUR", balance=0, created_at=timezone.now())
    key = IdempotencyKey.objects.create(owner=carol.pk, key="k", path="/", fingerprint="f", created_at=timezone.now())
    assert rows(root, "billing/account", q="carol") == [account]
    assert rows(root, "api/idempotencykey", q="carol") == [key]
    assert rows(root, "users/user", q="carol") == rows(root, "users/user", q=str(carol.pk)) == [carol]


def test_a_list_is_narrowed_to_a_year_a_month_and_a_day(root: Client) -> None:
    first, second, third = (order(datetime(*day, 12, tzinfo=UTC)) for day in ((2024, 12, 31), (2025, 2, 1), (2025, 2, 28)))
    assert rows(root, "orders/order", period="2024") == [first]
    assert rows(root, "orders/order", period="2025-02") == [third, second]
    assert rows(root, "orders/order", period="2025-02-28") == [third]
    assert rows(root, "orders/order", period="2025-03") == []


def test_what_is_no_period_narrows_nothing(root: Client) -> None:
    one = order()
    for period in ("", "20", "2025-13", "2025-02-30", "x", "2025-2-1-1"):
        assert rows(root, "orders/order", period=period) == [one], period


def test_the_periods_lead_from_the_year_to_the_day_and_back(root: Client) -> None:
    for day in (datetime(2024, 12, 31, tzinfo=UTC), datetime(2025, 2, 2, tzinfo=UTC)):
        order(day)

    def offered(**query: str) -> list[str]:
        return [each["text"] for each in root.get("/admin/orders/order/", query).context["cl"].periods()]

    assert offered() == ["2024", "2025"]
    assert offered(period="2025") == ["‹ back", "2025", "2025-01", "2025-02"]
    assert offered(period="2025-02") == ["‹ back", "2025-02", "2025-02-01", "2025-02-02"]
    assert offered(period="2025-02-02") == ["‹ back", "2025-02-02"]


def test_periods_end_where_the_next_begins() -> None:
    day = datetime(2024, 1, 1, tzinfo=UTC).date()
    for form in ("%Y", "%Y-%m", "%Y-%m-%d"):
        found = list(within("", form, day, day + timedelta(days=800)))
        spans = [span(each) for each in found]
        assert all(one and other and one[1] == other[0] for one, other in pairwise(spans))
        assert len(found) == len(set(found))
