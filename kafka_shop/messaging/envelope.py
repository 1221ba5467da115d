"""CloudEvents 1.0 by hand: an event to its envelope, the envelope to Kafka's binary mode and back.

Sources: CloudEvents 1.0 specification, its Kafka protocol binding (section 3.2, binary content mode), its JSON format, and the
partitioning and distributed-tracing extensions. The cloudevents package is the conformance test of this module.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from kafka_shop.messaging.events import Event, Time, text_of

LARGEST_DATA_BYTES = 256 * 1024
LONGEST_NAMES = 500  # characters of id, type, subject and traceparent together: the first three are columns with an index
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")  # not allowed in a String (CloudEvents 1.0, type system), and NUL not in PostgreSQL
CONTENT_TYPE = "application/json"
REQUIRED_HEADERS = ("ce_id", "ce_type", "ce_source", "ce_specversion")
KNOWN_HEADERS = {*REQUIRED_HEADERS, "ce_subject", "ce_time", "ce_partitionkey", "ce_traceparent", "content-type"}
Headers = list[tuple[str, bytes]]

_encoder = msgspec.json.Encoder()


class Envelope(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A CloudEvent in its JSON format; `data` is left as it was written."""

    specversion: str
    id: str
    type: str
    source: str
    subject: str
    time: Time
    partitionkey: str
    datacontenttype: str = ""
    traceparent: str = ""
    data: msgspec.Raw


class Unreadable(Exception):
    """A message that is no CloudEvent of this shop. Its message is the reason, and quotes no content."""


class FactTooLarge(Exception):
    """A fact whose data is over LARGEST_DATA_BYTES: it is refused where it is made, not on the way."""


class Typed(msgspec.Struct, frozen=True):
    """What every CloudEvent has, whoever's it is."""

    type: str


_decoder = msgspec.json.Decoder(Envelope)
_type_decoder = msgspec.json.Decoder(Typed)


def seal(event: Event, traceparent: str = "") -> Envelope:
    """The envelope of a fact. Raises FactTooLarge."""
    data = _encoder.encode(event)
    if len(data) > LARGEST_DATA_BYTES:
        raise FactTooLarge(f"{event.id} has {len(data)} bytes of data, at most {LARGEST_DATA_BYTES} are allowed")
    return Envelope(
        specversion="1.0",
        id=event.id,
        type=event.type,
        source=event.source,
        subject=event.subject,
        time=event.time,
        partitionkey=text_of(event.customer_id),
        datacontenttype=CONTENT_TYPE,
        traceparent=traceparent,
        data=msgspec.Raw(data),
    )


def to_json(envelope: Envelope) -> bytes:
    """The CloudEvents JSON format (structured mode): what the outbox stores and HTTP carries."""
    return _encoder.encode(envelope)


def from_json(content: bytes) -> Envelope:
    """The envelope that `to_json` wrote. Raises Unreadable."""
    try:
        return _usable(_decoder.decode(content))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable(f"not a CloudEvent in JSON: {error}") from error


def to_kafka(envelope: Envelope) -> tuple[Headers, bytes]:
    """Headers and value of a Kafka message in binary mode; the key is the partition key."""
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", envelope.id.encode()),
        ("ce_type", envelope.type.encode()),
        ("ce_source", envelope.source.encode()),
        ("ce_subject", envelope.subject.encode()),
        ("ce_time", _encoder.encode(envelope.time)[1:-1]),
        ("ce_partitionkey", envelope.partitionkey.encode()),
        ("content-type", CONTENT_TYPE.encode()),
    ]
    if envelope.traceparent:
        headers.append(("ce_traceparent", envelope.traceparent.encode()))
    return headers, bytes(envelope.data)


def from_kafka(headers: Sequence[tuple[str, bytes | str | None]] | None, value: bytes | None) -> Envelope:
    """The envelope of a Kafka message in binary mode. Raises Unreadable."""
    if value is None:
        raise Unreadable("the message has no value")
    attributes = _text(headers or ())
    for name in REQUIRED_HEADERS:
        if not attributes.get(name):
            raise Unreadable(f"the header {name} is missing")
    if not attributes.get("content-type", CONTENT_TYPE).startswith(CONTENT_TYPE):
        raise Unreadable(f"the content type is not {CONTENT_TYPE}")
    return _usable(
        Envelope(
            specversion=attributes["ce_specversion"],
            id=attributes["ce_id"],
            type=attributes["ce_type"],
            source=attributes["ce_source"],
            subject=attributes.get("ce_subject", ""),
            time=_time(attributes.get("ce_time", "")),
            partitionkey=attributes.get("ce_partitionkey", ""),
            datacontenttype=CONTENT_TYPE,
            traceparent=attributes.get("ce_traceparent", ""),
            data=msgspec.Raw(value),
        )
    )


def told_type(headers: Sequence[tuple[str, bytes | str | None]]) -> str:
    """The type of a Kafka message, however little of the rest can be read; "" when it tells none."""
    value = dict(headers).get("ce_type") or b""
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def told_type_in_json(content: bytes) -> str:
    """The type of a CloudEvent in JSON, however little of the rest can be read; "" when it tells none."""
    try:
        return _type_decoder.decode(content).type
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""


def _usable(envelope: Envelope) -> Envelope:
    """Refuses another version of CloudEvents, and names that no table can keep or no fact should pass on."""
    if envelope.specversion != "1.0":
        raise Unreadable("another version of CloudEvents than 1.0 is not understood")
    names = envelope.id + envelope.type + envelope.subject + envelope.traceparent
    if len(names) > LONGEST_NAMES:
        raise Unreadable(f"id, type, subject and traceparent have over {LONGEST_NAMES} characters")
    if not names.isprintable() and CONTROL.search(names):
        raise Unreadable("id, type, subject or traceparent has a control character")
    return envelope


def _text(headers: Sequence[tuple[str, bytes | str | None]]) -> Mapping[str, str]:
    """The headers that are read here; all others are left alone, whatever they hold."""
    try:
        return {name: value.decode() if isinstance(value, bytes) else value or "" for name, value in headers if name in KNOWN_HEADERS}
    except UnicodeDecodeError as error:
        raise Unreadable("a header is not UTF-8") from error


def _time(text: str) -> datetime:
    try:
        time = msgspec.convert(text, datetime)
    except msgspec.ValidationError:
        time = datetime.min
    if time.tzinfo is None:
        raise Unreadable("the header ce_time is not an RFC 3339 time")
    return time
