"""The model of more processes and cores obeys the laws that every queue obeys."""

import pytest

from bench.scale_model import Cores, Work, measured, per_second

WORK = Work(process=30, database=40, waiting=10)
ENOUGH = Cores(database=1000, processes=1000)


def test_a_process_alone_takes_the_sum_of_its_times() -> None:
    assert per_second(WORK, 1, ENOUGH) == pytest.approx(1e6 / 80, rel=0.05)


@pytest.mark.parametrize("processes", [2, 8, 32])
def test_with_cores_enough_speed_grows_with_the_processes(processes: int) -> None:
    assert per_second(WORK, processes, ENOUGH) == pytest.approx(processes * 1e6 / 80, rel=0.05)


@pytest.mark.parametrize("cores", [1, 2, 4])
def test_no_more_is_done_than_the_cores_of_the_database_can_do(cores: int) -> None:
    assert per_second(WORK, 64, Cores(database=cores, processes=64)) == pytest.approx(cores * 1e6 / 40, rel=0.05)


def test_shared_cores_bear_both() -> None:
    assert per_second(WORK, 64, Cores(database=2)) == pytest.approx(2 * 1e6 / 70, rel=0.05)


def test_one_process_is_what_was_measured() -> None:
    work = measured("billing")
    assert per_second(work, 1, Cores(2)) == pytest.approx(1e6 / (work.process + work.database + work.waiting), rel=0.05)
