"""The recipe "A noun" of CLAUDE.md is complete: followed for snippets, everything works.

It takes three modules, one migration, and edits of eight modules and of the guide to the API.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from symphony.infrastructure.database import migrations
from tests.recipe.edits import EDITS
from tests.support.checkout import TOP, copy_to

SNIPPETS = Path(__file__).with_name("snippets")
MODULES = {
    "domain.py.txt": "src/symphony/domain/snippets.py",
    "application.py.txt": "src/symphony/application/snippets.py",
    "routes.py.txt": "src/symphony/api/routes/snippets.py",
}
WITHIN = 300  # seconds

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project in which the recipe was followed."""
    tree = tmp_path_factory.mktemp("recipe") / "tree"
    copy_to(tree)
    for template, module in MODULES.items():
        (tree / module).write_text((SNIPPETS / template).read_text("utf-8"), "utf-8")
    head = migrations.head_revision()
    revision = f"{int(head) + 1:03d}"
    migration = (SNIPPETS / "migration.py.txt").read_text("utf-8")
    (tree / "alembic" / "versions" / f"{revision}_snippets.py").write_text(
        migration.format(revision=revision, down_revision=head), "utf-8"
    )
    test = (SNIPPETS / "test_snippets.py.txt").read_text("utf-8")
    (tree / "tests" / "api" / "routes" / "test_snippets.py").write_text(test, "utf-8")
    for edit in EDITS:
        edit.apply(tree)
    return tree


def run(tree: Path, program: str, *arguments: str) -> None:
    """Run a program of the development environment in the copy; it must succeed."""
    finished = subprocess.run(  # noqa: S603 - our own tools
        [Path(sys.executable).with_name(program), *arguments],
        cwd=tree,
        env=os.environ | {"PYTHONPATH": str(tree / "src")},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=WITHIN,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout


def test_the_recipe_takes_three_modules_a_migration_and_few_edits() -> None:
    edited = {edit.file for edit in EDITS}
    assert len([file for file in edited if file.startswith("src/")]) <= 8
    assert edited - {"docs/api.md"} == {file for file in edited if file.startswith("src/")}
    text = (TOP / "CLAUDE.md").read_text("utf-8")
    recipe = text.partition("**A noun**")[2].partition("**A route**")[0]
    # Every file that is edited is named in the recipe.
    assert [file for file in edited if file.removeprefix("src/symphony/") not in recipe] == []


def test_the_new_noun_behaves_like_every_other_on_every_store(tree: Path) -> None:
    run(tree, "pytest", "-q", "-n", "0", "-m", "", "tests/api/routes/test_snippets.py")


def test_what_holds_for_all_nouns_holds_for_the_new_one(tree: Path) -> None:
    run(
        *(tree, "pytest", "-q", "-n", "0"),
        "tests/api/openapi/test_openapi.py",
        "tests/api/problems/test_catalogue.py",
        "tests/api/routes/test_registration.py",
        "tests/application/test_shapes.py",
        "tests/infrastructure/database/test_mappings.py",
        "tests/infrastructure/database/test_migrations.py",
        "tests/infrastructure/database/migrating/test_migration_lint.py",
        "tests/test_documents.py",
    )


def test_the_new_noun_follows_the_import_rules_and_the_style(tree: Path) -> None:
    run(tree, "lint-imports", "--no-cache")
    run(tree, "ruff", "check", *MODULES.values())
    run(tree, "ruff", "format", "--check", *MODULES.values())
