"""Releases of Symphony as directories from which Python imports them, before this checkout."""

import shutil
import sys
import tarfile
import tomllib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from symphony.infrastructure.database import migrations
from symphony.infrastructure.database.checks import schema
from tests.conftest import SECRET
from tests.support.checkout import TOP, run, uv
from tests.support.prerequisites import missing
from tests.support.processes import output_of
from tests.support.releases.next_release import EXPANSION, copy_migrations
from tests.support.server import SYMPHONY, Server, environment, running_server

_WITHIN = 90  # seconds
_HEAD = "from symphony.infrastructure.database.migrations import *; print(head_revision())"
_DOWNGRADE = """
import asyncio, sys
from symphony.infrastructure.database import migrations
from symphony.infrastructure.database.engine import create_engines

async def downgrade():
    engines = create_engines(sys.argv[1])
    await migrations.downgrade(engines, sys.argv[2])
    await engines.dispose()

asyncio.run(downgrade())
"""


@dataclass(frozen=True, slots=True)
class Release:
    """A release of Symphony: `library` is None for this checkout."""

    head: str
    library: Path | None = None
    accepts_newer_schemas: bool = True
    """Whether it reads the record of compatibility: the releases before revision 013 do not."""

    @property
    def python_path(self) -> str:
        """The directory of the package; empty for this checkout."""
        return str(self.library or "")

    @asynccontextmanager
    async def process(self, folder: Path, url: str, **settings: str) -> AsyncGenerator[Server]:
        """Run a process of this release on a database, with the same secret as all others."""
        given = {"DATABASE_URL": url, "SECRET_KEY": SECRET, "REGISTRATION": "open"} | settings
        async with running_server(folder / "data", library=self.python_path, **given) as server:
            yield server

    async def symphony(self, folder: Path, *arguments: str, **settings: str) -> str:
        """Run a command; return its output. A non-zero exit status fails the test."""
        return await self._run(folder, SYMPHONY, *arguments, **settings)

    async def downgrade(self, folder: Path, url: str, revision: str) -> None:
        """Downgrade a schema with the migrations of this release."""
        await self._run(folder, Path(sys.executable), "-c", _DOWNGRADE, url, revision)

    async def _run(self, folder: Path, program: Path, *arguments: str, **settings: str) -> str:
        own = environment(folder / "data", self.python_path, **settings)
        return await output_of(
            *(program, *arguments), folder=folder, environment=own, within=_WITHIN
        )


def this_release() -> Release:
    return Release(migrations.head_revision())


def next_release(folder: Path) -> Release:
    """Create this release with one further revision, which this one can serve on."""
    shutil.copytree(
        TOP / "src" / "symphony",
        folder / "symphony",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    shutil.copytree(TOP / "docs", folder / "symphony" / "docs")
    copy_migrations(folder / "symphony" / "alembic", EXPANSION)
    return _checked(Release(EXPANSION.name, folder))


def former_release(folder: Path) -> Release:
    """Build and install the wheel of the commit before the newest migration.

    A shallow clone may lack that commit; then the test is skipped.
    """
    commit = _commit_before_the_newest_migration()
    tree, library = folder / "tree", folder / "library"
    tree.mkdir(parents=True)
    run("git", "archive", "--output", folder / "tree.tar", commit, folder=TOP)
    with tarfile.open(folder / "tree.tar") as archive:
        archive.extractall(tree, filter="data")
    run(uv(), "build", "--wheel", "--out-dir", folder, folder=tree)
    (wheel,) = folder.glob("symphony-*.whl")
    if _dependencies(tree) == _dependencies(TOP):
        # Those that the tests run with are the same.
        shutil.unpack_archive(wheel, library, "zip")
    else:
        run(
            *(uv(), "pip", "install", "--quiet", "--target", library, "--python", sys.executable),
            wheel,
            folder=folder,
            within=600,
            UV_OFFLINE="0",
        )
    head = f"{int(migrations.head_revision()) - 1:03d}"
    reads = (library / "symphony/infrastructure/database/migrating/compatibility.py").is_file()
    return _checked(Release(head, library, reads))


def _checked(release: Release) -> Release:
    """Require that Python imports the release, and that it is the one that was meant."""
    assert release.library is not None
    finished: CompletedProcess[str] = run(
        *(sys.executable, "-c", f"import symphony; print(symphony.__file__); {_HEAD}"),
        folder=release.library,
        PYTHONPATH=str(release.library),
    )
    file, head = finished.stdout.split()
    assert Path(file).is_relative_to(release.library)
    assert head == release.head
    return release


def _commit_before_the_newest_migration() -> str:
    versions = "alembic/versions"
    (newest,) = (schema.scripts() / "versions").glob(f"{migrations.head_revision()}_*.py")
    if not (TOP / ".git").exists():
        missing("the former release is built from the history of git, which is not here")
    found = ("git", "log", "-1", "--diff-filter=A", "--format=%H %P", "--")
    words = run(*found, f"{versions}/{newest.name}", folder=TOP).stdout.split()
    if len(words) == 1:
        # Not a tool that CI could install: whoever clones decides how much of the history.
        pytest.skip("the former release is older than this shallow clone")
    commit = words[1] if words else "HEAD"  # the migration is not yet committed
    names = run("git", "ls-tree", "--name-only", commit, f"{versions}/", folder=TOP).stdout
    assert newest.name not in names
    return commit


def _dependencies(tree: Path) -> list[str]:
    project = tomllib.loads((tree / "pyproject.toml").read_text("utf-8"))["project"]
    return sorted(project["dependencies"])
