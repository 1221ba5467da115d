"""The heartbeat of a process: touched by its own loop, read by a probe that loads no Django."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest
from django.core.management import call_command
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from consumers import health, membership
from consumers.health import LONGEST_TURN_SECONDS, Beat, HeartbeatFailed, Pulse, State, check, heartbeat
from consumers.loop import Loop
from consumers.relay import Relay
from consumers.tests.memory_broker import MemoryBroker
from consumers.tests.running import started, turn
from consumers.tests.stubs import CONSUMER, Doors, effects, opened
from consumers.tests.test_failures import database_error

OK, REBALANCING, STALLED = State.OK, State.REBALANCING, State.STALLED
ROOT = Path(__file__).resolve().parents[2]


def age(file: Path, seconds: float) -> None:
    """Lets the last beat be so long ago."""
    os.utime(file, (time.time(), time.time() - seconds))


@pytest.fixture
def billing(tmp_path: Path) -> Iterator[Beat]:
    """What the loop of a living process calls."""
    with heartbeat(tmp_path, "billing") as beat:
        yield beat


def state(folder: Path) -> tuple[int, str]:
    """The exit code and the first word of a probe."""
    code, line = check(folder, "billing")
    return code, line.split()[1].rstrip(",")


@pytest.mark.parametrize(
    ("states", "answer"),
    [
        ({}, (0, "ok")),
        ({"0": OK}, (0, "ok")),
        ({"0": OK, "1": REBALANCING}, (0, "rebalancing")),
        ({"0": REBALANCING, "1": STALLED, "2": OK}, (1, "stalled")),
    ],
)
def test_the_worst_partition_speaks_for_the_process(
    tmp_path: Path, billing: Beat, states: Mapping[str, State], answer: tuple[int, str]
) -> None:
    billing(states)

    assert state(tmp_path) == answer


def test_the_line_of_a_probe_names_the_state_the_age_and_each_partition(tmp_path: Path, billing: Beat) -> None:
    billing({"0": OK, "1": REBALANCING})

    assert check(tmp_path, "billing") == (0, "billing: rebalancing, last beat 0 s ago (0 ok, 1 rebalancing)")


def test_a_loop_that_no_longer_turns_is_stalled_whatever_it_said_last(tmp_path: Path, billing: Beat) -> None:
    billing({"0": OK})
    age(tmp_path / "billing.1", LONGEST_TURN_SECONDS - 5)
    assert state(tmp_path) == (0, "ok")

    age(tmp_path / "billing.1", LONGEST_TURN_SECONDS + 5)
    assert check(tmp_path, "billing") == (1, "billing: stalled, last beat 65 s ago (0 ok)")

    billing({"0": REBALANCING})
    assert state(tmp_path) == (0, "rebalancing")


def test_a_clock_that_was_put_back_makes_no_beat_old(tmp_path: Path, billing: Beat) -> None:
    age(tmp_path / "billing.1", -3600)

    assert state(tmp_path) == (0, "ok")


def test_a_process_that_is_gone_does_not_run_however_young_its_file_is(tmp_path: Path) -> None:
    assert check(tmp_path, "billing") == (1, f"billing: no heartbeat in {tmp_path} (HEARTBEAT_DIR): it does not run here")
    with heartbeat(tmp_path, "billing"):
        assert state(tmp_path) == (0, "ok")

    assert state(tmp_path) == (1, "no")


def test_of_several_processes_the_worst_counts_and_a_file_that_came_free_is_used_again(tmp_path: Path) -> None:
    with ExitStack() as processes:
        first = ExitStack()
        first.enter_context(heartbeat(tmp_path, "billing"))
        second = processes.enter_context(heartbeat(tmp_path, "billing"))
        second({"0": STALLED})
        assert state(tmp_path) == (1, "stalled")
        first.close()
        processes.enter_context(heartbeat(tmp_path, "billing"))
        second({"0": OK})

        assert state(tmp_path) == (0, "ok")
        assert sorted(file.name for file in tmp_path.iterdir()) == ["billing.1", "billing.2"]


def test_others_are_not_asked(tmp_path: Path, billing: Beat) -> None:
    with heartbeat(tmp_path, "billing-2") as other, heartbeat(tmp_path, "orders") as orders:
        other({"0": STALLED})
        orders({"0": STALLED})

        assert state(tmp_path) == (0, "ok")


def test_a_beat_writes_once_a_second_or_when_a_state_changes(tmp_path: Path, billing: Beat, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "billing.1"
    billing({"0": OK})
    age(file, 30)
    billing({"0": OK})
    assert time.time() - file.stat().st_mtime > 20, "a moment ago it was written"

    billing({"0": STALLED})
    assert time.time() - file.stat().st_mtime < 20
    age(file, 30)
    monkeypatch.setattr(health, "BEAT_SECONDS", 0.0)
    billing({"0": STALLED})
    assert time.time() - file.stat().st_mtime < 20


@given(st.lists(st.dictionaries(st.integers(0, 99).map(str), st.sampled_from(State)), max_size=5))
def test_what_was_beaten_last_is_read_whatever_was_there_before(
    tmp_path_factory: pytest.TempPathFactory, beats: list[dict[str, State]]
) -> None:
    folder = tmp_path_factory.mktemp("heartbeats")
    with heartbeat(folder, "billing") as beat:
        for states in beats:
            beat(states)

        assert health.pulses(folder, "billing")[0].states == (beats[-1] if beats else {})


@pytest.mark.parametrize("content", ["", "{", '{"0": "well"}'])
def test_a_file_that_is_read_in_the_midst_of_a_beat_is_of_a_process_that_beats(tmp_path: Path, billing: Beat, content: str) -> None:
    (tmp_path / "billing.1").write_text(content)

    assert state(tmp_path) == (0, "ok")


def test_a_folder_that_cannot_be_written_to_is_named_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(HeartbeatFailed, match=r"no heartbeat can be written to .*/file/x \(Not a directory\): set HEARTBEAT_DIR"):
        heartbeat(tmp_path / "file" / "x", "billing").__enter__()


def test_a_disk_that_is_full_ends_no_loop(tmp_path: Path, billing: Beat, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    age(tmp_path / "billing.1", 90)

    billing({"0": OK})
    assert state(tmp_path) == (1, "stalled"), "the probe tells"


class TestProbe:
    """The command line, in a process of its own."""

    def probe(self, folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
        environment = {**os.environ, "HEARTBEAT_DIR": str(folder)}
        command = [sys.executable, "-X", "importtime", "manage.py", *arguments]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    @pytest.mark.parametrize("arguments", [["run_consumer", "billing", "--check-health"], ["run_consumer", "--check-health", "billing"]])
    def test_it_answers_by_exit_code_and_one_line(self, tmp_path: Path, billing: Beat, arguments: list[str]) -> None:
        billing({"0": OK})
        answer = self.probe(tmp_path, *arguments)
        assert (answer.returncode, answer.stdout) == (0, "billing: ok, last beat 0 s ago (0 ok)\n")

        billing({"0": STALLED})
        assert self.probe(tmp_path, *arguments).returncode == 1

    def test_it_starts_without_django_database_and_kafka(self, tmp_path: Path) -> None:
        answer = self.probe(tmp_path, "run_relay", "--check-health")

        assert (answer.returncode, answer.stdout.split(":")[0]) == (1, "relay")
        loaded = {line.rpartition("|")[2].strip() for line in answer.stderr.splitlines()}
        assert "consumers.health" in loaded
        assert not loaded & {"django.conf", "django.db", "psycopg", "confluent_kafka", "structlog"}

    def test_a_name_that_no_consumer_has_is_refused(self, tmp_path: Path) -> None:
        answer = self.probe(tmp_path, "run_consumer", "biling", "--check-health")

        assert (answer.returncode, answer.stdout) == (1, "")
        assert answer.stderr.splitlines()[-1] == "Error: run_consumer --check-health needs the name of a consumer: orders, billing, notify"

    @pytest.mark.parametrize("arguments", [["run_consumer", "billing"], ["run_relay"]])
    def test_the_commands_themselves_answer_the_same(self, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit) as ended:
            call_command(*arguments, "--check-health")

        assert ended.value.code == 1
        assert "it does not run here" in capsys.readouterr().out


class Beats(list[dict[str, State]]):
    """All that a loop has said of itself."""

    def beat(self, states: Mapping[str, State]) -> None:
        self.append(dict(states))


@pytest.mark.usefixtures("effects_table")
class TestLoop:
    def test_partitions_rebalance_until_they_are_claimed_then_are_ok(self, broker: MemoryBroker) -> None:
        beats = Beats()
        loop = Loop(CONSUMER, beats.beat)
        turn(loop, until=lambda: loop.idle)
        loop.run_once()

        assert (beats[0], beats[1], beats[-1]) == ({}, {"0": REBALANCING}, {"0": OK})

    def test_a_consumer_that_tries_again_and_again_beats_on_and_is_not_stalled(
        self, broker: MemoryBroker, doors: Doors, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(membership, "VERIFY_SECONDS", 0.0)
        beats, settings.RETRY_BACKOFF_MS = Beats(), (20, 20)

        def fail(ids: list[str]) -> None:
            raise database_error("40001")

        doors.fails = fail
        loop = Loop(CONSUMER, beats.beat)
        broker.append(opened(1))
        turn(loop, until=lambda: loop.tally.retries == 8)

        assert len(beats) > 3 * 8, "it beats within each pause, too"
        assert {"0": OK} in beats and not any(STALLED in each.values() for each in beats)

    def test_a_position_that_stands_still_although_the_log_goes_on_is_stalled_until_it_moves(
        self, broker: MemoryBroker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        loop = started()
        monkeypatch.setattr(membership, "VERIFY_SECONDS", 0.0)
        broker.append(opened(1))
        with monkeypatch.context() as deaf:
            deaf.setattr(MemoryBroker, "at", lambda *_: None)  # no client hears anything, neither an old nor a new one
            turn(loop, until=lambda: loop.membership.states() == {"0": STALLED})

        turn(loop, until=effects)
        turn(loop, until=lambda: loop.membership.states() == {"0": OK})


def test_a_courier_that_does_not_come_back_from_its_turn_is_stalled(monkeypatch: pytest.MonkeyPatch) -> None:
    relay = Relay()
    assert set(relay.states().values()) == {OK}

    relay._due["order-topic"] = time.monotonic() - 1
    assert relay.states() == {"billing-topic": OK, "notify-topic": OK, "order-topic": STALLED}
    assert json.loads(json.dumps(relay.states()))["order-topic"] == "stalled"


def test_a_pulse_of_no_partition_is_well() -> None:
    assert str(Pulse({}, 0.0)) == "ok, last beat 0 s ago (nothing assigned)"
