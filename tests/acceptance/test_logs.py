"""Logs that are read again, that are lost, and that lost a part."""

import json

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.cimpl import NewPartitions

from consumers.models import Position
from consumers.routes import ROUTES
from kafka_shop.databases import rows
from tests.acceptance.shop import LONGEST_SECONDS, Shop, until
from tests.acceptance.worker import Worker, stop
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


@pytest.mark.parametrize("restarted", [False, True], ids=["", "after a restart"])
def test_what_was_lost_with_a_topic_is_published_again(shop: Shop, restarted: bool) -> None:
    workers = shop.start()
    shop.seed(30)
    shop.settles()
    if restarted:
        shop.kafka.restart()  # after one, a client goes deaf when its topic is made anew
    workers["billing"].stop()
    shop.seed(30)
    shop.published()

    for topic in shop.topics.values():
        shop.kafka.delete_topic(topic)
        shop.kafka.create_topic(topic, 2)
    shop.consumer("billing")
    shop.settles()
    assert all(workers[name].running for name in ("relay", "orders", "notify"))


def test_a_consumer_whose_next_message_was_deleted_stops_and_says_what_to_do(shop: Shop) -> None:
    workers = shop.start()
    shop.seed(30)
    shop.settles()
    workers["billing"].stop()
    workers["notify"].freeze()
    shop.seed(30)
    shop.published()
    delete_all_records(shop, "order-topic")

    assert "--from earliest" in lost_position(shop.consumer("billing"))
    heal(shop, "billing")
    until(lambda: shop.settled() == 60, "all orders are settled")
    delete_all_records(shop, "notify-topic")
    workers["notify"].thaw()
    assert "notify stands" in lost_position(workers["notify"]), "while it runs, too"
    heal(shop, "notify")
    shop.settles()


def test_consumers_whose_log_was_cut_stop_and_write_nothing_until_a_person_has_decided(shop: Shop) -> None:
    workers = shop.start()
    shop.seed(30)
    shop.settles()
    workers["billing"].stop()
    shop.seed(10)  # fewer than were read: half of a log lacks some of those
    shop.published()
    shop.kafka.kill()
    for name in ("order-topic", "billing-topic"):
        shop.kafka.cut(shop.topics[name])
    shop.kafka.start_node()

    for ended in (workers["orders"], shop.consumer("billing")):
        assert lost_position(ended)
    shop.seed(30)  # these come where others have been read already
    shop.published()
    assert lost_position(shop.consumer("billing")), "it is lost although there is another message now"

    heal(shop, "orders", "billing")
    shop.settles()
    assert shop.settled() == 70


@pytest.mark.parametrize("protocol", ["consumer", "classic"])
def test_partitions_may_be_added_under_load(shop: Shop, protocol: str) -> None:
    shop.protocol = protocol
    looks = {"topic.metadata.refresh.interval.ms": 500}  # every five minutes by default
    with shop.customers_ordering():
        shop.relay(KAFKA_CONFIG=json.dumps(looks))
        for name in ROUTES:
            group = shop.group(name)
            shop.worker("run_consumer", name, **group | {"KAFKA_CONFIG": json.dumps(json.loads(group["KAFKA_CONFIG"]) | looks)})
        shop.goes_on()
        add_partitions(shop, 5)
        until(lambda: all(partitions_read(name) == 5 for name in ROUTES), "every consumer has read from every partition")
        shop.goes_on()
    shop.settles()


def lost_position(worker: Worker) -> str:
    """Waits until a consumer ends for a lost position, and returns the line that it says."""
    assert worker.wait(LONGEST_SECONDS) == 1
    assert not worker.says("Traceback")
    line = worker.last_words()[-1]
    assert "no longer has offset" in line
    return line


def heal(shop: Shop, *names: str) -> None:
    """What the line says."""
    assert shop.run("republish", "--since", "2000-01-01T00:00:00Z").returncode == 0
    for name in names:
        shop.consumer(name, "--from", "earliest")


def add_partitions(shop: Shop, count: int) -> None:
    admin = probe.admin(shop.kafka.bootstrap)  # held until it has answered
    for answer in admin.create_partitions([NewPartitions(topic, count) for topic in shop.topics.values()]).values():
        answer.result(10)


def partitions_read(name: str) -> int:
    """Of how many partitions a consumer has applied something."""
    return Position.objects.filter(consumer=name, position__gt=0).count()


def state() -> list[object]:
    """A fingerprint of every row of every service."""
    return [rows("default", f"SELECT count(*), md5(string_agg(row::text, '|' ORDER BY row::text)) FROM {name} AS row") for name in STATE]


def delete_all_records(shop: Shop, topic: str) -> None:
    """What retention does, at once."""
    ends = [TopicPartition(shop.topics[topic], partition, -1) for partition in range(2)]
    admin = probe.admin(shop.kafka.bootstrap)  # held until it has answered
    for answer in admin.delete_records(ends).values():
        answer.result(10)
