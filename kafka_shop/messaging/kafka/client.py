"""How a client is made, and what its errors mean."""

import os
from collections.abc import Callable, Mapping
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from django.conf import settings

ANSWER_SECONDS = 5.0
CONNECTION: dict[str, Any] = {
    "reconnect.backoff.ms": 50,
    "reconnect.backoff.max.ms": 500,
    "socket.timeout.ms": 3000,  # an answer so late never comes: the connection is half-open, and another one is made
    "socket.nagle.disable": True,
    "log_level": 2,
}
TOO_OLD = {KafkaError._UNSUPPORTED_FEATURE, KafkaError.UNSUPPORTED_VERSION}


class BrokerAway(Exception):
    """The broker does not answer: try again."""


class ClientLost(BrokerAway):
    """This client cannot go on; another one can."""


class BrokerMisused(Exception):
    """The broker answers that this cannot work. Its message says what to change."""


def bootstrap_servers() -> str:
    """The named broker, else the embedded one that runs. Raises BrokerMisused when there is neither."""
    if settings.KAFKA_BOOTSTRAP_SERVERS:
        return str(settings.KAFKA_BOOTSTRAP_SERVERS)
    try:
        address, pid = settings.EMBEDDED_BROKER_FILE.read_text().split()
        os.kill(int(pid), 0)
    except (OSError, ValueError) as error:
        raise BrokerMisused("no broker is named: set KAFKA_BOOTSTRAP_SERVERS, or start `python manage.py run_broker`") from error
    return str(address)


def open_client(kind: Callable[[dict[str, Any]], Any], config: Mapping[str, Any]) -> Any:
    """A client of the named broker; KAFKA_CONFIG has the last word. Raises BrokerMisused."""
    try:
        return kind({"bootstrap.servers": bootstrap_servers(), **CONNECTION, **config, **settings.KAFKA_CONFIG})
    except (KafkaException, ValueError, TypeError) as error:
        raise BrokerMisused(f"the Kafka client refuses its configuration (KAFKA_CONFIG): {error}") from error


def translate(error: KafkaError) -> BrokerAway | BrokerMisused:
    """What a client's error means for the shop."""
    fatal = error.fatal() or error.code() == KafkaError._FATAL  # what poll gives as a message has only the code, and the cause in words
    if error.code() in TOO_OLD or (fatal and any(KafkaError(code).str() in error.str() for code in TOO_OLD)):
        return BrokerMisused("the broker does not know this group protocol (KIP-848 needs Kafka 4.0): set KAFKA_GROUP_PROTOCOL=classic")
    if fatal and KafkaError(KafkaError.GROUP_ID_NOT_FOUND).str() in error.str():
        return ClientLost(error.str())  # a coordinator that has just started may not know its groups yet
    if error.code() in {KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.GROUP_AUTHORIZATION_FAILED, KafkaError._AUTHENTICATION}:
        return BrokerMisused(f"the broker refuses this client: {error.str()}; see KAFKA_CONFIG")
    if fatal:
        return BrokerMisused(f"the Kafka client cannot go on: {error.str()}")
    return BrokerAway(error.str())
