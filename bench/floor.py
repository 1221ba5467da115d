"""The floor: the billing service as most teams write it, on Django's default database.

One message, one ORM transaction; then its result is published and waited for, then the offset is committed: at least once.
Import this module when Django is set up.
"""

import json
import time
from collections.abc import Callable

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer
from django.core.serializers.json import DjangoJSONEncoder

from bench.floor_step import bill
from billing.models import Invoice

CONSUMER = {"enable.auto.commit": False, "auto.offset.reset": "earliest"}
PRODUCER = {"acks": "all", "enable.idempotence": True}
BROKER_SECONDS = 10.0


def run(bootstrap: str, topic: str, results: str, *, count: int, group: str, show: Callable[[int], object] = bool) -> float:
    """Bill the group's next `count` messages of `topic`, publish to the topic `results`, return messages per second.

    The clock runs from the end of the first message, which pays for the connections, to the end of the last. `show` is told how far it is.
    """
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": group, **CONSUMER})
    producer = Producer({"bootstrap.servers": bootstrap, **PRODUCER})
    consumer.subscribe([topic])
    try:
        _work(consumer, producer, results)
        started = time.perf_counter()
        for number in range(1, count):
            _work(consumer, producer, results)
            show(number)
        return (count - 1) / (time.perf_counter() - started)
    finally:
        consumer.close()


def _work(consumer: Consumer, producer: Producer, results: str) -> None:
    message = _next(consumer)
    invoice = bill(message)
    producer.produce(results, _value(invoice), str(invoice.customer_id), headers=_headers(invoice), on_delivery=_delivered)
    producer.flush()
    consumer.commit(message=message, asynchronous=False)


def _next(consumer: Consumer) -> Message:
    message = consumer.poll(BROKER_SECONDS)
    if message is None:
        raise TimeoutError(f"no message within {BROKER_SECONDS:g} s")
    if error := message.error():
        raise KafkaException(error)
    return message


def _delivered(error: KafkaError | None, _: Message) -> None:
    if error:
        raise KafkaException(error)


def _value(invoice: Invoice) -> bytes:
    fact = {
        "invoice_id": invoice.id,
        "order_id": invoice.order_id,
        "customer_id": invoice.customer_id,
        "amount": invoice.amount,
        "currency": invoice.currency,
        "outcome": invoice.outcome,
        "reason": invoice.reason,
        "settled_at": invoice.settled_at,
    }
    return json.dumps(fact, cls=DjangoJSONEncoder).encode()


def _headers(invoice: Invoice) -> dict[str, str | bytes | None]:
    return {
        "ce_specversion": "1.0",
        "ce_id": f"invoice.settled:{invoice.order_id}",
        "ce_source": "/billing",
        "ce_type": "shop.invoice.settled.v1",
        "ce_subject": str(invoice.order_id),
        "ce_time": str(invoice.settled_at),
        "ce_partitionkey": str(invoice.customer_id),
        "content-type": "application/json",
    }
