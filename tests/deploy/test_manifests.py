"""The manifests for Kubernetes agree with the service, the image and each other.

`tests/sdk/test_kubernetes_schemas.py` compares them with the schemas of Kubernetes.
"""

import re
import tomllib
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from symphony.api.routes import health
from symphony.config.settings import PREFIX, Settings
from symphony.infrastructure.database.engine import DatabaseLimits, DatabaseUrlError, create_engines
from symphony.infrastructure.hashing_threads import threads_per_process
from symphony.infrastructure.vaults.master_keys import NotMasterKeys, parse_master_keys
from symphony.serving.server import GRACE
from tests.conftest import MASTER_KEY, SECRET
from tests.deploy.manifests import FILES, container_of, documents, pod_of, variables_of
from tests.support.checkout import TOP
from tests.support.documents import rows

DOCKERFILE = (TOP / "Dockerfile").read_text("utf-8")
KINDS = (
    *("ConfigMap", "Deployment", "Job", "NetworkPolicy", "PodDisruptionBudget", "Secret"),
    *("Service", "ServiceMonitor"),
)
WITH_PODS = ("Deployment", "Job")
SECRETS = {
    "SYMPHONY_DATABASE_URL": "postgresql://symphony@database/symphony",
    "SYMPHONY_SECRET_KEY": SECRET,
    "SYMPHONY_MASTER_KEY": MASTER_KEY,
}
PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
UNITS = {"Mi": 2**20, "Gi": 2**30}


def test_each_file_has_one_resource_and_all_are_there() -> None:
    assert tuple(sorted(documents())) == KINDS
    assert len(FILES) == len(KINDS)


@pytest.mark.parametrize("kind", WITH_PODS)
def test_every_variable_is_a_setting_and_all_values_are_valid(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables = variables_of(kind, SECRETS)
    assert set(variables) <= {PREFIX + name.upper() for name in Settings.model_fields}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert settings.database_url == SecretStr(SECRETS["SYMPHONY_DATABASE_URL"])
    if kind == "Deployment":
        assert settings.registration == "closed"
        assert documents()["Service"]["metadata"]["name"] in settings.allowed_hosts


def test_no_value_of_the_example_of_the_secret_is_accepted() -> None:
    example = documents()["Secret"]["stringData"]
    assert set(example) == set(SECRETS)
    with pytest.raises(ValidationError, match="32 bytes"):
        Settings(secret_key=example["SYMPHONY_SECRET_KEY"])
    with pytest.raises(NotMasterKeys):
        parse_master_keys(example["SYMPHONY_MASTER_KEY"])
    with pytest.raises(DatabaseUrlError):
        create_engines(example["SYMPHONY_DATABASE_URL"])


def test_probes_call_routes_of_the_service_and_only_readiness_asks_the_database() -> None:
    container = container_of("Deployment")
    paths = {each: container[each]["httpGet"]["path"] for each in PROBES}
    assert set(paths.values()) == {getattr(each, "path", "") for each in health.routes.routes}
    assert paths["livenessProbe"] == paths["startupProbe"] == "/health/live"
    assert paths["readinessProbe"] == "/health/ready"
    # Longer than the two seconds within which readiness answers for each part.
    assert all(container[each]["timeoutSeconds"] > 4 for each in PROBES)


def test_every_port_is_the_one_on_which_the_service_listens() -> None:
    (port,) = container_of("Deployment")["ports"]
    assert port["containerPort"] == Settings.model_fields["port"].default
    assert f"EXPOSE {port['containerPort']}\n" in DOCKERFILE
    assert "SYMPHONY_HOST=0.0.0.0" in DOCKERFILE
    probes = {container_of("Deployment")[each]["httpGet"]["port"] for each in PROBES}
    (served,) = documents()["Service"]["spec"]["ports"]
    (scraped,) = documents()["ServiceMonitor"]["spec"]["endpoints"]
    ingress = documents()["NetworkPolicy"]["spec"]["ingress"]
    allowed = {each["port"] for rule in ingress for each in rule["ports"]}
    assert {served["targetPort"], scraped["port"], *probes, *allowed} == {port["name"]}
    assert served["name"] == port["name"]
    assert scraped["path"] == "/metrics"


def test_selectors_select_the_pods_of_the_service_and_only_the_policy_those_of_the_job() -> None:
    found = documents()
    spec = found["Deployment"]["spec"]
    (spread,) = pod_of("Deployment")["topologySpreadConstraints"]
    selectors: dict[str, dict[str, str]] = {
        "Deployment": spec["selector"]["matchLabels"],
        "spread": spread["labelSelector"]["matchLabels"],
        "Service": found["Service"]["spec"]["selector"],
        "PodDisruptionBudget": found["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        "NetworkPolicy": found["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"],
    }
    of_service, of_job = (
        set(found[kind]["spec"]["template"]["metadata"]["labels"].items()) for kind in WITH_PODS
    )
    assert all(set(each.items()) <= of_service for each in selectors.values())
    assert [name for name, each in selectors.items() if set(each.items()) <= of_job] == [
        "NetworkPolicy"
    ]
    monitored = found["ServiceMonitor"]["spec"]["selector"]["matchLabels"]
    assert set(monitored.items()) <= set(found["Service"]["metadata"]["labels"].items())


@pytest.mark.parametrize("kind", WITH_PODS)
def test_pods_keep_the_restricted_standard_and_run_as_the_user_of_the_image(kind: str) -> None:
    pod, container = pod_of(kind), container_of(kind)
    user, group = re.findall(r"^USER (\d+):(\d+)$", DOCKERFILE, re.MULTILINE)[0]
    assert pod["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": int(user),
        "runAsGroup": int(group),
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False


def test_a_pod_has_the_time_to_stop_that_the_service_takes() -> None:
    pause = container_of("Deployment")["lifecycle"]["preStop"]["sleep"]["seconds"]
    needed = pause + GRACE + DatabaseLimits().work_timeout
    assert pod_of("Deployment")["terminationGracePeriodSeconds"] >= needed + 5
    compose = (TOP / "compose.yaml").read_text("utf-8")
    assert f"stop_grace_period: {GRACE + DatabaseLimits().work_timeout:.0f}s" in compose


def test_an_upgrade_and_a_drain_leave_pods_that_serve() -> None:
    found = documents()
    spec = found["Deployment"]["spec"]
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    assert spec["replicas"] > found["PodDisruptionBudget"]["spec"]["maxUnavailable"]


@pytest.mark.parametrize("kind", WITH_PODS)
def test_the_image_is_this_version(kind: str) -> None:
    version = tomllib.loads((TOP / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert container_of(kind)["image"].endswith(f"/symphony:{version}")


def test_requests_and_limits_are_above_what_was_measured() -> None:
    measured = {
        row[0]: float(row[1])
        for row in rows(
            (TOP / "docs" / "performance.md").read_text("utf-8"), r"(?:a pod|the job)\b.*"
        )
    }
    assert len(measured) == 4
    highest = {
        "Deployment": max(size for name, size in measured.items() if name.startswith("a pod")),
        "Job": measured["the job: `symphony db upgrade`"],
    }
    for kind, size in highest.items():
        resources = container_of(kind)["resources"]
        assert mebibytes(resources["requests"]["memory"]) >= size
        assert mebibytes(resources["limits"]["memory"]) >= 2 * size
    # One hashing thread: what was measured.
    cores = int(container_of("Deployment")["resources"]["limits"]["cpu"])
    assert threads_per_process(cores, workers=1) == 1


def mebibytes(quantity: Any) -> float:
    number, unit = re.fullmatch(r"(\d+)([A-Z]i)", quantity).groups()  # pyright: ignore[reportOptionalMemberAccess] - or the test fails
    return int(number) * UNITS[unit] / 2**20
