"""A seeded bug is a unified diff; above it stand what is wrong, in one line, and the tests that must catch it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
CAUGHT_BY = re.compile(r"^Caught by: (\S+)$", re.MULTILINE)
FILE = re.compile(r"^--- a/.*\n\+\+\+ b/(.*)\n", re.MULTILINE)
HUNK = re.compile(r"^@@ .*\n", re.MULTILINE)


class DoesNotApply(Exception):
    """The code has changed where the bug is seeded."""


@dataclass(frozen=True)
class Mutant:
    """A bug: what is wrong, pytest's ids of the tests that must catch it, and the changes that make it: (file, before, after)."""

    name: str
    reason: str
    caught_by: tuple[str, ...]
    changes: tuple[tuple[str, str, str], ...]


def all_mutants(folder: Path = FOLDER) -> list[Mutant]:
    return [read(path) for path in sorted(folder.glob("*.patch"))]


def read(path: Path) -> Mutant:
    """Raises ValueError when a part is missing."""
    head, *files = FILE.split(path.read_text())
    reason, tests = head.partition("\n")[0], tuple(CAUGHT_BY.findall(head))
    changes = tuple(change for file, hunks in zip(files[::2], files[1::2], strict=True) for change in changes_of(file, hunks))
    if not (reason and tests and changes):
        raise ValueError(f"{path.name} needs a line that says what is wrong, a line 'Caught by: TEST', and a unified diff")
    return Mutant(path.stem, reason, tests, changes)


def changes_of(file: str, hunks: str) -> Iterator[tuple[str, str, str]]:
    for hunk in HUNK.split(hunks)[1:]:
        yield file, side(hunk, "-"), side(hunk, "+")


def side(hunk: str, sign: str) -> str:
    """The text before (-) or after (+) a change."""
    return "".join(line[1:] for line in hunk.splitlines(keepends=True) if line[0] in (" ", sign))


def apply(mutant: Mutant, root: Path) -> None:
    """Seeds a bug in a copy of the project. Raises DoesNotApply."""
    for file, content in seeded(mutant, root).items():
        (root / file).write_text(content)


def seeded(mutant: Mutant, root: Path) -> dict[str, str]:
    """The files as a bug changes them. The numbers of lines do not matter, the lines do. Raises DoesNotApply."""
    contents: dict[str, str] = {}
    for file, before, after in mutant.changes:
        if file not in contents:
            contents[file] = (root / file).read_text() if (root / file).exists() else ""
        if contents[file].count(before) != 1:
            raise DoesNotApply(f"{file} has changed where the bug is seeded: seed it anew (docs/promises.md)")
        contents[file] = contents[file].replace(before, after)
    return contents
