"""Staff and the ledger: who reads it, who pays an invoice, and that nobody writes it."""

import pytest
from django.contrib.admin.models import LogEntry

from billing.models import Account, Invoice, Transfer
from billing.tests.people import account, balance, invoice, place, placed
from kafka_shop.staff.tests.operators import act, because, offers, operator, rows, superuser, told

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_request")]
INVOICES = "billing/invoice"


@pytest.fixture
def on_request(settings: object) -> None:
    settings.BILLING_MODE = "on_request"  # type: ignore[attr-defined]  # pytest-django's


@pytest.fixture
def alice() -> Account:
    """She has 100.00."""
    return account()


def bill(of: Account, amount: str = "30.00") -> Invoice:
    order = placed(of.customer_id, amount)
    place(order)
    return invoice(order)


def test_an_invoice_is_paid_after_a_reason_was_given_and_the_log_says_so(alice: Account) -> None:
    bill_ = bill(alice)
    staff = operator("billing.view_invoice", "billing.pay_invoice")
    act(staff, INVOICES, "pay_selected", bill_.pk)
    assert balance(alice) == "100.00"
    answer = act(staff, INVOICES, "pay_selected", bill_.pk, **because("she asked by telephone"))
    assert balance(alice) == "70.00"
    assert told(answer) == [f"{bill_}: Paid."]
    assert LogEntry.objects.get().change_message == "Paid, because she asked by telephone."


def test_an_invoice_is_paid_from_its_page(alice: Account) -> None:
    page = f"/admin/{INVOICES}/{bill(alice).pk}"
    staff = operator("billing.view_invoice", "billing.pay_invoice")
    assert staff.post(f"{page}/pay/", because("x"))["Location"] == f"{page}/change/"
    assert balance(alice) == "70.00"


def test_too_little_money_is_said_and_takes_none(alice: Account) -> None:
    dear = bill(alice, "100.01")
    answer = act(superuser(), INVOICES, "pay_selected", dear.pk, **because("x"))
    assert "stays open" in told(answer)[0]
    assert balance(alice) == "100.00"
    assert not LogEntry.objects.exists()


def test_an_invoice_is_paid_once(alice: Account) -> None:
    bill_ = bill(alice)
    root = superuser()
    for _ in range(2):
        answer = act(root, INVOICES, "pay_selected", bill_.pk, **because("x"))
    assert "is not open" in told(answer)[0]
    assert balance(alice) == "70.00"


def test_who_may_not_pay_cannot(alice: Account) -> None:
    bill_ = bill(alice)
    staff = operator("billing.view_invoice")
    assert not offers(staff.get(f"/admin/{INVOICES}/"), "Pay")
    act(staff, INVOICES, "pay_selected", bill_.pk, **because("x"))
    assert staff.post(f"/admin/{INVOICES}/{bill_.pk}/pay/", because("x")).status_code == 403
    assert balance(alice) == "100.00"


@pytest.mark.parametrize("model", [Account, Invoice, Transfer])
def test_nobody_writes_the_ledger(model: type[Account | Invoice | Transfer], alice: Account) -> None:
    bill(alice)
    row = model.objects.filter()[0]
    path, root = f"/admin/billing/{model.__name__.lower()}", superuser()
    assert root.get(f"{path}/{row.pk}/change/").status_code == 200
    assert root.get(f"{path}/add/").status_code == 403
    assert root.post(f"{path}/{row.pk}/change/", {"amount": "1"}).status_code == 403
    assert root.post(f"{path}/{row.pk}/delete/", {"post": "yes"}).status_code == 403


def test_transfers_are_found_by_account_invoice_and_order(alice: Account) -> None:
    bill_, root = bill(alice), superuser()
    act(root, INVOICES, "pay_selected", bill_.pk, **because("x"))
    charge, deposit = Transfer.objects.get(kind="charge"), Transfer.objects.get(kind="deposit")
    assert rows(root, "billing/transfer", q=str(alice.pk)) == [charge, deposit]
    for term in (bill_.pk, bill_.order_id, charge.pk):
        assert rows(root, "billing/transfer", q=str(term)) == [charge]


def test_the_shops_own_accounts_are_told_from_the_customers(alice: Account) -> None:
    root = superuser()
    assert rows(root, "billing/account", kind="customer") == [alice]
    assert [each.kind for each in rows(root, "billing/account", kind="cash")] == ["cash"]


@pytest.mark.parametrize(("kind", "count"), [("deposit", 1), ("charge", 1), ("refund", 0)])
def test_transfers_of_a_kind(kind: str, count: int, alice: Account) -> None:
    root = superuser()
    act(root, INVOICES, "pay_selected", bill(alice).pk, **because("x"))
    assert [each.kind for each in rows(root, "billing/transfer", kind=kind)] == [kind] * count


def test_an_invoice_leads_to_its_order_its_customer_its_account_and_its_letters(alice: Account) -> None:
    bill_, root = bill(alice), superuser()
    act(root, INVOICES, "pay_selected", bill_.pk, **because("x"))
    content = root.get(f"/admin/{INVOICES}/{bill_.pk}/change/").content.decode()
    for path in (
        f"/admin/orders/order/{bill_.order_id}/change/",
        f"/admin/users/user/{alice.customer_id}/change/",
        f"/admin/billing/account/{alice.pk}/change/",
        f"/admin/notify/letter/?q={bill_.order_id}",
        f"/admin/billing/transfer/?q={bill_.order_id}",
    ):
        assert path in content, path
