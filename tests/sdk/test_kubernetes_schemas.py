"""The manifests follow the schemas of Kubernetes, and that of the Prometheus Operator.

The packages contain the schemas, so nothing is asked of a cluster.
"""

import json
from pathlib import Path

import pytest

from tests.deploy.manifests import FILES, documents
from tests.sdk.tools import from_pypi, install_from_npm, node
from tests.support.checkout import TOP

pytestmark = pytest.mark.sdk

CUSTOM = "ServiceMonitor"
MODELS = "@kubernetes-models/prometheus-operator"
VALIDATED = f"""
import {{ readFileSync }} from "node:fs";
import {{ ServiceMonitor }} from "{MODELS}/monitoring.coreos.com/v1/ServiceMonitor";
new ServiceMonitor(JSON.parse(readFileSync(process.argv[2], "utf-8"))).validate();
"""


# The oldest version with `sleep` in `preStop` without a feature gate, and the newest one.
@pytest.mark.parametrize("version", ["1.30.0", "1.37.0"])
def test_the_manifests_follow_the_schemas_of_kubernetes(version: str) -> None:
    validator = from_pypi("kubernetes-validate==1.37.0", "kubernetes-validate")
    files = [file for file in FILES if CUSTOM.lower() not in file.name]
    assert len(files) == len(FILES) - 1
    output = validator.run("--strict", "--kubernetes-version", version, *files, folder=TOP)
    assert output.count(" passed for resource ") == len(files), output
    assert "WARN" not in output


def test_the_service_monitor_follows_the_schema_of_the_prometheus_operator(tmp_path: Path) -> None:
    install_from_npm(f"{MODELS}@6.0.0", folder=tmp_path)
    script, valid, invalid = (tmp_path / name for name in ("check.mjs", "valid.json", "other.json"))
    script.write_text(VALIDATED)
    monitor = documents()[CUSTOM]
    valid.write_text(json.dumps(monitor))
    node().run(script, valid, folder=tmp_path)
    monitor["spec"]["endpoints"][0]["port"] = 8000
    invalid.write_text(json.dumps(monitor))
    with pytest.raises(AssertionError, match="port"):
        node().run(script, invalid, folder=tmp_path)
