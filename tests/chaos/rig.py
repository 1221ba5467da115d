"""What a chaos run stands on: a Kafka and a PostgreSQL of its own, and a proxy before each way in. Before Django is set up."""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.rig import set_up
from kafka_shop.local import postgres, wheel
from tests.chaos.proxy import HOST, Proxy
from tests.kafka.cluster import KafkaCluster
from tests.kafka.guardian import Guardian
from tests.kafka.node import Door
from tests.kafka.ports import free_ports

FOLDER = Path(__file__).resolve().parents[2] / "var" / "chaos"
DATABASE = "chaos"
TOPICS = ("order-topic", "billing-topic", "notify-topic")
PARTITIONS = 2
START_SECONDS = 60


class Postgres:
    """A server of the run's own, with an empty database."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        postgres.join(folder, [DATABASE])

    @property
    def socket(self) -> Path:
        return self.folder.resolve() / postgres.SOCKET

    def restart(self) -> None:
        """As after a power cut: no session is asked, and the log is played again. Returns when the server answers."""
        log = str(self.folder.resolve() / "log")
        problem = wheel.control(self.folder, "-w", "-t", str(START_SECONDS), "-l", log, "-m", "immediate", "restart")
        if problem:
            raise RuntimeError(f"PostgreSQL did not restart: {problem}")

    def close(self) -> None:
        wheel.stop(self.folder, 3)
        postgres.leave(self.folder)


@dataclass
class Rig:
    """The parts, with the addresses that the shop's processes are told: those of the proxies."""

    folder: Path
    nodes: int
    kafka: KafkaCluster
    postgres: Postgres
    broker_proxies: Sequence[Proxy]
    database_proxy: Proxy
    guardian: Guardian

    @property
    def environment(self) -> dict[str, str]:
        return {
            "DATABASE_URL": f"postgres://{postgres.USER}@{HOST}:{self.database_proxy.port}/{DATABASE}",
            "KAFKA_BOOTSTRAP_SERVERS": ",".join(f"{HOST}:{proxy.port}" for proxy in self.broker_proxies),
            "LOG_LEVEL": "INFO",
            "PYTHONFAULTHANDLER": "1",
        }


@contextmanager
def running(nodes: int) -> Iterator[Rig]:
    """Starts all of it on empty disks, makes the topics, sets Django up beside the proxies, and migrates. Once a process."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    ports = free_ports(2 * nodes + 1)
    doors = {node: Door(ports[2 * node - 2], ports[2 * node - 1]) for node in range(1, nodes + 1)}
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(dir=FOLDER))
        guardian = Guardian([folder])
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        stack.callback(guardian.release)
        database = Postgres(folder / "postgres")
        stack.callback(database.close)
        kafka = stack.enter_context(KafkaCluster(folder / "kafka", nodes, doors=doors))
        proxies = [Proxy(door.proxy_port, door.port) for door in doors.values()] + [Proxy(ports[-1], database.socket)]
        for proxy in proxies:
            stack.callback(proxy.close)
        for topic in TOPICS:
            kafka.create_topic(topic, PARTITIONS)
        set_up(f"postgres:///{database.folder}/{DATABASE}", kafka.bootstrap, folder)
        yield Rig(folder, nodes, kafka, database, proxies[:-1], proxies[-1], guardian)
