"""Wherever a process is stopped, nothing is lost and nothing is doubled; and every effect of the shop is among those it is stopped at."""

import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.urls import URLResolver, get_resolver

from tests import ahead
from tests.kafka.cluster import KafkaCluster

pytestmark = pytest.mark.timeout(900)  # a run of more than a thousand points; it measures nothing

SQL = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|SET|WITH)\b")
MODULES = (
    "billing.ledger",
    "billing.selectors",
    "consumers.dead_letters",
    "consumers.positions",
    "consumers.relay",
    "kafka_shop.api.idempotency",
    "kafka_shop.databases",
    "kafka_shop.messaging.lookout",
    "kafka_shop.messaging.outbox",
    "kafka_shop.messaging.relay",
    "kafka_shop.purging",
    "notify.services",
    "orders.store",
)
CLIENT = {"produce", "acknowledgement", "subscribe", "incremental_assign", "seek", "commit", "incremental_unassign", "close"}
NO_EFFECT = {  # routes by name, with the reason
    "ops-consumer-pause": "a wish in a row of its own: no order, no money",
    "ops-consumer-resume": "takes that row away",
    "ops-dead-letter-discard": "closes one row; the message stays in it",
    "ops-dead-letter-replay": "the same consumers.replay as in the scenario replay-dead-letters",
    "ops-dead-letter-replay-many": "the same, again and again",
}
BRACKETS = {"BEGIN ISOLATION LEVEL READ COMMITTED", "COMMIT", "ROLLBACK", "SAVEPOINT s1", "RELEASE SAVEPOINT s1"}


class Run(msgspec.Struct):
    """What `python -m tests.crash --json` writes."""

    points: int
    done: int
    wrong: list[str]
    seen: list[tuple[str, str]]
    routes: set[str]

    def labels(self, kind: str) -> set[str]:
        return {label for seen, label in self.seen if seen == kind}


def found(file: Path, ended: ahead.Ended) -> Run:
    """What a run has written. It was a process of its own, because it forks: this one has threads and connections."""
    assert file.exists(), ended.stderr
    return msgspec.json.decode(file.read_bytes(), type=Run)


@pytest.fixture(scope="module")
def everywhere() -> Iterator[Run]:
    yield found(ahead.CRASH_POINTS, ahead.result("test_crash_points"))
    ahead.CRASH_POINTS.unlink()


def test_nothing_is_lost_or_doubled_wherever_a_process_is_stopped(everywhere: Run) -> None:
    assert everywhere.wrong == [], "\n".join(everywhere.wrong[:10])
    assert everywhere.done == everywhere.points


@pytest.mark.parametrize("module", MODULES)
def test_every_statement_of_services_and_engine_is_stopped_at(everywhere: Run, module: str) -> None:
    """When this fails, a statement is new or a scenario no longer shows it: let one of tests/crash show it."""
    seen = everywhere.labels("sql")

    assert [name for name, beginning in statements(module) if not any(label.startswith(beginning) for label in seen)] == []


def test_every_post_is_stopped_at(everywhere: Run) -> None:
    """When this fails, a route is new: give it a scenario in tests/crash/requests.py, or say in NO_EFFECT why it needs none."""
    assert set(posts(get_resolver())) - everywhere.routes - NO_EFFECT.keys() == set()


def test_transactions_and_the_clients_calls_are_stopped_at(everywhere: Run) -> None:
    assert BRACKETS - everywhere.labels("sql") == set()
    assert CLIENT - everywhere.labels("kafka") == set()


@pytest.mark.kafka
def test_nothing_is_lost_or_doubled_wherever_the_real_client_is_stopped(kafka: KafkaCluster, tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    run = found(file, ahead.run("tests.crash", "--json", str(file), "--kafka", kafka.bootstrap))

    assert run.wrong == [], "\n".join(run.wrong)
    assert run.done == run.points
    assert CLIENT - run.labels("kafka") == set()


def posts(resolver: URLResolver) -> Iterator[str]:
    """The names of the API's routes that take a POST."""
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from posts(pattern)
        elif takes_post(pattern.callback):
            yield str(pattern.name)


def takes_post(view: Any) -> bool:
    """Whether a route of Django REST framework has an action, or a method, for POST."""
    actions, kind = getattr(view, "actions", None), getattr(view, "cls", None)
    return "post" in actions if actions else hasattr(kind, "post")


def statements(module: str) -> Iterator[tuple[str, str]]:
    """The SQL constants of a module, by name, each up to its first gap."""
    for name, value in vars(importlib.import_module(module)).items():
        if name.isupper() and isinstance(value, str) and SQL.match(value):
            yield name, " ".join(value.split("{")[0].split())
