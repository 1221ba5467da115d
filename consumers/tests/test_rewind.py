"""`--from`: a stopped consumer goes on from another place, for Kafka and for the database alike."""

from collections.abc import Iterator

import pytest
from django.core.management.base import CommandError
from pytest_django import Settings

from consumers.models import Position
from consumers.positions import Log, Positions
from consumers.rewind import Start, rewind, when
from consumers.routes import ROUTES
from consumers.tests.stubs import CONSUMER, NOW
from kafka_shop.messaging.kafka import BrokerMisused, Inspector, Outgoing, Watermarks, send

TOPIC = "range-topic"


@pytest.mark.parametrize("text", ["earliest", "latest"])
def test_the_ends_of_the_log_have_names(text: str) -> None:
    assert when(text) == text


def test_a_time_has_its_zone() -> None:
    assert when("2026-01-31T09:00:00Z") == NOW
    assert when("2026-01-31T10:00:00+01:00") == NOW


@pytest.mark.parametrize("text", ["", "first", "2026-01-31", "2026-01-31T09:00:00", "2026-13-31T09:00:00Z", "-1"])
def test_anything_else_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(CommandError, match=r"is not earliest, latest or an ISO 8601 time with its zone, such as 2026-01-31T09:00:00Z"):
        when(text)


@pytest.fixture
def inspector(embedded_broker: str, settings: Settings) -> Iterator[Inspector]:
    """Looks at the consumer's group and its topic, which has messages."""
    settings.TOPICS = settings.TOPICS | {"order-topic": TOPIC}
    send(TOPIC, [Outgoing(number, str(number), [], b"x") for number in range(50)], timeout=10)
    inspector = Inspector(ROUTES[CONSUMER].group)
    yield inspector
    inspector.close()


def marks(inspector: Inspector) -> dict[int, Watermarks]:
    return {number: inspector.watermarks(TOPIC, number) for number in (0, 1)}


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("start", ["earliest", "latest"])
def test_both_positions_are_moved_and_the_claims_given_back(inspector: Inspector, start: Start) -> None:
    expected = {number: each.low if start == "earliest" else each.high for number, each in marks(inspector).items()}

    assert rewind(CONSUMER, start, NOW) == expected

    assert inspector.committed(TOPIC, [0, 1]) == expected
    assert Positions("default", CONSUMER, TOPIC).read() == expected
    rows = Position.objects.values_list("owner", "cluster_id", "anchor_offset")
    assert set(rows) == {(None, inspector.cluster_id(TOPIC), None)}


@pytest.mark.usefixtures("db")
def test_the_embedded_broker_says_that_it_knows_no_times(inspector: Inspector) -> None:
    with pytest.raises(BrokerMisused, match="use earliest or latest"):
        rewind(CONSUMER, NOW, NOW)

    assert Positions("default", CONSUMER, TOPIC).read() == {}


@pytest.mark.usefixtures("db")
def test_a_process_that_still_thinks_it_owns_the_partition_is_fenced(inspector: Inspector) -> None:
    positions = Positions("default", CONSUMER, TOPIC)
    [zombie] = positions.claim([0])

    rewind(CONSUMER, "earliest", NOW)

    assert positions.identify(zombie, Log("c", "")) == 0
