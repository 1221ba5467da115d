"""Every seeded bug is caught, and the control run itself can fail: a bug that no test sees, that does not apply, or that is no bug."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests import ahead
from tests.mutants import control
from tests.mutants.control import Outcome
from tests.mutants.patches import Mutant, all_mutants, read, seeded

WAVES, NO_TEST = "consumers/tests/test_waves.py", "consumers/tests/test_waves.py::test_of_nothing"
CHANGES = {
    "seen": ("consumers/waves.py", "number += before != type\n", "number += False\n"),
    "unseen": ("consumers/waves.py", "MOST_WAVES = 8\n", "MOST_WAVES = 8  # but\n"),
    "moved": ("consumers/waves.py", "no such line\n", ""),
    "gone": ("consumers/gone.py", "line\n", ""),
    "no Python": ("consumers/waves.py", "MOST_WAVES = 8\n", "MOST_WAVES = (\n"),
    "no module": ("consumers/waves.py", "MOST_WAVES = 8\n", "import nothing_like_this\n"),
    "no start": ("consumers/waves.py", "MOST_WAVES = 8\n", "MOST_WAVES = 1 / 0\n"),
}
MUTANT = Mutant("seen", "It is wrong.", (WAVES,), (CHANGES["seen"],))
HEAD = "Nothing is right.\nCaught by: tests/test_a.py::test_a\n\n"
DIFF = "--- a/a.py\n+++ b/a.py\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n \n"


def run(test: str, names: list[str]) -> Mapping[str, Outcome]:
    return {found.mutant.name: found for found in control.run([Mutant(name, "It is wrong.", (test,), (CHANGES[name],)) for name in names])}


@pytest.fixture(scope="module")
def outcomes() -> Mapping[str, Outcome]:
    return run(WAVES, list(CHANGES))


@pytest.mark.timeout(3600)  # dozens of test runs, each with its own limit
def test_every_seeded_bug_is_caught_and_without_it_the_same_tests_pass() -> None:
    ended = ahead.result("test_control")

    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("mutant", all_mutants(), ids=lambda mutant: mutant.name)
def test_a_seeded_bug_fits_the_code(mutant: Mutant) -> None:
    assert seeded(mutant, control.ROOT)


def test_a_bug_that_a_test_sees_is_caught(outcomes: Mapping[str, Outcome]) -> None:
    assert outcomes["seen"].problem == ""
    assert outcomes["seen"].caught_by == ("consumers.tests.test_waves.test_messages_of_a_key_keep_their_order_across_waves",)
    assert outcomes["none"].problem == ""


def test_a_bug_that_no_test_sees_is_not_caught(outcomes: Mapping[str, Outcome]) -> None:
    assert outcomes["unseen"].problem == "it was not caught"


def test_a_bug_that_does_not_apply_is_named(outcomes: Mapping[str, Outcome]) -> None:
    assert outcomes["moved"].problem.startswith("consumers/waves.py has changed where the bug is seeded")
    assert outcomes["gone"].problem.startswith("consumers/gone.py has changed where the bug is seeded")


@pytest.mark.parametrize("name", ["no Python", "no module", "no start"])
def test_what_cannot_even_run_is_not_caught(name: str, outcomes: Mapping[str, Outcome]) -> None:
    assert outcomes[name].problem.startswith("no test failed by an assertion: ")


@pytest.mark.parametrize(("tries", "problem"), [(1, "out of time"), (2, "")])
def test_a_bug_that_is_not_caught_is_tried_again(tries: int, problem: str, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {mutant: iter([((), "out of time"), (("tests.test_a",), "")]) for mutant in (control.NONE, MUTANT)}
    monkeypatch.setattr(control, "judge", lambda mutant, *_, **__: next(answers[mutant]))

    assert [found.problem for found in control.run([MUTANT], tries=tries)] == [problem] * 2


def test_tests_that_fail_without_a_bug_prove_nothing() -> None:
    found = run(NO_TEST, ["seen"])

    assert found["none"].problem.startswith("they fail without a bug, too: ")
    assert found["seen"].problem.startswith("no test failed by an assertion: ")


def test_each_test_that_is_named_must_see_the_bug() -> None:
    mutant = Mutant("half seen", "It is wrong.", (WAVES, "consumers/tests/test_watch.py"), (CHANGES["seen"],))
    [found] = [each for each in control.run([mutant]) if each.mutant is mutant]

    assert found.problem == "it was not caught by consumers/tests/test_watch.py"


@pytest.mark.parametrize(
    ("test", "name", "one"),
    [
        ("a/tests/test_b.py", "a.tests.test_b.test_c", True),
        ("a/tests/test_b.py::test_c", "a.tests.test_b.test_c", True),
        ("a/tests/test_b.py::test_c", "a.tests.test_b.test_c[x.y]", True),
        ("a/tests/test_b.py::TestC::test_d", "a.tests.test_b.TestC.test_d", True),
        ("a/tests/test_b.py::test_c", "a.tests.test_b.test_cd", False),
        ("a/tests/test_b.py", "a.tests.test_bc.test_c", False),
    ],
)
def test_a_test_of_a_report_is_known_by_its_id(test: str, name: str, one: bool) -> None:
    assert control.is_of(test, name) is one


def test_of_all_tests_those_are_named_that_notice_a_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "WIDER", (WAVES,))
    found = {each.mutant.name: each for each in control.run([Mutant("seen", "It is wrong.", (NO_TEST,), (CHANGES["seen"],))], wide=True)}

    assert len(found["seen"].caught_by) > 1
    assert found["none"].problem == ""


def test_a_patch_is_read_with_its_reason_and_its_tests(tmp_path: Path) -> None:
    (tmp_path / "07-wrong.patch").write_text(HEAD + DIFF + DIFF.replace("a.py", "b.py").replace(" one\n", ""))
    [mutant] = all_mutants(tmp_path)

    assert (mutant.name, mutant.reason, mutant.caught_by) == ("07-wrong", "Nothing is right.", ("tests/test_a.py::test_a",))
    assert mutant.changes == (("a.py", "one\ntwo\n\n", "one\n2\n\n"), ("b.py", "two\n\n", "2\n\n"))


@pytest.mark.parametrize("text", [DIFF, "\n" + HEAD + DIFF, HEAD, "Nothing is right.\n\n" + DIFF])
def test_a_patch_that_lacks_a_part_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "07-wrong.patch").write_text(text)

    with pytest.raises(ValueError, match=r"07-wrong\.patch needs a line"):
        read(tmp_path / "07-wrong.patch")
