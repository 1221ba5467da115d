"""A Compose file's services as plain processes of this machine: the same commands, environments and health checks, other addresses."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from django.conf import settings

from tests.acceptance.worker import Worker
from tests.deployment.compose import ROOT, Service, services
from tests.kafka.installation import java_command
from tests.kafka.ports import free_ports
from tests.kafka.probe import wait_until

LONGEST_SECONDS = 60.0  # that anything is waited for
DATABASE = re.compile(r"postgres://\w+:\w+@postgres:5432/(\w+)")
WEB_PORT, KAFKA_PORTS = 8000, (29092, 9092, 9093)


class Plain:
    """One file's shop. Containers are host names there; here each is 127.0.0.1 with ports of its own."""

    def __init__(self, file: str, folder: Path, databases: Mapping[str, str]) -> None:
        """databases: the name here of each database there."""
        self.services = {service.name: service for service in services() if service.file == file}
        self.workers: dict[str, Worker] = {}
        self._folder, self._databases = folder, databases
        webs = [name for name, service in self.services.items() if service.is_ours and "ports" in service.content]
        self.addresses = {name: f"127.0.0.1:{port}" for name, port in zip(webs, free_ports(len(webs)), strict=True)}
        self._kafka_ports = dict(zip(KAFKA_PORTS, free_ports(len(KAFKA_PORTS)), strict=True))

    def start(self, name: str) -> Worker:
        """Starts what stays up."""
        service = self.services[name]
        worker = Worker(self._command(service), self._environment(service), self._folder / f"{name}.log")
        self.workers[name] = worker
        return worker

    def run(self, name: str) -> "subprocess.CompletedProcess[str]":
        """Runs a one-shot to its end."""
        service = self.services[name]
        return self._finish(service.content["command"], service)

    def becomes_healthy(self, name: str) -> None:
        """Waits until the service's own health check passes. Raises TimeoutError."""
        service = self.services[name]
        [kind, *check] = service.content["healthcheck"]["test"]
        assert kind == "CMD"
        wait_until(lambda: self._finish(check, service).returncode == 0, LONGEST_SECONDS, f"{service} is healthy")

    def _finish(self, command: Sequence[str], service: Service) -> "subprocess.CompletedProcess[str]":
        here = [self._here(part, service) for part in command]
        return subprocess.run(
            here, cwd=ROOT, env=self._environment(service), capture_output=True, text=True, check=False, timeout=LONGEST_SECONDS
        )

    def _command(self, service: Service) -> list[str]:
        """The service's command, or the image's own."""
        if service.name == "kafka":
            return self._kafka()
        return [self._here(part, service) for part in service.content.get("command", image_command())]

    def _environment(self, service: Service) -> dict[str, str]:
        """What the container would have, and nothing of this machine's but where its programs are."""
        own = {name: self._here(value, service) for name, value in service.environment.items()}
        return {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "SHOP_IGNORE_DOTENV": "1",
            "VAR_DIR": str(self._folder / service.name),
            **own,
            "METRICS_PORT": "0",  # one port for each of them there, one for all of them here
        }

    def _here(self, text: str, service: Service) -> str:
        """A text with the addresses of this machine in place of the containers'."""
        text = DATABASE.sub(lambda match: f"postgres://postgres@/{settings.VAR_DIR / 'postgres'}/{self._databases[match[1]]}", text)
        for name, address in self.addresses.items():
            text = text.replace(f"http://{name}:{WEB_PORT}", f"http://{address}")
        own = self.addresses.get(service.name, "")
        text = text.replace(f"127.0.0.1:{WEB_PORT}", own).replace(f"0.0.0.0:{WEB_PORT}", own)
        for there, port in self._kafka_ports.items():
            text = re.sub(rf"(kafka|127\.0\.0\.1|localhost|(?<=//)):{there}\b", f"127.0.0.1:{port}", text)
        return text.replace("/var/lib/kafka/data", str(self._folder / "kafka-data"))

    def _kafka(self) -> list[str]:
        """The broker as the image starts it: its wrapper makes the properties from the environment, formats the disk, then it runs."""
        for name in ("defaults", "mounted", "final"):
            (self._folder / name).mkdir()
        for name in ("server.properties", "log4j2.yaml", "tools-log4j2.yaml"):
            (self._folder / "defaults" / name).write_text("" if name == "server.properties" else LOGGING)
        folders = [f"--{name}-configs-dir={self._folder / place}" for name, place in FOLDERS.items()]
        self._finish_wrapper(java_command("kafka.docker.KafkaDockerWrapper", "setup", *folders))
        return java_command(
            "kafka.Kafka", str(self._folder / "final" / "server.properties"), options=["-Xmx512m", "-XX:TieredStopAtLevel=1"]
        )

    def _finish_wrapper(self, command: Sequence[str]) -> None:
        made = subprocess.run(command, env=self._environment(self.services["kafka"]), capture_output=True, text=True, check=False)
        assert made.returncode == 0, made.stdout + made.stderr


LOGGING = """\
Configuration:
  Appenders: {Console: {name: STDOUT}}
  Loggers: {Root: {level: INFO, AppenderRef: [{ref: STDOUT}]}, Logger: [{name: kafka, level: INFO}]}
"""
FOLDERS = {"default": "defaults", "mounted": "mounted", "final": "final"}


def image_command() -> list[str]:
    """What the image runs by itself."""
    return list(json.loads((ROOT / "Dockerfile").read_text().rpartition("\nCMD ")[2]))
