"""The watch over a client that went deaf."""

from consumers.watch import Watch


def test_positions_that_move_or_stand_at_their_end_are_no_deafness() -> None:
    watch = Watch()

    assert not any(watch.is_deaf({0: position}) for position in range(10))
    assert not any(watch.is_deaf({}) for _ in range(10))


def test_standing_still_with_more_to_come_is_noticed_after_two_looks_then_four_then_eight() -> None:
    watch = Watch()
    answers = [watch.is_deaf({0: 7, 1: 3}) for _ in range(15)]

    assert [place for place, deaf in enumerate(answers) if deaf] == [2, 6, 14]


def test_a_partition_is_stalled_when_it_stands_still_although_its_client_was_replaced() -> None:
    watch = Watch()
    stalled = []
    for _ in range(4):
        watch.is_deaf({0: 7, 1: 3})
        stalled.append(watch.stalled)

    assert stalled == [set(), set(), set(), {0, 1}]
    watch.is_deaf({0: 7, 1: 4})
    assert watch.stalled == {0}
    watch.is_deaf({1: 4})
    assert watch.stalled == set(), "it came to its end"


def test_partitions_that_stand_still_in_turn_are_no_deafness() -> None:
    watch = Watch()

    assert not any(watch.is_deaf({0: place // 2, 1: (place + 1) // 2}) for place in range(10))


def test_a_move_ends_the_patience() -> None:
    watch = Watch()
    for _ in range(5):
        watch.is_deaf({0: 7})
    watch.is_deaf({0: 8})

    assert [watch.is_deaf({0: 8}) for _ in range(2)] == [False, True]
