"""What an HTTP answer means for the rows of a window: only 204 takes them, what is broken is searched in halves, all else waits."""

import json
import re
from collections.abc import Callable

import httpx
import pytest

from kafka_shop.databases import LIMITS
from kafka_shop.messaging.http import (
    ANSWER_SECONDS,
    EVENTS_A_REQUEST,
    IDLE_TRANSACTION_SECONDS,
    LONE_ATTEMPTS,
    TURN_SECONDS,
    Away,
    HttpCarrier,
    Row,
)

URL = "http://billing.test/api/v1/billing/events/"


class Receiver(httpx.MockTransport):
    """A service that answers as `answer` says, and remembers what it was asked."""

    def __init__(self, answer: Callable[[list[int]], int | Exception]) -> None:
        super().__init__(self._handle)
        self.requests: list[list[int]] = []
        self.headers: list[httpx.Headers] = []
        self._answer = answer

    def _handle(self, request: httpx.Request) -> httpx.Response:
        events: list[int] = json.loads(request.content)
        self.requests.append(events)
        self.headers.append(request.headers)
        answer = self._answer(events)
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(
            answer, headers={"Retry-After": "7"} if answer == 503 else {}, json={"detail": "why"} if answer > 204 else None
        )


def rows(*numbers: int) -> list[Row]:
    return [(number, "customer", str(number).encode()) for number in numbers]


def carrier(receiver: Receiver) -> HttpCarrier:
    return HttpCarrier(URL, "between-services", receiver)


def test_a_window_travels_in_order_as_one_batch_with_the_token() -> None:
    receiver = Receiver(lambda events: 204)
    assert carrier(receiver)(rows(1, 2, 3)) == ([1, 2, 3], {})
    assert receiver.requests == [[1, 2, 3]]
    assert receiver.headers[0]["Authorization"] == "Bearer between-services"
    assert receiver.headers[0]["Content-Type"] == "application/cloudevents-batch+json"


def test_no_request_has_more_events_than_a_receiver_takes() -> None:
    receiver = Receiver(lambda events: 204)
    taken, _ = carrier(receiver)(rows(*range(2500)))
    assert taken == list(range(2500))
    assert [len(events) for events in receiver.requests] == [EVENTS_A_REQUEST, EVENTS_A_REQUEST, 500]


@pytest.mark.parametrize("status", [400, 413])
def test_an_event_that_is_refused_is_found_and_holds_up_no_other(status: int) -> None:
    receiver = Receiver(lambda events: status if 5 in events else 204)
    taken, refused = carrier(receiver)(rows(*range(8)))
    assert sorted(taken) == [0, 1, 2, 3, 4, 6, 7]
    assert [(number, refusal.for_good) for number, refusal in refused.items()] == [(5, True)]


def test_the_sender_waits_longer_than_the_receivers_statement_limit() -> None:
    limit = re.search(r"statement_timeout = '(\d+)s'", LIMITS)
    assert limit and int(limit[1]) < ANSWER_SECONDS
    assert TURN_SECONDS + ANSWER_SECONDS < IDLE_TRANSACTION_SECONDS


@pytest.mark.parametrize("status", [200, 202, 301, 401, 403, 404, 429, 500, 502, 504])
def test_nothing_is_taken_by_any_other_answer(status: int) -> None:
    with pytest.raises(Away):
        carrier(Receiver(lambda events: status))(rows(1, 2))


def test_a_service_that_asks_for_time_gets_what_it_asks_for() -> None:
    with pytest.raises(Away, match="why") as away:
        carrier(Receiver(lambda events: 503))(rows(1))
    assert away.value.seconds == 7


def test_a_service_that_does_not_answer_is_away() -> None:
    receiver = Receiver(lambda events: httpx.ConnectError("refused"))
    with pytest.raises(Away):
        carrier(receiver)(rows(1, 2))
    assert len(receiver.requests) == 1  # it was not asked again for each half


def test_what_was_taken_before_the_service_went_away_stays_taken() -> None:
    receiver = Receiver(lambda events: 503 if events[0] >= EVENTS_A_REQUEST else 204)
    taken, refused = carrier(receiver)(rows(*range(EVENTS_A_REQUEST + 2)))
    assert taken == list(range(EVENTS_A_REQUEST))
    assert not refused


def test_a_request_that_breaks_off_is_halved_and_a_lone_event_tried_again() -> None:
    receiver = Receiver(lambda events: httpx.ReadTimeout("too long") if 2 in events else 204)
    taken, refused = carrier(receiver)(rows(1, 2, 3, 4))
    assert sorted(taken) == [1, 3, 4]
    assert [(number, refusal.for_good) for number, refusal in refused.items()] == [(2, False)]


def test_what_is_taken_is_taken_in_order_although_it_is_searched_in_halves() -> None:
    receiver = Receiver(lambda events: 413 if 5 in events else 204)
    taken, _ = carrier(receiver)(rows(*range(16)))
    applied = [event for events in receiver.requests if 5 not in events for event in events]
    assert applied == taken == [number for number in range(16) if number != 5]


def test_an_event_that_breaks_a_healthy_service_again_and_again_is_set_aside() -> None:
    carry = carrier(Receiver(lambda events: httpx.RemoteProtocolError("gone") if 2 in events else 204))
    verdicts = [carry(rows(2))[1][2].for_good for _ in range(LONE_ATTEMPTS)]
    assert verdicts == [False] * (LONE_ATTEMPTS - 1) + [True]


def test_no_event_is_blamed_for_a_service_that_is_ill() -> None:
    carry = carrier(Receiver(lambda events: httpx.RemoteProtocolError("gone")))
    assert not any(carry(rows(2))[1][2].for_good for _ in range(2 * LONE_ATTEMPTS))
