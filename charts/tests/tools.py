"""What proves the charts: Helm and helm-docs, built by Go once into var/charts, and the schemas of the custom resources."""

import json
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "var" / "charts"
HELM = "helm.sh/helm/v4/cmd/helm@v4.3.1"
HELM_DOCS = "github.com/norwoodj/helm-docs/cmd/helm-docs@v1.14.2"
PROMETHEUS = "github.com/prometheus-operator/prometheus-operator"
MONITORING = "example/prometheus-operator-crd/monitoring.coreos.com"
GO_MODULES = {  # module: where its custom resources are defined
    "github.com/kedacore/keda/v2@v2.21.0": ["config/crd/bases/keda.sh_scaledobjects.yaml"],
    "sigs.k8s.io/gateway-api@v1.6.0": ["config/crd/standard/gateway.networking.k8s.io_httproutes.yaml"],
    f"{PROMETHEUS}@v0.85.0": [f"{MONITORING}_servicemonitors.yaml", f"{MONITORING}_prometheusrules.yaml"],
}
STRIMZI = {"Kafka": "kafka.Kafka", "KafkaNodePool": "nodepool.KafkaNodePool", "KafkaTopic": "topic.KafkaTopic"}
STRIMZI_JAVA_MIN = 21


class ToolMissing(RuntimeError):
    """This machine lacks what a tool needs; the message says what."""


def built(package: str) -> str:
    """The path of a Go program, built when this is the first call on this machine. Helm takes minutes. Raises ToolMissing."""
    name = package.split("@", maxsplit=1)[0].rsplit("/", maxsplit=1)[1]
    program = FOLDER / name
    if not program.exists():
        print(f"Building {package} (once, it can take minutes)", flush=True)
        run("go", "install", package, environment={"GOBIN": str(FOLDER)})
    return str(program)


def run(*command: str, environment: dict[str, str] | None = None) -> str:
    """What a command prints. Raises ToolMissing with its last words when it fails."""
    if shutil.which(command[0]) is None:
        raise ToolMissing(f"{command[0]} is missing: install it, then run `make charts` again")
    result = subprocess.run(command, env={**os.environ, **(environment or {})}, capture_output=True, text=True, check=False, cwd=ROOT)
    if result.returncode != 0:
        raise ToolMissing(f"{' '.join(command)}: {result.stdout[-2000:]}{result.stderr[-2000:]}")
    return result.stdout


@cache
def custom_resources() -> dict[tuple[str, str], dict[str, Any]]:
    """The schema of each custom resource that the chart can make, by (apiVersion, kind), as a cluster would hold it."""
    files = [path for module, places in GO_MODULES.items() for path in downloaded(module, places)]
    return {key: schema for path in [*files, *strimzi()] for key, schema in schemas(path)}


def downloaded(module: str, places: list[str]) -> list[Path]:
    """Files of a Go module."""
    folder = Path(json.loads(run("go", "mod", "download", "-json", module))["Dir"])
    return [folder / place for place in places]


def schemas(path: Path) -> list[tuple[tuple[str, str], dict[str, Any]]]:
    """The schemas of a CustomResourceDefinition's served versions."""
    spec = next(each for each in yaml.safe_load_all(path.read_text()) if each)["spec"]
    served = [version for version in spec["versions"] if version["served"]]
    return [((f"{spec['group']}/{version['name']}", spec["names"]["kind"]), version["schema"]["openAPIV3Schema"]) for version in served]


def strimzi() -> list[Path]:
    """Strimzi's definitions, made by its own generator from its classes."""
    jars, made = FOLDER / "strimzi", [FOLDER / "strimzi" / f"{kind}.yaml" for kind in STRIMZI]
    if not all(path.exists() for path in made):
        pom = Path(__file__).with_name("strimzi-pom.xml")
        run("mvn", "-q", "-B", "-f", str(pom), "dependency:copy-dependencies", f"-DoutputDirectory={jars}")
        wanted = [f"io.strimzi.api.kafka.model.{name}={path}" for name, path in zip(STRIMZI.values(), made, strict=True)]
        run(java(), "-cp", f"{jars}/*", "io.strimzi.crdgenerator.CrdGenerator", "--yaml", *wanted)
    return made


def java() -> str:
    """A Java that is new enough for Strimzi's generator: the one on the path, or another one of this machine. Raises ToolMissing."""
    for program in ["java", *(str(path) for path in sorted(Path("/usr/lib/jvm").glob("*/bin/java"), reverse=True))]:
        words = subprocess.run([program, "-version"], capture_output=True, text=True, check=False).stderr.split('"')
        if len(words) > 1 and int(words[1].split(".")[0]) >= STRIMZI_JAVA_MIN:
            return program
    raise ToolMissing(f"Java {STRIMZI_JAVA_MIN} or newer is missing: Strimzi's generator needs it")
