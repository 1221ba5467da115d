"""What a consumer tells of the traces that its messages belong to."""

from collections.abc import Sequence

from django.conf import settings

from consumers.reading import Item
from kafka_shop.tracing import trace_id


def tell(consumer: str, items: Sequence[Item]) -> None:
    """A span for each message of a batch that was committed, where traces are wanted and the message belongs to one."""
    if not settings.OTEL_EXPORTER_OTLP_ENDPOINT:
        return
    from kafka_shop import spans  # needs packages that are not there otherwise

    for item in items:
        if item.event and item.envelope and trace_id(item.envelope.traceparent):
            topic, offset, order = item.record.topic, item.record.offset, item.envelope.subject
            spans.tell_message(
                f"{consumer} {item.envelope.type}",
                item.envelope.traceparent,
                begun_ms=item.record.timestamp,
                attributes={"messaging.destination.name": topic, "messaging.kafka.offset": offset, "shop.order_id": order},
                refusal=item.refusal,
            )
