"""The low-level Kafka client: a producer for the relay, a subscription for a consumer, an inspector for questions about logs.

The only package beside the embedded broker that knows confluent_kafka; it speaks in records, positions and errors of its own.
"""

from kafka_shop.messaging.kafka.client import BrokerAway, BrokerMisused, ClientLost, bootstrap_servers
from kafka_shop.messaging.kafka.inspector import MOCK, Inspector, log_identity
from kafka_shop.messaging.kafka.records import Record, Watermarks
from kafka_shop.messaging.kafka.scanning import scan
from kafka_shop.messaging.kafka.sending import Outgoing, Refusal, producer, send, warm
from kafka_shop.messaging.kafka.subscription import OutOfRange, Subscription
from kafka_shop.messaging.kafka.topics import create_topics

__all__ = [
    "MOCK",
    "BrokerAway",
    "BrokerMisused",
    "ClientLost",
    "Inspector",
    "OutOfRange",
    "Outgoing",
    "Record",
    "Refusal",
    "Subscription",
    "Watermarks",
    "bootstrap_servers",
    "create_topics",
    "log_identity",
    "producer",
    "scan",
    "send",
    "warm",
]
