"""Every recipe works: each one is run here, or named below with what else runs it."""

import json
import re
import sys
from pathlib import Path

import pytest

from scripts.demos.support import run_all
from symphony.infrastructure.database import migrations
from tests.support.checkout import TOP, copy_to, run, uv

JUST = Path(sys.executable).with_name("just")

REQUIRED = {
    *("install", "preflight", "run", "demo", "test", "lint", "format", "typecheck", "check"),
    *("db-migrate", "db-revision", "db-check", "build", "clean"),
    *("demo-config", "demo-domain-models", "demo-database", "demo-repositories"),
    *("demo-domain-services", "demo-application-layer", "demo-api", "demo-repos", "demo-attention"),
    *("demo-discovery", "demo-vaults", "demo-safe-changes", "demo-errors", "demo-repo-safety"),
}
DEMOS = {demo.stem.replace("_", "-") for demo in run_all.demos()}
RUN_HERE = {
    *("default", "preflight", "run", "chaos", "format", "db-migrate", "db-check", "db-revision"),
    *("build", "clean"),
}
RUN_ELSEWHERE = {
    "install": "it created the environment that these tests run in",
    "check": "the gate: it runs these tests",
    "lint": "part of the gate",
    "typecheck": "part of the gate",
    "test": "part of the gate",
    "test-long": "part of the gate",
    "test-pooler": "`test-pooler-contention` runs it",
    "test-pooler-contention": "part of the gate",
    "test-browser": "part of the gate",
    "picture": "part of the gate, which compares the picture and does not paint it",
    "sdk": "part of the gate",
    "fuzz": "part of the gate",
    "bench-observability": "it measures, and nothing depends on it",
    "bench-compression": "it measures, and nothing depends on it",
    "demo": "part of the gate",
    "failover": "`test-long` runs the test, with two failovers",
    **dict.fromkeys(
        (
            *("bench", "bench-growth", "bench-sign-in", "bench-board", "bench-machines"),
            *("bench-tokens", "bench-report", "bench-sizing", "bench-processes", "bench-pooler"),
        ),
        "tests/test_benchmarks.py runs it, briefly",
    ),
    **dict.fromkeys(DEMOS, "`demo` runs it"),
}


class Checkout:
    """A copy of the tree, in which recipes may change files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "tree"
        self._data_dir = folder / "data"
        copy_to(self.folder)

    def just(self, *arguments: str) -> str:
        """The output of a recipe, which must succeed."""
        return run(
            *(JUST, *arguments),
            folder=self.folder,
            UV=uv(),
            UV_NO_SYNC="1",  # the environment is that of the tests, and must not be changed
            PYTHONPATH=str(self.folder / "src"),
            SYMPHONY_DATA_DIR=str(self._data_dir),
        ).stdout

    def revisions(self) -> list[Path]:
        return sorted((self.folder / "alembic" / "versions").glob("*.py"))


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


@pytest.fixture(scope="module")
def recipes() -> set[str]:
    return set(run(JUST, "--summary", folder=TOP).stdout.split())


def test_every_promised_recipe_exists(recipes: set[str]) -> None:
    assert recipes >= REQUIRED


def test_every_recipe_is_run_here_or_elsewhere(recipes: set[str]) -> None:
    assert recipes == RUN_HERE | RUN_ELSEWHERE.keys()
    assert not RUN_HERE & RUN_ELSEWHERE.keys()


def test_the_gate_runs_what_is_marked_as_part_of_it() -> None:
    dump = json.loads(run(JUST, "--dump", "--dump-format", "json", folder=TOP).stdout)
    ran = {each["recipe"] for each in dump["recipes"]["check"]["dependencies"]}
    elsewhere = {name for name, why in RUN_ELSEWHERE.items() if why == "part of the gate"}
    assert ran == elsewhere | {"chaos"}  # a few rounds of it; here only its help


def test_every_script_that_a_recipe_names_exists() -> None:
    justfile = (TOP / "justfile").read_text()
    modules = re.findall(r"python -m (\S+)", justfile)
    scripts = [f"{name.replace('.', '/')}.py" for name in modules]
    scripts += re.findall(r"scripts/\S+\.py", justfile)
    assert {"scripts/preflight.py", "scripts/demos/support/run_all.py"} < set(scripts)
    assert not [name for name in scripts if not (TOP / name).is_file()]


def test_every_test_that_a_recipe_names_exists() -> None:
    gate = run(JUST, "--dry-run", "test-pooler-contention", folder=TOP).stderr
    named = re.findall(r"tests/\S+", gate)
    assert len(named) == 8
    assert not [name for name in named if not (TOP / name).exists()]


def test_the_gate_runs_the_demos_quietly() -> None:
    gate = run(JUST, "--dry-run", "check", folder=TOP).stderr
    assert "python -m scripts.demos.support.run_all --quiet" in gate


@pytest.mark.long
def test_just_alone_lists_the_recipes(checkout: Checkout, recipes: set[str]) -> None:
    listed = checkout.just()
    assert not [name for name in recipes if f"    {name}" not in listed]


@pytest.mark.long
def test_preflight_prints_nothing_when_nothing_is_missing(checkout: Checkout) -> None:
    assert checkout.just("preflight") == ""


@pytest.mark.long
@pytest.mark.parametrize("recipe", ["run", "chaos", "demo"])
def test_arguments_are_passed_on(recipe: str, checkout: Checkout) -> None:
    assert checkout.just(recipe, "--help").lower().lstrip().startswith("usage: ")


@pytest.mark.long
def test_format_restores_the_format_of_a_file(checkout: Checkout) -> None:
    file = checkout.folder / "src" / "symphony" / "main.py"
    before = file.read_text()
    file.write_text(before.replace("def create_app(", "def   create_app("))
    checkout.just("format")
    assert file.read_text() == before


@pytest.mark.long
def test_the_schema_is_migrated_and_checked_and_a_revision_is_created(checkout: Checkout) -> None:
    at_head = f"The schema is at {migrations.head_revision()}.\n"
    assert checkout.just("db-migrate") == at_head
    assert checkout.just("db-check") == at_head

    before = checkout.revisions()
    checkout.just("db-revision", "it's new")
    (revision,) = set(checkout.revisions()) - set(before)
    assert revision.name.startswith(f"{len(before) + 1:03d}_")
    assert "it's new" in revision.read_text()


@pytest.mark.long
def test_clean_removes_what_build_has_created(checkout: Checkout) -> None:
    checkout.just("build")
    dist = checkout.folder / "dist"
    assert {path.suffix for path in dist.iterdir()} >= {".whl", ".gz"}
    checkout.just("clean")
    assert not dist.exists()
    assert not list((checkout.folder / "src").rglob("__pycache__"))
    assert (checkout.folder / "src" / "symphony" / "main.py").is_file()
