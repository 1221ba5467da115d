"""What a person got wrong is said in one line, with the remedy."""

from pathlib import Path

import pytest

from tests.acceptance.shop import Shop, until
from tests.kafka.cluster import KafkaCluster

pytestmark = pytest.mark.kafka
CONSUME = ["run_consumer", "billing"]


def refusal(shop: Shop, arguments: list[str], **environment: str) -> str:
    """Runs a command that must fail, and returns the one line that it writes; what the Kafka client itself says is left out."""
    ended = shop.run(*arguments, LOG_LEVEL="ERROR", **environment)
    assert (ended.returncode, ended.stdout) == (1, "")
    [line] = [line for line in ended.stderr.splitlines() if "|rdkafka#" not in line]
    return line


@pytest.mark.parametrize(
    ("arguments", "environment", "words"),
    [
        (["run_consumer", "biling"], {}, "there is no consumer 'biling', did you mean billing?"),
        ([*CONSUME, "--from", "yesterday"], {}, "--from 'yesterday' is not earliest, latest or an ISO 8601 time"),
        (CONSUME, {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"}, "no broker answers at 127.0.0.1:1"),
        (CONSUME, {"KAFKA_BOOTSTRAP_SERVERS": ""}, "no broker is named: set KAFKA_BOOTSTRAP_SERVERS"),
        (["run_relay"], {"KAFKA_BOOTSTRAP_SERVERS": ""}, "no broker is named: set KAFKA_BOOTSTRAP_SERVERS"),
        (CONSUME, {"KAFKA_CONFIG": '{"no.such.property": 1}'}, "KAFKA_CONFIG"),
        (CONSUME, {"ORDER_TOPIC": "nobody-made-this"}, "the topic nobody-made-this does not exist: run `python manage.py create_topics`"),
        (["run_relay"], {"ORDER_TOPIC": "nobody-made-this"}, "the topic nobody-made-this does not exist"),
        (CONSUME, {"DATABASE_URL": "postgres://nobody@127.0.0.1:1/nothing"}, "see DATABASE_URL"),
        (["run_relay"], {"DATABASE_URL": "postgres://nobody@127.0.0.1:1/nothing"}, "see DATABASE_URL"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_one_line(shop: Shop, arguments: list[str], environment: dict[str, str], words: str) -> None:
    assert words in refusal(shop, arguments, **environment)


@pytest.mark.parametrize("command", [CONSUME, ["run_relay"]])
def test_a_database_without_tables_is_to_be_migrated(shop: Shop, command: list[str]) -> None:
    url = shop.environment["DATABASE_URL"].rpartition("/")[0] + "/postgres"

    assert "run `python manage.py migrate_all`" in refusal(shop, command, DATABASE_URL=url)


def test_a_group_that_runs_is_not_rewound(shop: Shop) -> None:
    running = shop.consumer("billing")
    until(lambda: running.says('"assigned"'), "the consumer has its partitions")

    assert "the group still runs, stop its consumers first" in refusal(shop, [*CONSUME, "--from", "earliest"], **shop.group("billing"))
    assert running.running


def test_a_broker_too_old_for_the_group_protocol_is_named_with_the_remedy(shop: Shop, tmp_path: Path) -> None:
    with KafkaCluster(tmp_path / "old", properties={"group.coordinator.rebalance.protocols": "classic"}) as old:
        old.create_topic(shop.topics["order-topic"], 2)

        line = refusal(shop, CONSUME, KAFKA_BOOTSTRAP_SERVERS=old.bootstrap)
    assert "set KAFKA_GROUP_PROTOCOL=classic" in line
