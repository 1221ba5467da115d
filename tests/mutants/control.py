"""The control run: each bug in a copy of the project, where the tests that are named for it must fail by an assertion."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from xml.etree import ElementTree

from kafka_shop.local import postgres
from tests.mutants.patches import DoesNotApply, Mutant, apply

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("billing", "consumers", "kafka_shop", "notify", "orders", "tests", "conftest.py", "manage.py", "pyproject.toml")
WIDER = ("billing", "consumers", "kafka_shop", "notify", "orders", "tests/contracts", "tests/flows")  # all that needs no Kafka
AT_ONCE = 2
LONGEST_SECONDS = 600  # of the tests of a bug: it ends what hangs, and measures nothing
ASSERTIONS = ("AssertionError", "assert ", "Failed: DID NOT RAISE")
NONE = Mutant("none", "The same tests without any bug", (), ())


@dataclass(frozen=True)
class Outcome:
    """What became of a bug. Without a problem it was caught."""

    mutant: Mutant
    seconds: float
    caught_by: tuple[str, ...] = ()  # the tests that failed by an assertion
    problem: str = ""


def run(mutants: Sequence[Mutant], *, wide: bool = False, tries: int = 1) -> Iterator[Outcome]:
    """The outcome of each bug, as it is known; and of the same tests without a bug, which must pass.

    wide: all tests that need no Kafka run, to the end, in place of those that are named.
    tries: how often a bug is tried at most; on a busy machine a test may run out of time before it sees anything.
    """
    tests = WIDER if wide else tuple(dict.fromkeys(test for mutant in mutants for test in mutant.caught_by))
    free: SimpleQueue[Path] = SimpleQueue()

    def judged(mutant: Mutant) -> Outcome:
        folder, began = free.get(), time.monotonic()
        try:
            for _ in range(tries):
                caught_by, problem = judge(mutant, tests if wide or mutant is NONE else mutant.caught_by, folder, wide=wide)
                if not problem:
                    break
        finally:
            free.put(folder)
        return Outcome(mutant, time.monotonic() - began, caught_by, problem)

    with lanes() as folders, ThreadPoolExecutor(AT_ONCE) as pool:
        for folder in folders:
            free.put(folder)
        for outcome in as_completed([pool.submit(judged, mutant) for mutant in (NONE, *mutants)]):
            yield outcome.result()


@contextmanager
def lanes() -> Iterator[list[Path]]:
    """A folder for each bug at a time, with a database server of its own that stays up from one bug to the next."""
    name = os.environ.get("SHOP_TEST_VAR", "test")
    folders = [ROOT / "var" / f"{name}-mutants-{number}" for number in range(AT_ONCE)]
    try:
        for folder in folders:
            postgres.join(folder / "postgres")
        yield folders
    finally:
        for folder in folders:
            postgres.leave(folder / "postgres")


def judge(mutant: Mutant, tests: Sequence[str], folder: Path, *, wide: bool) -> tuple[tuple[str, ...], str]:
    """The tests that caught a bug, or why none did."""
    try:
        with copy() as tree:
            apply(mutant, tree)
            ended = run_tests(tree, tests, folder, first=len(mutant.caught_by) == 1 and not wide)
            caught_by, others = failures(tree / "result.xml")
    except (DoesNotApply, subprocess.TimeoutExpired) as error:
        return (), str(error)
    if mutant is NONE:
        return (), "" if ended.returncode == 0 else f"they fail without a bug, too: {', '.join(caught_by) or others or last_words(ended)}"
    if ended.returncode == 0:
        return (), "it was not caught"
    if not caught_by:
        return (), f"no test failed by an assertion: {others or last_words(ended)}"
    blind = [] if wide else [test for test in mutant.caught_by if not any(is_of(test, name) for name in caught_by)]
    return caught_by, f"it was not caught by {', '.join(blind)}" if blind else ""


def is_of(test: str, name: str) -> bool:
    """Whether a test of a report is the one with this id of pytest, or a part of it."""
    whole = test.replace(".py", "").replace("/", ".").replace("::", ".")
    return name == whole or name.startswith((f"{whole}.", f"{whole}["))


@contextmanager
def copy() -> Iterator[Path]:
    """What the tests need of the project, in a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        tree = Path(folder)
        for part in PARTS:
            if (ROOT / part).is_dir():
                shutil.copytree(ROOT / part, tree / part, ignore=shutil.ignore_patterns("__pycache__", "node_modules", "*.patch"))
            else:
                shutil.copy2(ROOT / part, tree / part)
        yield tree


def run_tests(tree: Path, tests: Sequence[str], folder: Path, *, first: bool) -> "subprocess.CompletedProcess[str]":
    """Runs tests in a copy of the project, by the Python that runs this; first: only until one fails. Raises TimeoutExpired."""
    environment = {name: value for name, value in os.environ.items() if name not in {"PYTHONDONTWRITEBYTECODE", "PYTEST_ADDOPTS"}}
    options = [f"--timeout={LONGEST_SECONDS}", "--tb=line", f"--junitxml={tree / 'result.xml'}", *(["--exitfirst"] if first else [])]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, *tests],
        cwd=tree,
        env={**environment, "SHOP_TEST_VAR": str(folder)},
        capture_output=True,
        text=True,
        timeout=LONGEST_SECONDS * (1 if first else 10),
        check=False,
    )


def last_words(ended: "subprocess.CompletedProcess[str]") -> str:
    """The end of what a run said."""
    return (ended.stdout + ended.stderr).strip()[-500:]


def failures(report: Path) -> tuple[tuple[str, ...], str]:
    """The dotted names of the tests that failed by an assertion, and in a word how others failed."""
    if not report.exists():
        return (), ""
    cases = ElementTree.parse(report).iter("testcase")  # noqa: S314  our own pytest wrote it
    found = [(f"{case.get('classname')}.{case.get('name')}", each) for case in cases for each in case if each.tag in {"failure", "error"}]
    messages = {name: each.get("message", "") for name, each in found if each.tag == "failure"}
    asserted = tuple(name for name, message in messages.items() if message.startswith(ASSERTIONS))
    others = [f"{name}: {each.get('message', '').partition(chr(10))[0]}" for name, each in found if name not in asserted]
    return asserted, "; ".join(others)[:500]
