"""File names on a system whose encoding has few characters."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.support.git_repository import Repository

SCRIPT = r"""
import asyncio, sys
from pathlib import Path
from uuid import UUID
from symphony.domain.errors import Invalid
from symphony.domain.repos import RegisteredRepo
from symphony.infrastructure.git.discovery.finder import LocalFinder
from symphony.infrastructure.git.status.local_git import LocalGit

async def inspect(root, user=UUID(int=1)):
    git, finder = LocalGit([root]), LocalFinder([root])
    for name in ("plain", "caf\xe9", "caf\udcc3\udca9"):
        status = await git.status(user, f"{root}/{name}")
        branch = status.branch and ascii(status.branch)
        print(status.state, branch, status.modified, status.reason, sep="; ")
    search = await finder.find(user, str(root), 9, [RegisteredRepo("caf\xe9", f"{root}/caf\xe9")])
    print(*(ascii(each.path.removeprefix(str(root))) for each in search.found))
    try:
        await finder.find(user, f"{root}/caf\xe9", 9, [])
    except Invalid as invalid:
        print(invalid.errors[0].code)
    git.close()
    finder.close()

print(sys.getfilesystemencoding())
asyncio.run(inspect(Path(sys.argv[1])))
"""


@pytest.mark.long
def test_a_path_that_cannot_be_encoded_is_refused_and_all_others_are_read(root: Path) -> None:
    for name in ("plain", "café"):
        repo = Repository.created(root / name, "--initial-branch=grün")
        repo.commit("grün")
        repo.write("grün", "changed\n")
    result = subprocess.run(  # noqa: S603 - this Python
        [sys.executable, "-c", SCRIPT, str(root)],
        env={**os.environ, "LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stdout.splitlines() == [
        "ascii",
        r"dirty; 'gr\xfcn'; 1; None",
        "refused; None; 0; The directory has a path that this system cannot encode.",
        r"dirty; 'gr\xfcn'; 1; None",
        r"'/caf\udcc3\udca9' '/plain'",
        "outside-roots",
    ], result.stderr
