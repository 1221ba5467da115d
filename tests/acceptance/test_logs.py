"""Logs that are read again, that are lost, and that lost a part."""

import pytest
from confluent_kafka import TopicPartition

from consumers.routes import ROUTES
from kafka_shop.databases import rows
from tests.acceptance.shop import Shop
from tests.acceptance.worker import stop
from tests.kafka import probe

pytestmark = pytest.mark.kafka
STATE = ("orders_order", "orders_orderline", "billing_account", "billing_invoice", "billing_transfer", "notify_letter")


def test_a_replay_from_the_beginning_changes_no_row(shop: Shop) -> None:
    with shop.customers_ordering():
        workers = shop.start()
        shop.goes_on(100)
    shop.settles()
    before, facts = state(), shop.end("billing-topic")
    stop(workers[name] for name in ROUTES)

    replays = [shop.consumer(name, "--from", "earliest", "--until-idle") for name in ROUTES]
    assert [replay.wait(30) for replay in replays] == [0, 0, 0]
    for name in ROUTES:
        shop.consumer(name)
    shop.settles()
    assert shop.end("billing-topic") >= 2 * facts  # billing stated each of its facts again
    assert state() == before


def test_what_was_lost_with_a_topic_is_published_again(shop: Shop) -> None:
    workers = shop.start()
    shop.seed(30)
    shop.settles()
    shop.kafka.restart()  # after one, a client goes deaf when its topic is made anew
    workers["billing"].stop()
    shop.seed(30)
    shop.published()

    for topic in shop.topics.values():
        shop.kafka.delete_topic(topic)
        shop.kafka.create_topic(topic, 2)
    shop.consumer("billing")
    shop.settles()


def test_a_consumer_whose_next_message_was_deleted_stops_and_says_what_to_do(shop: Shop) -> None:
    workers = shop.start()
    shop.seed(30)
    shop.settles()
    workers["billing"].stop()
    shop.seed(30)
    shop.published()
    delete_all_records(shop, "order-topic")

    ended = shop.run("run_consumer", "billing", **shop.group("billing"))
    assert ended.returncode == 1
    [line] = ended.stderr.splitlines()[-1:]
    assert "no longer has offset" in line
    assert "--from earliest" in line
    assert "Traceback" not in ended.stderr

    shop.consumer("billing", "--from", "earliest")
    assert shop.run("republish", "--since", "2000-01-01T00:00:00Z").returncode == 0
    shop.settles()


def state() -> list[object]:
    """A fingerprint of every row of every service."""
    return [rows("default", f"SELECT count(*), md5(string_agg(row::text, '|' ORDER BY row::text)) FROM {name} AS row") for name in STATE]


def delete_all_records(shop: Shop, topic: str) -> None:
    """What retention does, at once."""
    ends = [TopicPartition(shop.topics[topic], partition, -1) for partition in range(2)]
    admin = probe.admin(shop.kafka.bootstrap)  # held until it has answered
    for answer in admin.delete_records(ends).values():
        answer.result(10)
