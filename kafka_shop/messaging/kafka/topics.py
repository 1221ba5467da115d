"""Makes topics."""

from collections.abc import Sequence
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from kafka_shop.messaging.kafka.client import ANSWER_SECONDS, BrokerAway, BrokerMisused, bootstrap_servers, open_client


def create_topics(names: Sequence[str], *, partitions: int, replication_factor: int) -> dict[str, str]:
    """Makes the topics that are missing and says of each "created" or "exists". Raises BrokerAway, BrokerMisused."""
    admin: AdminClient = open_client(AdminClient, {})
    try:
        known = admin.list_topics(timeout=ANSWER_SECONDS).topics
    except KafkaException as error:
        raise BrokerAway(f"no broker answers at {bootstrap_servers()}") from error
    missing = [NewTopic(name, num_partitions=partitions, replication_factor=replication_factor) for name in names if name not in known]
    answers = admin.create_topics(missing, operation_timeout=ANSWER_SECONDS) if missing else {}
    return {name: _created(answers[name]) if name in answers else "exists" for name in names}


def _created(answer: Any) -> str:
    try:
        answer.result(timeout=2 * ANSWER_SECONDS)
    except KafkaException as error:
        if error.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS:
            return "exists"
        raise BrokerMisused(f"the topic could not be made: {error.args[0].str()}") from error
    return "created"
