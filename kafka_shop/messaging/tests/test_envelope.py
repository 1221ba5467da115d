"""The envelope: what goes in comes out, and what is no CloudEvent of this shop is refused with its reason."""

from datetime import datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafka_shop.messaging.envelope import (
    LARGEST_DATA_BYTES,
    LONGEST_NAMES,
    Envelope,
    FactTooLarge,
    Headers,
    Unreadable,
    from_json,
    from_kafka,
    seal,
    to_json,
    to_kafka,
)
from kafka_shop.messaging.tests.stubs import CUSTOMER, ORDER, TRACE, Said, said


def decoded(envelope: Envelope) -> Said:
    return msgspec.json.decode(envelope.data, type=Said)


zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
times = st.datetimes(datetime(1970, 1, 2), datetime(9998, 1, 1), timezones=zones)
events = st.builds(said, st.text(), times)


@given(events, st.sampled_from(["", TRACE]))
def test_kafka_headers_and_value_give_the_envelope_back(event: Said, traceparent: str) -> None:
    envelope = seal(event, traceparent)

    again = from_kafka(*to_kafka(envelope))

    assert again == envelope
    assert decoded(again) == event


@given(events, st.sampled_from(["", TRACE]))
def test_json_gives_the_envelope_back(event: Said, traceparent: str) -> None:
    envelope = seal(event, traceparent)

    again = from_json(to_json(envelope))

    assert msgspec.structs.replace(again, data=envelope.data) == envelope
    assert decoded(again) == event


@given(events)
def test_what_the_outbox_keeps_is_published_unchanged(event: Said) -> None:
    assert to_kafka(from_json(to_json(seal(event)))) == to_kafka(seal(event))


def test_the_envelope_says_what_happened_to_which_order_of_which_customer() -> None:
    assert to_kafka(seal(said(), TRACE)) == (
        [
            ("ce_specversion", b"1.0"),
            ("ce_id", b"word.said:00000000-0000-0000-0000-000000000001"),
            ("ce_type", b"shop.word.said.v1"),
            ("ce_source", b"/words"),
            ("ce_subject", str(ORDER).encode()),
            ("ce_time", b"2026-01-31T12:00:00Z"),
            ("ce_partitionkey", str(CUSTOMER).encode()),
            ("content-type", b"application/json"),
            ("ce_traceparent", TRACE.encode()),
        ],
        b'{"order_id":"00000000-0000-0000-0000-000000000001","customer_id":"00000000-0000-0000-0000-000000000002",'
        b'"word":"hello","said_at":"2026-01-31T12:00:00Z"}',
    )


def test_without_a_trace_no_empty_attribute_is_written() -> None:
    headers, _ = to_kafka(seal(said()))

    assert "ce_traceparent" not in dict(headers)
    assert b"traceparent" not in to_json(seal(said()))


def test_the_same_fact_is_the_same_bytes() -> None:
    assert to_json(seal(said())) == to_json(seal(said()))


def test_a_fact_too_large_is_refused_where_it_is_made() -> None:
    frame = len(seal(said("")).data)
    seal(said("x" * (LARGEST_DATA_BYTES - frame)))

    with pytest.raises(FactTooLarge, match=f"word.said:{ORDER} has {LARGEST_DATA_BYTES + 1} bytes of data, at most {LARGEST_DATA_BYTES}"):
        seal(said("x" * (LARGEST_DATA_BYTES - frame + 1)))


def headers_with(**changes: bytes | None) -> Headers:
    """The headers of an event with some of them changed, or left out where None."""
    known = dict(to_kafka(seal(said(), TRACE))[0])
    changed = known | {name if name == "content-type" else f"ce_{name}": value for name, value in changes.items()}
    return [(name, value) for name, value in changed.items() if value is not None]


def reason_of(headers: Headers | None, value: bytes | None = b"{}") -> str:
    with pytest.raises(Unreadable) as caught:
        from_kafka(headers, value)
    return str(caught.value)


@pytest.mark.parametrize("name", ["id", "type", "source", "specversion"])
@pytest.mark.parametrize("value", [None, b""])
def test_a_required_attribute_that_is_missing_is_named(name: str, value: bytes | None) -> None:
    assert reason_of(headers_with(**{name: value})) == f"the header ce_{name} is missing"


@pytest.mark.parametrize("headers", [None, []])
def test_a_message_without_headers_is_unreadable(headers: Headers | None) -> None:
    assert reason_of(headers) == "the header ce_id is missing"


def test_a_message_without_a_value_is_unreadable() -> None:
    assert reason_of(headers_with(), None) == "the message has no value"


@pytest.mark.parametrize("version", [b"0.3", b"1.1", b"2.0"])
def test_another_version_of_cloudevents_is_unreadable(version: bytes) -> None:
    assert reason_of(headers_with(specversion=version)) == "another version of CloudEvents than 1.0 is not understood"


@pytest.mark.parametrize("type", [b"application/avro", b"application/cloudevents+json", b"text/plain"])
def test_another_content_type_is_unreadable(type: bytes) -> None:
    assert "not application/json" in reason_of(headers_with(**{"content-type": type}))


@pytest.mark.parametrize("type", [None, b"application/json", b"application/json; charset=utf-8"])
def test_json_is_read_with_parameters_and_without_a_content_type(type: bytes | None) -> None:
    assert from_kafka(headers_with(**{"content-type": type}), b"{}").datacontenttype == "application/json"


@pytest.mark.parametrize("name", ["id", "type", "source", "subject", "time", "partitionkey", "traceparent", "content-type"])
def test_an_attribute_that_is_not_utf8_is_unreadable(name: str) -> None:
    assert reason_of(headers_with(**{name: b"\xff"})) == "a header is not UTF-8"


def test_a_header_of_somebody_else_may_be_any_bytes() -> None:
    assert from_kafka([*headers_with(), ("x-binary", b"\xff"), ("x-null", None)], b"{}").id == said().id


@pytest.mark.parametrize("time", [None, b"", b"noon", b"2026-01-31", b"2026-01-31T12:00:00", b"1769860800"])
def test_a_time_that_is_not_rfc_3339_is_unreadable(time: bytes | None) -> None:
    assert reason_of(headers_with(time=time)) == "the header ce_time is not an RFC 3339 time"


@pytest.mark.parametrize("name", ["id", "type", "subject", "traceparent"])
@pytest.mark.parametrize("control", [b"\0", b"\n", b"\x1f", b"\x7f", "\x9f".encode()])
def test_a_control_character_is_unreadable(name: str, control: bytes) -> None:
    assert reason_of(headers_with(**{name: b"a" + control})) == "id, type, subject or traceparent has a control character"


def test_names_longer_than_an_index_takes_are_unreadable() -> None:
    reason = f"id, type, subject and traceparent have over {LONGEST_NAMES} characters"

    assert reason_of(headers_with(id=b"x" * LONGEST_NAMES)) == reason


def test_subject_and_partition_key_may_be_missing() -> None:
    envelope = from_kafka(headers_with(subject=None, partitionkey=None, traceparent=None), b"{}")

    assert (envelope.subject, envelope.partitionkey, envelope.traceparent) == ("", "", "")


WHOLE = to_json(seal(said()))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[",
        b"[]",
        b"null",
        b"{}",
        b"\xff",
        WHOLE.replace(b"1.0", b"2.0"),
        WHOLE.replace(b'"id":"word', b'"id":"\\u0000word'),
        WHOLE.replace(b'"id":"word', b'"id":"' + b"x" * LONGEST_NAMES),
        WHOLE.replace(b"word.said", b"\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
        WHOLE.replace(b"2026-01-31T12:00:00Z", b"2026-01-31T12:00:00"),
        WHOLE.replace(b'"word":"hello"', b'"word":' + b"[" * 100_000 + b"]" * 100_000),
        WHOLE.replace(b'"subject"', b'"object"'),
        WHOLE[:-1],
    ],
)
def test_json_that_is_no_envelope_is_unreadable(content: bytes) -> None:
    with pytest.raises(Unreadable):
        from_json(content)


@given(st.binary(max_size=300))
def test_any_bytes_are_an_envelope_or_unreadable(content: bytes) -> None:
    with pytest.raises(Unreadable):
        from_json(content)
