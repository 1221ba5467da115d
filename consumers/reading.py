"""A record becomes an item: an event to apply, a message to refuse, or one to pass over."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from kafka_shop.messaging.envelope import Envelope, Unreadable, from_json, from_kafka, told_type, told_type_in_json
from kafka_shop.messaging.events import Event
from kafka_shop.messaging.kafka import Record

LARGEST_MESSAGE_BYTES = 1024 * 1024
OVER_HTTP = -1  # the partition of what comes in requests
CONTENT = re.compile(r"(?:, got|(?<=value) ).*?(?P<place> - at `[^`]*`)?$", re.DOTALL)  # of a message of msgspec


@dataclass(slots=True)
class Item:
    """One message of a batch. With neither event nor refusal it is of a foreign type and passed over."""

    record: Record
    envelope: Envelope | None = None
    event: Event | None = None
    refusal: str = ""  # why it can only be a dead letter
    attempts: int = 0


class Reader:
    """Decodes the event types of one consumer."""

    def __init__(self, types: Mapping[str, type[Event]]) -> None:
        self._decoders = {name: msgspec.json.Decoder(type) for name, type in types.items()}
        self._families = {family(name) for name in types}

    def read(self, record: Record) -> Item:
        """Never raises: what cannot be decoded, or is another version of a known type, comes back refused.

        A foreign type is passed over whatever the rest of the message looks like: that is its own readers' business.
        """
        item = Item(record)
        try:
            item.envelope = unseal(record)
            if len(record.value or b"") > LARGEST_MESSAGE_BYTES:
                raise Unreadable(f"the message is over {LARGEST_MESSAGE_BYTES} bytes")
            item.event = self._decode(item.envelope)
        except Unreadable as error:
            told = type_of(record)
            item.refusal = "" if told and self._is_foreign(told) else f"unreadable: {error}"
        return item

    def _is_foreign(self, type: str) -> bool:
        return family(type) not in self._families

    def _decode(self, envelope: Envelope) -> Event | None:
        decoder = self._decoders.get(envelope.type)
        if decoder is None:
            if self._is_foreign(envelope.type):
                return None
            raise Unreadable(f"{envelope.type} is a version that this consumer does not know")
        try:
            return decoder.decode(envelope.data)
        except msgspec.ValidationError as error:
            raise Unreadable(f"the data does not fit {envelope.type}: {_where(error)}") from error
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Unreadable("the data is not JSON that can be read") from error


def unseal(record: Record) -> Envelope:
    """The envelope of a message: in JSON over HTTP, in binary mode over Kafka. Raises Unreadable."""
    if record.partition == OVER_HTTP:
        return from_json(record.value or b"")
    return from_kafka(record.headers, record.value)


def type_of(record: Record) -> str:
    """The event type that a message tells, "" when it tells none."""
    return told_type_in_json(record.value or b"") if record.partition == OVER_HTTP else told_type(record.headers)


def family(type: str) -> str:
    """An event type without its version: shop.order.placed of shop.order.placed.v1."""
    return type.rpartition(".v")[0] or type


def _where(error: msgspec.ValidationError) -> str:
    """What the data should have been, and where, without its content."""
    return CONTENT.sub(r"\g<place>", str(error))
