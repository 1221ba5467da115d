"""What may be forgotten goes in small steps, and nothing else; the audit stays clean, and no event brings it back."""

from datetime import datetime, timedelta
from decimal import Decimal
from threading import Thread
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone
from pytest_django import Settings

import billing.services
import orders.services
from consumers import purging
from consumers.arrivals import Fact, unknown_to
from consumers.models import DeadLetter
from consumers.purging import Purger
from consumers.tests.test_audit import checks, deliver_all
from kafka_shop.api.models import IdempotencyKey
from kafka_shop.databases import limited_transaction, run
from kafka_shop.ids import uuid7
from notify.handlers import order_settled
from notify.models import Horizon, Letter
from notify.tests.helpers import settled
from orders.models import Order
from tests.keys import drawn_at
from tests.sessions import eventually, in_own_session, somebody_waits_for_a_lock

NOW = timezone.now()
OLD, HORIZON = NOW - timedelta(days=100), NOW - timedelta(days=30)
pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture(autouse=True)
def no_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consumers.management.commands.purge.stop_on_signals", lambda purger: None)


def letter(written: datetime) -> Letter:
    order_settled.handle([event := settled(at=written)])
    Letter.objects.filter(order_id=event.event.order_id).update(id=drawn_at(written))
    return Letter.objects.get(order_id=event.event.order_id)


def dead_letter(at: datetime, **values: Any) -> DeadLetter:
    common = {"consumer": "billing", "identity": str(uuid7()), "reason": "", "fingerprint": "", "failed_at": at}
    return DeadLetter.objects.create(id=drawn_at(at), **common, **values)


def test_old_letters_go_and_the_others_stay() -> None:
    old, young = letter(OLD), letter(NOW)

    call_command("purge", "--letters", "30")

    assert not Letter.objects.filter(id=old.id).exists()
    assert Letter.objects.filter(id=young.id).exists()


def test_letters_go_in_steps_of_which_each_is_a_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purging, "STEP_ROWS", 2)
    for _ in range(5):
        letter(OLD)
    steps: list[int] = []

    assert Purger().run(purging.letters(HORIZON), steps.append) == 5
    assert steps == [2, 2, 1]
    assert not Letter.objects.exists()


def test_who_is_stopped_has_done_whole_steps_and_goes_on_when_called_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purging, "STEP_ROWS", 2)
    for _ in range(5):
        letter(OLD)
    purger = Purger()

    assert purger.run(purging.letters(HORIZON), lambda count: purger.stop()) == 2
    assert Letter.objects.count() == 3
    assert Purger().run(purging.letters(HORIZON)) == 3


def test_an_event_of_before_the_horizon_brings_no_letter_back() -> None:
    event = settled(at=OLD)
    order_settled.handle([event])
    Letter.objects.update(id=drawn_at(OLD))
    Purger().run(purging.letters(HORIZON))

    order_settled.handle([event, settled(at=HORIZON - timedelta(microseconds=1))])
    assert not Letter.objects.exists()
    order_settled.handle([settled(at=HORIZON)])
    assert Letter.objects.count() == 1


def test_a_horizon_never_goes_back() -> None:
    Purger().run(purging.letters(HORIZON))
    Purger().run(purging.letters(OLD))
    assert Horizon.objects.get().kept_since == HORIZON


def test_nobody_writes_a_letter_without_knowing_of_the_horizon() -> None:
    """Who is writing is waited for: what it writes of an end before the horizon is then deleted like all others."""
    with limited_transaction("default"):
        order_settled.handle([settled(at=OLD)])
        thread = Thread(target=in_own_session(lambda: Purger().run(purging.letters(HORIZON))))
        thread.start()
        eventually(somebody_waits_for_a_lock)
        assert not Horizon.objects.exists()
    thread.join()
    assert Horizon.objects.exists()


@pytest.fixture
def sold() -> Order:
    """An order that was paid long ago, with its letter."""
    orders.services.seed_catalogue()
    customer = uuid7()
    account = billing.services.open_account(customer_id=customer, currency="EUR", now=OLD)
    billing.services.deposit(account_id=account.id, amount=Decimal("100.00"), now=OLD)
    order = orders.services.place_order(customer_id=customer, items=[("TEA-001", 1)], now=OLD)
    deliver_all(OLD)
    Letter.objects.update(id=drawn_at(OLD))
    return order


def test_the_audit_stays_clean(sold: Order) -> None:
    Purger().run(purging.letters(HORIZON))
    assert not Letter.objects.exists()
    assert not checks()
    assert not unknown_to("notify", [Fact("", sold.id, "paid", OLD)])


def test_a_letter_that_should_still_be_there_is_missed(sold: Order) -> None:
    Purger().run(purging.letters(OLD - timedelta(days=1)))
    run("default", "DELETE FROM notify_letter")
    assert checks() == {("I5", str(sold.id))}
    assert unknown_to("notify", [Fact("", sold.id, "paid", OLD)])


def test_a_letter_of_another_customer_is_found_however_old(sold: Order) -> None:
    run("default", "UPDATE notify_letter SET customer_id = %s", uuid7())
    Horizon.objects.create(kept_since=HORIZON)
    assert checks() == {("I5", str(sold.id))}


def test_closed_dead_letters_go_and_open_ones_stay_however_old() -> None:
    closed_long_ago = dead_letter(OLD, closed_at=OLD, outcome="discarded")
    closed_now, still_open = dead_letter(OLD, closed_at=NOW, outcome="replayed"), dead_letter(OLD)

    call_command("purge", "--events", "30")

    assert set(DeadLetter.objects.all()) == {closed_now, still_open}
    assert closed_long_ago not in DeadLetter.objects.all()


def test_old_keys_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purging, "STEP_ROWS", 1)
    for at in (OLD, OLD, NOW):
        IdempotencyKey.objects.create(owner=uuid7(), key="k", path="/", fingerprint="f", created_at=at)

    call_command("purge", "--keys", "30")

    assert [key.created_at for key in IdempotencyKey.objects.all()] == [NOW]


def test_a_dry_run_counts_and_leaves_all_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    letter(OLD)
    dead_letter(OLD, closed_at=OLD)

    call_command("purge", "--letters", "30", "--keys", "7", "--events", "30", "--dry-run")

    said = ["1 letters would be deleted", "0 keys would be deleted", "1 events would be deleted"]
    assert capsys.readouterr().out.splitlines() == said
    assert (Letter.objects.count(), DeadLetter.objects.count(), Horizon.objects.count()) == (1, 1, 0)


def test_what_is_not_named_stays(capsys: pytest.CaptureFixture[str]) -> None:
    letter(OLD)
    dead_letter(OLD, closed_at=OLD)
    with pytest.raises(CommandError, match="nothing is deleted by itself"):
        call_command("purge")
    call_command("purge", "--keys", "30")
    assert capsys.readouterr().out == "0 keys deleted\n"
    assert (Letter.objects.count(), DeadLetter.objects.count()) == (1, 1)


@pytest.mark.parametrize("days", ["6", "-30", "many", "1.5"])
def test_a_few_days_are_always_kept(days: str) -> None:
    with pytest.raises(CommandError, match="is not a number of days, 7 at least"):
        call_command("purge", f"--letters={days}")


def test_letters_are_notifys(settings: Settings) -> None:
    settings.SERVICES = ["orders"]
    with pytest.raises(CommandError, match="letters are notify's"):
        call_command("purge", "--letters", "30")
