"""What running Kafka needs from the machine: Java, and the jars that Maven brings once into var/kafka."""

import fcntl
import hashlib
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

POM = Path(__file__).with_name("pom.xml")
CACHE = Path(__file__).resolve().parents[2] / "var" / "kafka"
JAVA_VERSION_MIN = 17
REMEDY = "run `make tools`, which installs it or prints the command to type"


class PartMissing(RuntimeError):
    """This machine lacks something that Kafka needs; the message says what and how to get it."""


def ensure_jars() -> Path:
    """Return the folder with Kafka's jars, downloaded by Maven when this is the first call on this machine.

    Raises PartMissing when Java or Maven is missing or the download fails.
    """
    return once("jars", _download)


def java_command(main_class: str, *arguments: str, options: Iterable[str] = ()) -> list[str]:
    """Return the command line that runs a class of Kafka's jars; `options` are the JVM's."""
    classpath = ":".join(str(jar) for jar in sorted(ensure_jars().glob("*.jar")))
    return ["java", *options, "-Dlog4j2.level=WARN", "-cp", classpath, main_class, *arguments]


def once(name: str, make: Callable[[Path], None]) -> Path:
    """Return the cached file or folder `name`; when it is not there, `make(path)` makes it, whole or not at all.

    Kept apart by pom.xml and version of Java. Safe between processes; `make` must not call `once` for what is not there yet.
    """
    made = CACHE / _fingerprint() / name
    if made.exists():
        return made
    made.parent.mkdir(parents=True, exist_ok=True)
    with (made.parent / "lock").open("w") as lock, tempfile.TemporaryDirectory(dir=made.parent) as folder:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            partial = Path(folder) / name
            make(partial)
            partial.rename(made)
    return made


@cache
def _fingerprint() -> str:
    return hashlib.sha256(POM.read_bytes() + _java_version().encode()).hexdigest()[:12]


def _java_version() -> str:
    if shutil.which("java") is None:
        raise PartMissing(f"Java {JAVA_VERSION_MIN} or newer is missing: {REMEDY}")
    text = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', text)
    if version is None or int(version[1]) < JAVA_VERSION_MIN:
        raise PartMissing(f"Java {JAVA_VERSION_MIN} or newer is missing (`java -version`: {text.strip()!r}): {REMEDY}")
    return text


def _download(folder: Path) -> None:
    if shutil.which("mvn") is None:
        raise PartMissing(f"Maven is missing: {REMEDY}")
    goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={folder}"]
    run = subprocess.run(["mvn", "-q", "-B", "-f", str(POM), *goal], capture_output=True, text=True, check=False)
    if run.returncode != 0:
        reason = next((line for line in run.stdout.splitlines() if "ERROR" in line), "no message")
        raise PartMissing(f"Maven could not download Kafka ({reason.strip()}): check the network and Maven's settings")
