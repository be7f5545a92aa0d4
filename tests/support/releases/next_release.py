"""The next release of Symphony: this one with further revisions, which exist only in tests."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from symphony.infrastructure.database import migrations
from symphony.infrastructure.database.checks import schema

_CACHED = (schema.head_revision, schema._known_revisions)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - they are cached


def after(revision: str, number: int = 1) -> str:
    """Return the name of a later revision."""
    return f"{int(revision) + number:03d}"


@dataclass(frozen=True, slots=True)
class Revision:
    """A revision after the head: the bodies of its functions, and which programs it serves."""

    name: str
    compatible_with: str
    upgrade: str
    downgrade: str

    def write(self, versions: Path) -> None:
        """Write it into a directory of revisions."""
        text = f'''"""A revision that only a test has."""

from alembic import op

from symphony.infrastructure.database.migrating import online

revision = "{self.name}"
down_revision = "{after(self.name, -1)}"
branch_labels = None
depends_on = None
compatible_with = "{self.compatible_with}"


def upgrade() -> None:
    {self.upgrade}


def downgrade() -> None:
    {self.downgrade}
'''
        (versions / f"{self.name}_of_a_test.py").write_text(text, "utf-8")


def copy_migrations(scripts: Path, *revisions: Revision) -> None:
    """Copy all migrations of this release into a new directory, and add revisions."""
    shutil.copytree(
        schema.scripts(), scripts, ignore=shutil.ignore_patterns("__pycache__", "*_of_a_test.py")
    )
    for revision in revisions:
        revision.write(scripts / "versions")


def become(scripts: Path, patch: pytest.MonkeyPatch) -> None:
    """Make this process a program with the migrations of a directory."""
    patch.setattr(schema, "scripts", lambda: scripts)
    for each in _CACHED:
        each.cache_clear()


def become_this_again(patch: pytest.MonkeyPatch) -> None:
    """End `become`."""
    patch.undo()
    for each in _CACHED:
        each.cache_clear()


HEAD = migrations.head_revision()
EXPANSION = Revision(
    after(HEAD),
    HEAD,
    """online.add_column("repos", "size INTEGER DEFAULT '0' NOT NULL", check=("ck", "size >= 0"))
    online.create_index("ix_repos_size", "repos", ["size"], where="size > 0")
    op.execute("CREATE TABLE things (id INTEGER PRIMARY KEY)")""",
    """online.drop_index("ix_repos_size", "repos")
    op.execute("DROP TABLE things")
    op.drop_column("repos", "size")""",
)
"""Programs of this release can serve on it."""
CONTRACTION = Revision(
    after(HEAD, 2),
    after(HEAD),
    'op.execute("DROP TABLE things")',
    'op.execute("CREATE TABLE things (id INTEGER PRIMARY KEY)")',
)
"""Only programs of the revision before can serve on it, not those of this release."""
