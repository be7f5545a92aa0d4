"""No recipe rots: each one is run here, or is named below with who else runs it."""

import json
import re
import sys
from pathlib import Path

import pytest

from symphony.infrastructure.database import migrations
from tests.support.checkout import TOP, copy_to, run, uv

JUST = Path(sys.executable).with_name("just")

REQUIRED = {
    *("install", "preflight", "run", "demo", "test", "lint", "format", "typecheck", "check"),
    *("db-migrate", "db-revision", "db-check", "build", "clean"),
    *("demo-config", "demo-domain-models", "demo-database", "demo-repositories"),
    *("demo-domain-services", "demo-application-layer", "demo-api", "demo-repos", "demo-attention"),
}
DEMOS = {path.stem.replace("_", "-") for path in (TOP / "scripts" / "demos").glob("demo_*.py")}
RUN_HERE = {
    *("default", "preflight", "run", "chaos", "format", "db-migrate", "db-check", "db-revision"),
    *("build", "clean"),
}
RUN_ELSEWHERE = {
    "install": "it made the environment that these tests run in",
    "check": "the gate: it runs these tests",
    "lint": "part of the gate",
    "typecheck": "part of the gate",
    "test": "part of the gate",
    "test-long": "part of the gate",
    "test-browser": "part of the gate",
    "sdk": "part of the gate",
    "fuzz": "part of the gate",
    "bench-sight": "measures, and nothing depends on it",
    "demo": "part of the gate",
    **dict.fromkeys(("bench", "bench-growth"), "tests/test_benchmarks.py runs it, briefly"),
    **dict.fromkeys(DEMOS, "one of those that `demo` runs"),
}


class Checkout:
    """A copy of the tree, in which recipes may do what they do."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "tree"
        self._data_dir = folder / "data"
        copy_to(self.folder)

    def just(self, *arguments: str) -> str:
        """What a recipe prints; it has to succeed."""
        return run(
            *(JUST, *arguments),
            folder=self.folder,
            UV=uv(),
            UV_NO_SYNC="1",  # the environment is that of the tests, which stays as it is
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


def test_every_recipe_that_is_promised_is_there(recipes: set[str]) -> None:
    assert recipes >= REQUIRED


def test_every_recipe_is_run_here_or_elsewhere(recipes: set[str]) -> None:
    assert recipes == RUN_HERE | RUN_ELSEWHERE.keys()
    assert not RUN_HERE & RUN_ELSEWHERE.keys()


def test_the_gate_runs_what_it_is_said_to_run() -> None:
    dump = json.loads(run(JUST, "--dump", "--dump-format", "json", folder=TOP).stdout)
    ran = {each["recipe"] for each in dump["recipes"]["check"]["dependencies"]}
    elsewhere = {name for name, why in RUN_ELSEWHERE.items() if why == "part of the gate"}
    assert ran == elsewhere | {"chaos"}  # of which the gate runs a little, and this its help


def test_every_script_that_a_recipe_names_is_there() -> None:
    named = re.findall(r"scripts/\S+\.py", (TOP / "justfile").read_text())
    assert named
    assert not [name for name in named if not (TOP / name).is_file()]


def test_just_alone_lists_the_recipes(checkout: Checkout, recipes: set[str]) -> None:
    listed = checkout.just()
    assert not [name for name in recipes if f"    {name}" not in listed]


def test_preflight_says_nothing_when_nothing_is_missing(checkout: Checkout) -> None:
    assert checkout.just("preflight") == ""


@pytest.mark.long
@pytest.mark.parametrize("recipe", ["run", "chaos"])
def test_arguments_are_handed_on(recipe: str, checkout: Checkout) -> None:
    assert checkout.just(recipe, "--help").lower().lstrip().startswith("usage: ")


def test_format_leaves_what_is_in_form_as_it_is(checkout: Checkout) -> None:
    file = checkout.folder / "src" / "symphony" / "main.py"
    before = file.read_text()
    file.write_text(before.replace("def create_app(", "def   create_app("))
    checkout.just("format")
    assert file.read_text() == before


@pytest.mark.long
def test_the_schema_is_migrated_checked_and_given_a_new_revision(checkout: Checkout) -> None:
    at_head = f"The schema is at {migrations.head_revision()}.\n"
    assert checkout.just("db-migrate") == at_head
    assert checkout.just("db-check") == at_head

    before = checkout.revisions()
    checkout.just("db-revision", "it's new")
    (made,) = set(checkout.revisions()) - set(before)
    assert made.name.startswith(f"{len(before) + 1:03d}_")
    assert "it's new" in made.read_text()


@pytest.mark.long
def test_what_is_built_is_removed_by_clean(checkout: Checkout) -> None:
    checkout.just("build")
    built = checkout.folder / "dist"
    assert {path.suffix for path in built.iterdir()} >= {".whl", ".gz"}
    checkout.just("clean")
    assert not built.exists()
    assert not list((checkout.folder / "src").rglob("__pycache__"))
    assert (checkout.folder / "src" / "symphony" / "main.py").is_file()
