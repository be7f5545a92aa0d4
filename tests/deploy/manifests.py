"""The manifests for Kubernetes, and the variables that they give the service."""

from pathlib import Path
from typing import Any

import yaml

from tests.support.checkout import TOP

FOLDER = TOP / "deploy" / "kubernetes"
FILES = sorted(FOLDER.glob("*.yaml"))


def documents() -> dict[str, dict[str, Any]]:
    """Return all documents by their kind, of which each file has one."""
    return {loaded["kind"]: loaded for loaded in map(_document, FILES)}


def pod_of(kind: str) -> dict[str, Any]:
    """Return the specification of the pods of a Deployment or a Job."""
    return documents()[kind]["spec"]["template"]["spec"]


def container_of(kind: str) -> dict[str, Any]:
    (container,) = pod_of(kind)["containers"]
    return container


def variables_of(kind: str, secrets: dict[str, str]) -> dict[str, str]:
    """Return the environment of a container, with secrets in place of the example's."""
    container = container_of(kind)
    stored = {
        "configMapRef": documents()["ConfigMap"]["data"],
        "secretRef": documents()["Secret"]["stringData"] | secrets,
    }
    variables: dict[str, str] = {}
    for source in container.get("envFrom", []):
        ((reference, named),) = source.items()
        assert named == {"name": "symphony"}
        variables |= stored[reference]
    for each in container.get("env", []):
        variables[each["name"]] = stored["secretRef"][each["valueFrom"]["secretKeyRef"]["key"]]
    return variables


def _document(file: Path) -> dict[str, Any]:
    return yaml.safe_load(file.read_text("utf-8"))
