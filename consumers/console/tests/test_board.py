"""What the home makes of the flow's figures."""

from datetime import timedelta
from typing import Any

import pytest

from consumers.console import board
from consumers.console.templatetags.words import ago, duration, milliseconds, number, rate
from consumers.console.tests.flows import NOW, box, edge, flow, part


@pytest.mark.parametrize(
    ("changed", "word", "level"),
    [
        ({}, "reading", "good"),
        ({"paused": True}, "paused", "warn"),
        ({"paused": None}, "unknown", "bad"),
        ({"partitions": []}, "nothing read yet", "quiet"),
        ({"partitions": [part(), part(state="silent")]}, "silent", "bad"),
        ({"partitions": [part(state="silent"), part(state="nobody")]}, "no process", "bad"),
        ({"partitions": [part(state="http", partition=None)]}, "takes requests", "good"),
    ],
)
def test_a_consumer_is_as_well_as_its_worst_partition(changed: dict[str, Any], word: str, level: str) -> None:
    assert board.consumer_state(edge(**changed)) == board.State(word, level)


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({}, "publishing"),
        ({"waiting": None}, "unknown"),
        ({"waiting": 3, "oldest_seconds": 60.0}, "waiting"),
        ({"refused": 1, "oldest_seconds": 60.0}, "refused"),
        ({"log_seen_at": NOW - timedelta(minutes=1)}, "silent"),
        ({"log_seen_at": None}, "publishing"),  # over HTTP there is no log
    ],
)
def test_the_relay_is_told_by_what_waits_and_by_when_it_last_saw_its_log(changed: dict[str, Any], word: str) -> None:
    assert board.relay_state(box(**changed), flow()).word == word


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, []),
        ({"databases": {"default": "away"}, "broker": "away"}, ["database default is away", "the broker is away"]),
        ({"edges": [edge(paused=True, lag=9, drain_seconds=60.0)]}, ["billing is paused"]),
        ({"edges": [edge(lag=600, drain_seconds=60.0)]}, ["billing is behind"]),
        ({"edges": [edge(lag=600, drain_seconds=5.0)]}, []),
        ({"edges": [edge(partitions=[part(state="nobody")])]}, ["billing has no process"]),
        ({"outbox": [box(waiting=1, oldest_seconds=60.0)]}, ["facts wait in the outbox for order-topic"]),
        ({"dead_letters": [{"count": 1}]}, ["1 open dead letter"]),
        ({"dead_letters": [{"count": 1}, {"count": 1200}]}, ["1,201 open dead letters"]),
    ],
)
def test_what_is_wrong_is_said_in_words(changed: dict[str, Any], said: list[str]) -> None:
    assert list(board.troubles(flow(**changed))) == said


def test_on_the_map_a_sender_stands_once() -> None:
    whole = [edge(), edge(**{"from": "billing", "to": "orders"}), edge(to="notify")]
    assert [hop.starts for hop in board.hops(flow(edges=whole))] == [True, False, False]
    apart = [edge(**{"from": "billing", "to": "orders"}), edge(to="notify")]
    assert [hop.starts for hop in board.hops(flow(edges=apart))] == [True, False]


def test_health_names_every_part_that_an_order_needs() -> None:
    two = [part(), part(partition=1, lag=None, beat_at=None, moved_at=None)]
    rows = {row.what: row for row in board.health(flow(edges=[edge(partitions=two)]))}
    assert list(rows) == ["Database default", "Broker", "Relay to order-topic", "billing, partition 0", "billing, partition 1"]
    assert [name for name, _, _ in rows["billing, partition 0"].facts] == ["position", "lag", "last beat", "moved"]
    assert [name for name, _, _ in rows["billing, partition 1"].facts] == ["position"]
    over_http = flow(broker=None, outbox=[box(log_seen_at=None)], edges=[edge(partitions=[part(partition=None, state="http")])])
    assert [row.what for row in board.health(over_http)] == ["Database default", "Relay to order-topic", "billing, over HTTP"]


def test_bars_are_as_high_as_their_share_and_a_little_is_seen() -> None:
    figures = [(NOW, 1000), (NOW, 500), (NOW, 1), (NOW, 0), (NOW, None)]
    found = board.bars(figures, number)
    assert [bar.height for bar in found] == [60, 30, 2, 0, 0]
    assert [bar.y + bar.height for bar in found] == [60] * 5
    assert [bar.label for bar in found] == ["1,000", "500", "1", "0", "–"]
    assert [bar.height for bar in board.bars([(NOW, 0)], number)] == [0]


def test_figures_are_said_in_the_unit_that_they_are_read_in() -> None:
    assert [duration(each) for each in (None, 0, 0.0124, 4.21, 12.3, 180, 7200, 432000)] == [
        "–",
        "0 s",
        "12 ms",
        "4.2 s",
        "12 s",
        "3 min",
        "2 h",
        "5 d",
    ]
    assert [milliseconds(each) for each in (None, 12.4, 61000)] == ["–", "12 ms", "1 min"]
    assert [rate(each) for each in (None, 0.0, 0.033, 1.5, 1234.5)] == ["–", "0/min", "2/min", "1.5/s", "1,234/s"]
    assert [ago(NOW - timedelta(seconds=each), NOW) for each in (-1, 0.4, 3.4, 75)] == ["now", "now", "3 s ago", "1 min ago"]
    assert ago(None, NOW) == "–"
