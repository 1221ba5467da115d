"""What a measurement ran on."""

import os
import platform
from collections.abc import Mapping
from pathlib import Path

import confluent_kafka
import django
import psutil
from django.db import connection

from tests.kafka.installation import ensure_jars


def describe() -> Mapping[str, str]:
    """The machine and the versions of what matters on it."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        [postgres] = cursor.fetchone() or ["unknown"]
    return {
        "cores": str(os.cpu_count()),
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "cpu": cpu(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "django": django.get_version(),
        "postgresql": postgres.split()[0],
        "kafka": kafka(),
        "librdkafka": confluent_kafka.libversion()[0],
    }


def cpu() -> str:
    """The processor's name."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.processor())


def kafka() -> str:
    [jar] = ensure_jars().glob("kafka_2*.jar")
    return jar.stem.rpartition("-")[2]
