"""The guides agree with the service: their examples run, their tables are those of the code."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi.routing import iter_route_contexts
from prometheus_client.parser import text_string_to_metric_families

from symphony.api.problems.catalogue import PROBLEMS
from symphony.config.settings import Settings
from symphony.infrastructure.database.models import Model
from symphony.infrastructure.metrics import Metrics
from symphony.main import create_app
from tests.support.api import sign_up
from tests.support.checkout import TOP
from tests.support.documents import blocks, rows, run
from tests.support.openapi import operations
from tests.support.server import running_server

API_GUIDE = (TOP / "docs" / "api.md").read_text("utf-8")
VAULT_GUIDE = (TOP / "docs" / "vaults.md").read_text("utf-8")
PRODUCTION_GUIDE = (TOP / "docs" / "production.md").read_text("utf-8")

Operation = tuple[str, str]


@pytest.mark.long
async def test_the_examples_of_the_api_guide_work(tmp_path: Path) -> None:
    async with running_server(tmp_path / "data") as server:
        output = await run("\n".join(blocks(API_GUIDE)), server.address, tmp_path)
    refused = ["unauthenticated", "report-outdated", "vault-locked", "precondition-failed"]
    assert re.findall(r'"code":"([a-z-]+)"', output) == refused
    assert '"settings":{"editor":{"tabs":4,"wrap":true}}' in output
    repos = re.findall(r'"name":"(\w+)","path":"~/dev/', output)
    created, by_name = ["strings", "brass", "winds"], ["brass", "strings", "winds"]
    assert repos == [*created, *by_name, *created, *["percussion"] * 2]


@pytest.mark.long
async def test_the_examples_of_the_vault_guide_keep_a_secret_and_lock_it(tmp_path: Path) -> None:
    async with running_server(tmp_path / "data") as server:
        output = await run("\n".join(blocks(VAULT_GUIDE)), server.address, tmp_path)
    bodies = [json.loads(line) for line in output.splitlines() if line]
    refused = [each["code"] for each in bodies if "code" in each]
    assert refused == ["vault-locked", "wrong-passphrase"]
    first, second = (f"postgresql://acme@db.example.org/{name}" for name in ("acme", "new"))
    contents = [(each["version"], each["content"]) for each in bodies if "content" in each]
    assert contents == [(2, second), (1, first), (3, first)]
    assert "passphrase" not in {field for each in bodies for field in each}


def test_the_vault_guide_says_on_its_first_screen_that_no_passphrase_can_be_recovered() -> None:
    screen = "\n".join(VAULT_GUIDE.splitlines()[:10])
    assert "**A passphrase that is forgotten cannot be recovered" in screen


def test_the_vault_guide_names_every_sealed_column() -> None:
    named = {row[1].strip("`") for row in rows(VAULT_GUIDE, ".+") if "." in row[1]}
    tables = Model.metadata.tables.items()
    sealed = {
        f"{name}.{column.name}"
        for name, table in tables
        if name.startswith("vault_")
        for column in table.columns
        if column.name in {"wrapped", "sealed", "facts", "content"}
    }
    assert {each for each in named if re.fullmatch(r"vault_\w+\.\w+", each)} == sealed


@pytest.mark.long
async def test_the_examples_of_the_production_guide_work_and_its_backup_can_be_restored(
    tmp_path: Path,
) -> None:
    data, backup, script = tmp_path / "data", tmp_path / "backup", blocks(PRODUCTION_GUIDE)
    async with running_server(data) as server, server.client() as client:
        ada = await sign_up(client, "ada")
        kept = await ada.workspace("Kept")
        folders = f"export SYMPHONY_DATA_DIR={data} BACKUP={backup}\n"
        output = await run(folders + "\n".join(script), server.address, tmp_path)
        await ada.workspace("Later")
    assert re.search(r"^symphony_\w+", output, re.MULTILINE)
    assert {file.name for file in backup.iterdir()} == {
        f"symphony.sqlite3{ending}" for ending in ("", ".key", ".master-key")
    }
    async with running_server(backup) as server, server.client() as client:
        listed = await replace(ada, client=client).get(f"/user-profiles/{ada.id}/workspaces")
        assert listed.json()["items"] == [kept]


def test_the_production_guide_lists_every_metric_with_its_labels() -> None:
    listed = {
        row[0].strip("`"): set(re.findall("`(.+?)`", row[1]))
        for row in rows(PRODUCTION_GUIDE, "`symphony_[a-z_]+`")
    }
    metrics = Metrics()
    metrics.request("GET", "/", 200, 0.1)
    metrics.command("make", "done")
    metrics.queries.labels("primary", "behind").inc()
    for gauge in (metrics.replica_usable, metrics.replica_lag, metrics.replica_connections):
        gauge.labels("db2:5432").set(1)
    families = text_string_to_metric_families(metrics.text().decode())
    assert listed == {
        f"{family.name}_total" if family.type == "counter" else family.name: {
            label for sample in family.samples for label in sample.labels if label != "le"
        }
        for family in families
        if not family.name.endswith("_created")
    }


def test_the_api_guide_lists_every_problem_with_its_status() -> None:
    listed = [(row[1].strip("`"), int(row[0])) for row in rows(API_GUIDE, r"\d{3}")]
    assert len(listed) == len(dict(listed))
    assert dict(listed) == {code: kind.status for code, kind in PROBLEMS.items()}


def test_the_api_guide_names_only_existing_problems_with_their_status() -> None:
    named = re.findall(r"\b([45]\d\d) ((?:`[a-z-]+`(?:, )?)+)", API_GUIDE)
    for status, codes in named:
        for code in re.findall("`([a-z-]+)`", codes):
            assert PROBLEMS[code].status == int(status), code
    assert len(named) > 30


def test_the_api_guide_names_only_existing_codes_of_fields() -> None:
    section = API_GUIDE.partition("### Field errors")[2].partition("###")[0]
    source = "".join(file.read_text("utf-8") for file in (TOP / "src").rglob("*.py"))
    codes = {code for row in rows(section, r"[a-z ]+") for code in re.findall("`(.+?)`", row[1])}
    assert len(codes) > 30
    assert {code for code in codes if f'"{code}"' not in source} == set()


def test_the_api_guide_has_exactly_the_existing_operations(tmp_path: Path) -> None:
    app = create_app(Settings.model_validate({"data_dir": tmp_path}))
    existing = {
        (method, without_names(context.path))
        for context in iter_route_contexts(app.routes)
        if context.path is not None
        for method in context.methods or ()
    }
    described = {
        (method.upper(), without_names(path))
        for path, operations in app.openapi()["paths"].items()
        for method in operations
    }
    named: set[Operation] = {
        (method, without_names(path))
        for method, path in re.findall(r"`(GET|POST|PUT|PATCH|DELETE) (/[^`\s?]*)`", API_GUIDE)
    }
    assert described - named == set()
    assert named - existing == set()


def test_the_api_guide_lists_the_specific_errors_of_each_operation() -> None:
    of_all = {"payload-too-large", "validation-error", "internal-error", "service-unavailable"}
    of_all |= {"misdirected-request", "header-fields-too-large"}
    of_many = {"unauthenticated", "insufficient-scope"}  # what needs a token
    of_many |= {"malformed-request", "unsupported-media-type"}  # what takes a body
    of_entries = {"vault-not-found", "vault-damaged", "vault-locked", "master-key-missing"}
    listed = {
        tuple(without_names(row[0]).strip("`").split()): set(re.findall("`([a-z-]+)`", row[2]))
        for row in rows(API_GUIDE, "`[A-Z]+ /api/v1/.*`")
        if len(row) == 3
    }
    for operation in operations().values():
        if operation.path.startswith("/api/"):
            own = {code for status in operation.answers for code in operation.codes(status)}
            if operation.described["tags"] == ["vault entries"]:
                own -= of_entries
            expected = listed[operation.method, without_names(operation.path)]
            assert own - of_all - of_many == expected - of_many, operation.id


def without_names(path: str) -> str:
    """A route's template without the names of its parameters."""
    return re.sub(r"\{[^}]+\}", "{}", path)
