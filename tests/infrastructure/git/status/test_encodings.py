"""Names of files on a system whose encoding has few characters."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.repositories import Repository

LOOK = r"""
import asyncio, sys
from pathlib import Path
from uuid import UUID
from symphony.domain.errors import Invalid
from symphony.domain.repos import RegisteredRepo
from symphony.infrastructure.git.finder import LocalFinder
from symphony.infrastructure.git.local import LocalGit

async def look(root, user=UUID(int=1)):
    git, finder = LocalGit([root]), LocalFinder([root])
    for name in ("plain", "caf\xe9", "caf\udcc3\udca9"):
        seen = await git.status(user, f"{root}/{name}")
        print(seen.state, seen.branch and ascii(seen.branch), seen.modified, seen.reason, sep="; ")
    search = await finder.find(user, str(root), 9, [RegisteredRepo("caf\xe9", f"{root}/caf\xe9")])
    print(*(ascii(each.path.removeprefix(str(root))) for each in search.found))
    try:
        await finder.find(user, f"{root}/caf\xe9", 9, [])
    except Invalid as invalid:
        print(invalid.errors[0].code)
    git.close()
    finder.close()

print(sys.getfilesystemencoding())
asyncio.run(look(Path(sys.argv[1])))
"""


def test_what_cannot_be_written_is_refused_and_everything_else_is_read(root: Path) -> None:
    for name in ("plain", "café"):
        repo = Repository.made(root / name, "--initial-branch=grün")
        repo.commit("grün")
        repo.write("grün", "changed\n")
    told = subprocess.run(  # noqa: S603 - this Python
        [sys.executable, "-c", LOOK, str(root)],
        env={**os.environ, "LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.stdout.splitlines() == [
        "ascii",
        r"dirty; 'gr\xfcn'; 1; None",
        "refused; None; 0; It has a path that cannot be written on this service's system.",
        r"dirty; 'gr\xfcn'; 1; None",
        r"'/caf\udcc3\udca9' '/plain'",
        "outside-roots",
    ], told.stderr
