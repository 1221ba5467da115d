"""billing/: accounts, money and invoices, each for its customer only."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from pytest_django import DjangoAssertNumQueries, Settings

from billing import services
from billing.models import Account, Invoice, Transfer
from billing.tests.people import cancel, cancelled, place, placed
from kafka_shop.api.tests.people import caller, refused, user
from kafka_shop.ids import uuid7
from kafka_shop.users.models import User

ACCOUNTS, INVOICES = "/api/v1/billing/accounts/", "/api/v1/billing/invoices/"
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture
def carol() -> User:
    return user("carol")


@pytest.fixture
def dave() -> User:
    return user("dave")


@pytest.fixture
def staff() -> User:
    return user("staff", staff=True)


def account_of(customer: User, balance: str = "0.00") -> Account:
    account = services.open_account(customer_id=customer.pk, currency="EUR", now=NOW)
    if Decimal(balance):
        services.deposit(account_id=account.id, amount=Decimal(balance), now=NOW)
    return account


def invoice_of(customer: User, amount: str = "30.00") -> Invoice:
    """The invoice of a new order."""
    order = placed(customer.pk, amount)
    place(order)
    return Invoice.objects.get(order_id=order.order_id)


def found(response: Any) -> list[UUID]:
    assert response.status_code == 200, response.content
    return [UUID(each["id"]) for each in response.json()["results"]]


# --- accounts ---


def test_an_account_is_opened_empty(carol: User) -> None:
    response = caller(carol).post(ACCOUNTS, {"currency": "USD"})
    assert response.status_code == 201
    account = response.json()
    assert list(account) == ["id", "customer_id", "currency", "balance", "created_at"]
    assert (account["customer_id"], account["currency"], account["balance"]) == (str(carol.pk), "USD", "0.00")
    assert account["created_at"].endswith("Z")
    assert caller(carol).get(f"{ACCOUNTS}{account['id']}/").json() == account


@pytest.mark.parametrize("body", [None, {}])
def test_an_account_is_in_the_shops_currency_unless_named(carol: User, body: Any, settings: Settings) -> None:
    settings.CURRENCY = "SEK"
    assert caller(carol).post(ACCOUNTS, body).json()["currency"] == "SEK"


def test_a_second_account_in_a_currency_is_a_conflict(carol: User, dave: User) -> None:
    client = caller(carol)
    assert client.post(ACCOUNTS, {"currency": "EUR"}).status_code == 201
    refused(client.post(ACCOUNTS, {"currency": "EUR"}), 409, code="account_exists")
    assert client.post(ACCOUNTS, {"currency": "USD"}).status_code == 201
    assert caller(dave).post(ACCOUNTS, {"currency": "EUR"}).status_code == 201


@pytest.mark.parametrize("currency", ["eur", "JPY", "XXX", "", " EUR", 978, None, True, []])
def test_another_currency_is_400(carol: User, currency: Any) -> None:
    refused(caller(carol).post(ACCOUNTS, {"currency": currency}), 400, "/currency")
    assert not Account.objects.exists()


def test_an_account_takes_no_other_field(carol: User) -> None:
    refused(caller(carol).post(ACCOUNTS, {"balance": "1.00"}), 400, "/balance", "unknown")
    refused(caller(carol).post(ACCOUNTS, {"customer_id": str(uuid7())}), 400, "/customer_id", "unknown")
    assert not Account.objects.exists()


def test_customers_see_their_own_accounts_staff_all_customers_nobody_none(carol: User, dave: User, staff: User) -> None:
    of_carol, of_dave = account_of(carol), account_of(dave)
    assert found(caller(carol).get(ACCOUNTS)) == [of_carol.id]
    assert found(caller(staff).get(ACCOUNTS)) == [of_dave.id, of_carol.id]  # the shop's own accounts are nobody's
    refused(caller().get(ACCOUNTS), 401)
    assert caller(staff).get(f"{ACCOUNTS}{of_carol.id}/").status_code == 200
    refused(caller(dave).get(f"{ACCOUNTS}{of_carol.id}/"), 404)
    refused(caller(staff).get(f"{ACCOUNTS}{Account.objects.filter(kind='cash').values_list('id').get()[0]}/"), 404)
    refused(caller().get(f"{ACCOUNTS}{of_carol.id}/"), 401)
    refused(caller().post(ACCOUNTS, {}), 401)


# --- deposits ---


def test_a_deposit_is_a_transfer(carol: User) -> None:
    account = account_of(carol, "1.50")
    response = caller(carol).post(f"{ACCOUNTS}{account.id}/deposits/", {"amount": "100.00"})
    assert response.status_code == 201
    transfer = response.json()
    assert list(transfer) == ["id", "kind", "amount", "currency", "balance", "created_at"]
    assert (transfer["kind"], transfer["amount"], transfer["currency"], transfer["balance"]) == ("deposit", "100.00", "EUR", "101.50")
    assert caller(carol).get(f"{ACCOUNTS}{account.id}/").json()["balance"] == "101.50"


@pytest.mark.parametrize(
    "amount", ["0", "0.00", "-1", "-1.00", "1.001", "1e2", "", "NaN", "1000000000.00", "1000000000", 100, 1.5, True, None, [], {}]
)
def test_what_is_no_amount_is_not_deposited(carol: User, amount: Any) -> None:
    account = account_of(carol)
    refused(
        caller(carol).post(f"{ACCOUNTS}{account.id}/deposits/", {"amount": amount}),
        400,
        "/amount",
        "invalid" if amount is not None else "null",
    )
    assert not Transfer.objects.exists()


@pytest.mark.parametrize(("body", "pointer"), [({}, "/amount"), ({"amount": "1.00", "currency": "EUR"}, "/currency"), ([], "")])
def test_a_deposit_is_an_amount_and_nothing_else(carol: User, body: Any, pointer: str) -> None:
    refused(caller(carol).post(f"{ACCOUNTS}{account_of(carol).id}/deposits/", body), 400, pointer)
    assert not Transfer.objects.exists()


def test_the_largest_deposits_add_up(carol: User) -> None:
    client, account = caller(carol), account_of(carol)
    for balance in ("999999999.99", "1999999999.98"):
        assert client.post(f"{ACCOUNTS}{account.id}/deposits/", {"amount": "999999999.99"}).json()["balance"] == balance
    assert client.get(f"{ACCOUNTS}{account.id}/").json()["balance"] == "1999999999.98"


def test_nobody_deposits_to_anothers_account_but_staff(carol: User, dave: User, staff: User) -> None:
    path = f"{ACCOUNTS}{account_of(carol).id}/deposits/"
    refused(caller(dave).post(path, {"amount": "1.00"}), 404)
    refused(caller().post(path, {"amount": "1.00"}), 401)
    refused(caller(carol).get(path), 405)
    assert not Transfer.objects.exists()
    assert caller(staff).post(path, {"amount": "1.00"}).status_code == 201
    refused(caller(staff).post(f"{ACCOUNTS}{uuid7()}/deposits/", {"amount": "1.00"}), 404)


def test_without_self_service_only_staff_deposits(carol: User, staff: User, settings: Settings) -> None:
    settings.SELF_SERVICE_DEPOSITS = False
    path = f"{ACCOUNTS}{account_of(carol).id}/deposits/"
    refused(caller(carol).post(path, {"amount": "1.00"}), 403, code="permission_denied")
    refused(caller().post(path, {"amount": "1.00"}), 401)
    assert not Transfer.objects.exists()
    assert caller(staff).post(path, {"amount": "1.00"}).status_code == 201


def test_the_statement_is_newest_first_and_pages(carol: User, dave: User, staff: User) -> None:
    account, client = account_of(carol, "100.00"), caller(carol)
    order = placed(carol.pk, "30.00")
    place(order)
    cancel(cancelled(order))
    path = f"{ACCOUNTS}{account.id}/transfers/"
    statement = client.get(path).json()["results"]
    assert [(each["kind"], each["amount"], each["balance"]) for each in statement] == [
        ("refund", "30.00", "100.00"),
        ("charge", "30.00", "70.00"),
        ("deposit", "100.00", "100.00"),
    ]
    first = client.get(f"{path}?page_size=2").json()
    assert client.get(first["next"]).json()["results"] == statement[2:]
    assert caller(staff).get(path).json()["results"] == statement
    refused(caller(dave).get(path), 404)
    refused(caller().get(path), 401)
    refused(client.get(f"{path}?kind=charge"), 400, "/kind", "unknown")
    refused(client.get(f"{path}?page_size=0"), 400, "/page_size")
    refused(client.post(path, {}), 405)


def test_a_statement_costs_the_same_statements_however_long_it_is(carol: User, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    account, client = account_of(carol), caller(carol)
    for _ in range(3):
        services.deposit(account_id=account.id, amount=Decimal("1.00"), now=NOW)
    for size in (1, 3):
        with django_assert_num_queries(3):  # the token, the account, its transfers
            client.get(f"{ACCOUNTS}{account.id}/transfers/?page_size={size}")


# --- invoices ---


def test_an_invoice_says_what_an_order_cost_and_what_became_of_it(carol: User) -> None:
    account_of(carol, "100.00")
    invoice = invoice_of(carol)
    assert caller(carol).get(f"{INVOICES}{invoice.id}/").json() == {
        "id": str(invoice.id),
        "order_id": str(invoice.order_id),
        "customer_id": str(carol.pk),
        "amount": "30.00",
        "currency": "EUR",
        "status": "paid",
        "reason": "",
        "opened_at": "2026-03-01T12:00:00.123456Z",
        "settled_at": "2026-03-01T12:00:00.123456Z",
    }


def test_a_declined_and_an_early_cancelled_one_are_invoices_too(carol: User) -> None:
    declined = caller(carol).get(f"{INVOICES}{invoice_of(carol).id}/").json()
    assert (declined["status"], declined["reason"]) == ("declined", "no_account")
    early = placed(carol.pk)
    cancel(cancelled(early))
    void = caller(carol).get(f"{INVOICES}?order_id={early.order_id}").json()["results"][0]
    assert (void["status"], void["amount"], void["settled_at"]) == ("void", None, None)


def test_customers_see_their_own_invoices_staff_all_nobody_none(carol: User, dave: User, staff: User) -> None:
    of_carol, of_dave = invoice_of(carol), invoice_of(dave)
    assert found(caller(carol).get(INVOICES)) == [of_carol.id]
    assert found(caller(staff).get(INVOICES)) == [of_dave.id, of_carol.id]
    refused(caller().get(INVOICES), 401)
    refused(caller(dave).get(f"{INVOICES}{of_carol.id}/"), 404)
    refused(caller().get(f"{INVOICES}{of_carol.id}/"), 401)
    refused(caller(carol).get(f"{INVOICES}{uuid7()}/"), 404)
    refused(caller(carol).post(INVOICES, {}), 405)


def test_invoices_are_filtered_by_order_and_status(carol: User, dave: User) -> None:
    account_of(carol, "40.00")
    paid, declined, strange = invoice_of(carol), invoice_of(carol), invoice_of(dave)
    client = caller(carol)
    assert found(client.get(INVOICES, {"order_id": str(paid.order_id)})) == [paid.id]
    assert found(client.get(INVOICES, {"status": "declined"})) == [declined.id]
    assert found(client.get(INVOICES, {"order_id": str(strange.order_id)})) == []


@pytest.mark.parametrize("query", [{"order_id": "x"}, {"status": "lost"}, {"customer_id": str(uuid7())}])
def test_a_filter_that_is_not_understood_is_400(carol: User, query: dict[str, str]) -> None:
    refused(caller(carol).get(INVOICES, query), 400, f"/{next(iter(query))}")


@pytest.fixture
def on_request(settings: Settings) -> None:
    settings.BILLING_MODE = "on_request"


def test_an_open_invoice_is_paid_on_request_once(carol: User, on_request: None) -> None:
    account, invoice, client = account_of(carol, "100.00"), invoice_of(carol), caller(carol)
    assert client.get(f"{INVOICES}{invoice.id}/").json()["status"] == "open"
    response = client.post(f"{INVOICES}{invoice.id}/pay/")
    assert response.status_code == 200
    assert (response.json()["status"], response.json()["id"]) == ("paid", str(invoice.id))
    refused(client.post(f"{INVOICES}{invoice.id}/pay/"), 409, code="not_open")
    assert client.get(f"{ACCOUNTS}{account.id}/").json()["balance"] == "70.00"


def test_an_invoice_stays_open_without_enough_money(carol: User, on_request: None) -> None:
    account_of(carol, "29.99")
    invoice = invoice_of(carol)
    refused(caller(carol).post(f"{INVOICES}{invoice.id}/pay/"), 409, code="not_enough_money")
    invoice.refresh_from_db()
    assert invoice.status == "open"
    assert Account.objects.get(kind="customer").balance == Decimal("29.99")


def test_nobody_pays_anothers_invoice_but_staff(carol: User, dave: User, staff: User, on_request: None) -> None:
    account_of(carol, "100.00")
    account_of(dave, "100.00")
    path = f"{INVOICES}{invoice_of(carol).id}/pay/"
    refused(caller(dave).post(path), 404)
    refused(caller().post(path), 401)
    refused(caller(carol).post(path, {"amount": "1.00"}), 400, "/amount", "unknown")
    refused(caller(carol).get(path), 405)
    assert Invoice.objects.get().status == "open"
    assert caller(staff).post(path).status_code == 200
    assert Account.objects.get(customer_id=dave.pk).balance == Decimal("100.00")
