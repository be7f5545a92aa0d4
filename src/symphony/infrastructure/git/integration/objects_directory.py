"""A git directory that has the objects of a repository, and nothing else of it."""

import shutil
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace

from symphony.infrastructure.git.process.private_directory import PrivateDirectory
from symphony.infrastructure.git.process.program import MEMORY_SETTINGS, config_text

_SETTINGS = (
    ("core.repositoryFormatVersion", "1"),
    ("core.bare", "true"),
    ("protocol.allow", "never"),
    ("core.hooksPath", "/dev/null"),
    ("core.quotePath", "false"),
    # Larger files are compared by their ids, as binary ones are.
    ("core.bigFileThreshold", "16m"),
    # To find renames takes quadratic time.
    ("merge.renameLimit", "1000"),
    *MEMORY_SETTINGS,
)
_CONFIG = config_text(_SETTINGS)


@contextmanager
def objects_directory(private: PrivateDirectory) -> Generator[PrivateDirectory]:
    """Create a bare git directory for commands that get ids only.

    It has no refs, no attributes, no index, no working tree and no setting of the repository, so
    none of these can change what git prints: no text conversion, no way of merging. What git
    writes is removed at the end.
    """
    path = private.path / "objects-only"
    try:
        for name in ("refs", "objects"):
            (path / name).mkdir(parents=True)
        (path / "HEAD").write_text("ref: refs/none\n")
        hash_name = private.config.hash_name()
        (path / "config").write_text(
            _CONFIG + config_text([("extensions.objectFormat", hash_name)])
        )
        if (private.path / "shallow").exists():
            shutil.copyfile(private.path / "shallow", path / "shallow")
        alternates = "GIT_ALTERNATE_OBJECT_DIRECTORIES"
        variables = {
            "GIT_DIR": str(path),
            "GIT_OBJECT_DIRECTORY": str(path / "objects"),
            alternates: private.variables[alternates],
            "GIT_FLUSH": "0",  # not after each commit
        }
        yield replace(private, path=path, common_path=path, variables=variables)
    finally:
        shutil.rmtree(path, ignore_errors=True)
