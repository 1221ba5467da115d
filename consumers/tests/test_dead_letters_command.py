"""`dead_letters` as an operator types it."""

from collections.abc import Callable
from decimal import Decimal
from uuid import UUID

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone
from pytest_django import Settings

import billing.services
from billing.models import Invoice
from consumers.models import DeadLetter
from consumers.receiving import receive
from consumers.replay import MOST_ATTEMPTS
from consumers.routes import ROUTES, Route
from kafka_shop.ids import uuid7
from kafka_shop.messaging.envelope import seal, to_json
from kafka_shop.messaging.events import Conflict, Event
from orders.events import OrderPlaced

SECRET = "Alice-Secret-7"
Shell = Callable[..., str]
pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str]) -> Shell:
    """Runs the command; returns what it wrote."""

    def run(*arguments: str) -> str:
        capsys.readouterr()
        call_command("dead_letters", *arguments)
        written, errors = capsys.readouterr()
        assert not errors
        return written

    return run


@pytest.fixture
def alice() -> UUID:
    """A customer with 100.00."""
    customer = uuid7()
    account = billing.services.open_account(customer_id=customer, currency="EUR", now=timezone.now())
    billing.services.deposit(account_id=account.id, amount=Decimal("100.00"), now=timezone.now())
    return customer


@pytest.fixture
def letter(alice: UUID, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> DeadLetter:
    """An order of 10.00 that a bug, since mended, kept from billing."""

    def broken(events: object) -> list[Event]:
        raise Conflict("the door is gone")

    settings.RETRY_BACKOFF_MS = (1, 2)
    route = ROUTES["billing"]
    with monkeypatch.context() as bug:
        bug.setitem(ROUTES, "billing", Route(route.group, route.topic, {OrderPlaced: broken}))
        receive("billing", [to_json(seal(placed(alice)))])
    return DeadLetter.objects.get()


def placed(customer: UUID) -> OrderPlaced:
    return OrderPlaced(order_id=uuid7(), customer_id=customer, amount=Decimal("10.00"), currency="EUR", items=(), placed_at=timezone.now())


def unreadable(content: bytes = b'{"name":"' + SECRET.encode() + b'\x1b[31m"}') -> DeadLetter:
    """A message that no version can read."""
    receive("billing", [content])
    return DeadLetter.objects.latest("failed_at")


def test_without_dead_letters_it_says_so(shell: Shell) -> None:
    assert shell("list") == "no dead letters\n"


def test_the_list_has_two_lines_for_each_and_nothing_of_what_it_carries(letter: DeadLetter, shell: Shell) -> None:
    other = unreadable()

    assert shell("list").splitlines() == [
        f"{letter.id}  {letter.failed_at:%Y-%m-%d %H:%M:%S}  billing  shop.order.placed.v1 of {letter.subject}",
        f"    {letter.fingerprint}  3 tries  Conflict: the door is gone",
        f"{other.id}  {other.failed_at:%Y-%m-%d %H:%M:%S}  billing  order-topic[-1]@{other.offset}",
        f"    {other.fingerprint}  1 try  {other.reason}",
        "2 dead letters",
    ]
    assert SECRET not in shell("list", "--state", "all")


def test_a_list_that_is_cut_says_so(letter: DeadLetter, shell: Shell) -> None:
    unreadable()
    assert shell("list", "--limit", "1").splitlines()[2:] == ["2 dead letters, the first 1 of them: see --limit"]


@pytest.mark.parametrize(
    ("option", "value"),
    [("--consumer", "orders"), ("--reason", "another"), ("--fingerprint", "0"), ("--subject", "0"), ("--state", "replayed")],
)
def test_a_list_that_finds_nothing_says_so(letter: DeadLetter, shell: Shell, option: str, value: str) -> None:
    assert shell("list", option, value) == "no dead letters\n"


def test_it_shows_all_of_one_and_steers_no_terminal(shell: Shell) -> None:
    letter = unreadable()
    shown = shell("show", str(letter.id))
    assert f'value        {{"name":"{SECRET}\\x1b[31m"}}' in shown
    assert f"reason       {letter.reason}" in shown
    assert "\x1b" not in shown


def test_it_shows_headers_and_key(shell: Shell) -> None:
    letter = unreadable()
    DeadLetter.objects.update(headers=[["ce_id", "é"]], key=b"\xff", value=None)
    shown = shell("show", str(letter.id)).splitlines()
    assert {"header ce_id é", "key          \\xff", "value        none"} <= set(shown)


def test_a_replay_applies_it(letter: DeadLetter, shell: Shell) -> None:
    assert shell("replay", str(letter.id)) == "1 dead letter\n1 replayed\n"

    assert Invoice.objects.get().status == "paid"
    assert shell("list") == "no dead letters\n"
    assert f"{letter.id}" in shell("list", "--state", "replayed")


def test_a_replay_by_filter_applies_what_matches(letter: DeadLetter, shell: Shell) -> None:
    unreadable()
    assert shell("replay", "--reason", "door").endswith("1 replayed\n")
    assert DeadLetter.objects.filter(closed_at=None).count() == 1


def test_a_dry_run_of_a_replay_says_what_would_be_and_changes_nothing(letter: DeadLetter, shell: Shell) -> None:
    assert shell("replay", "--all", "--dry-run") == "1 dead letter\nwould be: 1 replayed\n"
    assert not Invoice.objects.exists()
    assert DeadLetter.objects.get().attempts == 3


def test_what_fails_again_is_named_with_its_reason_and_the_exit_code_is_not_zero(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    letter = unreadable()
    with pytest.raises(CommandError, match="some are still open"):
        shell("replay", "--all")
    assert capsys.readouterr().out.splitlines() == ["1 dead letter", f"{letter.id} failed: {letter.reason}", "1 failed"]


def test_no_more_than_the_limit_is_replayed(letter: DeadLetter, alice: UUID, shell: Shell) -> None:
    unreadable()
    assert shell("replay", "--all", "--limit", "1") == "2 dead letters, the first 1 of them: see --limit\n1 replayed\n"


def test_what_was_tried_too_often_is_left_out_unless_it_is_asked_for(letter: DeadLetter, shell: Shell) -> None:
    DeadLetter.objects.update(attempts=MOST_ATTEMPTS)
    left_out = "no dead letters\n1 more left out, tried 20 times or more: see --exhausted\n"
    assert shell("replay", "--all") == left_out + "nothing to do\n"
    assert shell("replay", "--all", "--exhausted", "--dry-run").endswith("would be: 1 replayed\n")
    assert shell("replay", str(letter.id)).endswith("1 replayed\n")


def test_a_discarded_one_is_kept_with_the_reason(letter: DeadLetter, shell: Shell) -> None:
    assert shell("discard", str(letter.id), "--reason", "a test order") == "1 dead letter\n1 discarded\n"

    assert shell("list") == "no dead letters\n"
    assert "because a test order" in shell("show", str(letter.id))
    assert not Invoice.objects.exists()


def test_a_dry_run_of_a_discard_names_them_and_changes_nothing(letter: DeadLetter, shell: Shell) -> None:
    written = shell("discard", "--consumer", "billing", "--reason", "test orders", "--dry-run")
    assert str(letter.id) in written
    assert written.endswith("1 would be discarded\n")
    assert DeadLetter.objects.get().state == "open"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["show", "7"], "'7' is not the id of a dead letter: see `dead_letters list`"),
        (["show", str(UUID(int=7))], f"there is no dead letter {UUID(int=7)} in the databases of orders, billing, notify"),
        (["replay", str(UUID(int=7))], f"there is no dead letter {UUID(int=7)} in the databases of orders, billing, notify"),
        (["replay"], "which? Name ids or a filter, or --all: see `dead_letters list`"),
        (["replay", "--dry-run"], "which? Name ids or a filter, or --all: see `dead_letters list`"),
        (["discard", "--reason", "x"], "which? Name ids or a filter, or --all: see `dead_letters list`"),
        (["list", "--consumer", "biling"], "there is no consumer 'biling', did you mean billing?"),
        (["list", "--consumer", "x"], "there is no consumer 'x': billing, orders, notify"),
        (["list", "--state", "shut"], "argument --state: invalid choice: 'shut'"),
        (["list", "--limit", "0"], "argument --limit: invalid positive value: '0'"),
        (["discard", "--all"], "the following arguments are required: --reason"),
        (["replai"], "invalid choice: 'replai'"),
    ],
)
def test_what_cannot_be_done_is_one_line(shell: Shell, arguments: list[str], error: str) -> None:
    with pytest.raises(CommandError) as raised:
        shell(*arguments)
    assert error in str(raised.value)
    assert len(str(raised.value).splitlines()) == 1


def test_what_is_closed_is_neither_replayed_nor_discarded(letter: DeadLetter, shell: Shell) -> None:
    shell("discard", str(letter.id), "--reason", "a test order")
    for arguments in (["replay", str(letter.id)], ["discard", str(letter.id), "--reason", "again"]):
        with pytest.raises(CommandError, match=f"dead letter {letter.id} is closed: it was discarded"):
            shell(*arguments)
    assert not Invoice.objects.exists()


def test_a_consumer_that_is_not_served_here_is_told_apart(letter: DeadLetter, settings: Settings, shell: Shell) -> None:
    settings.SERVICES = ["orders"]
    with pytest.raises(CommandError, match=r"this process does not serve billing \(SERVICES=orders\): add it to SERVICES"):
        shell("list", "--consumer", "billing")
    with pytest.raises(CommandError, match=f"there is no dead letter {letter.id} in the databases of orders"):
        shell("replay", str(letter.id))
    assert shell("list") == "no dead letters\n"
