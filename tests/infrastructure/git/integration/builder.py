"""Histories that are written by one run of git, commit by commit, with any content."""

import subprocess
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from scripts.support.git_repository import ENVIRONMENT, Repository
from symphony.infrastructure.git.files.roots import GitRoots
from symphony.infrastructure.git.process.private_directory import PrivateDirectory
from symphony.infrastructure.git.process.program import Program, ProgramOptions
from symphony.infrastructure.git.status.inspector import Inspector

Files = Mapping[str, str | bytes]
"""The content of each file by its path. After `*`, a file is executable; after `@`, it is the
commit of a submodule."""


class HistoryBuilder:
    """Commits by their names, with `seconds` between their dates."""

    def __init__(self, seconds: int = 60) -> None:
        self._seconds = seconds
        self._stream: list[bytes] = []
        self._names: list[str] = []

    def commit(self, name: str, files: Files, *parents: str) -> str:
        """Add a commit with these files and no others; return its name."""
        self._names.append(name)
        number = len(self._names)
        lines = [
            f"commit refs/heads/{name}",
            f"mark :{number}",
            f"committer Ada <ada@example.org> {1_700_000_000 + self._seconds * number} +0000",
            f"data {len(name)}",
            name,
        ]
        numbers = [self._names.index(each) + 1 for each in parents]
        lines += [
            f"{'merge' if position else 'from'} :{each}" for position, each in enumerate(numbers)
        ]
        self._stream.append("\n".join([*lines, "deleteall", ""]).encode())
        for path, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            if path.startswith("@"):
                self._stream.append(b"M 160000 %s %s\n" % (data, path[1:].encode()))
            else:
                mode = b"100755" if path.startswith("*") else b"100644"
                plain = path.removeprefix("*").encode()
                self._stream.append(
                    b"M %s inline %s\ndata %d\n%s\n" % (mode, plain, len(data), data)
                )
        return name

    def write(self, path: Path, *options: str) -> tuple[Repository, dict[str, str]]:
        """Create the repository; return it, with the id of each commit by its name."""
        repository = Repository.created(path, *options)
        marks = repository.git_directory / "marks"
        done = subprocess.run(  # noqa: S603 - git, with the arguments of a test
            ["git", "fast-import", "--quiet", f"--export-marks={marks}"],  # noqa: S607
            cwd=path,
            env=ENVIRONMENT,
            input=b"".join(self._stream),
            capture_output=True,
            check=False,
        )
        assert not done.returncode, done.stderr
        ids = dict(line.split() for line in marks.read_text().splitlines())
        return repository, {name: ids[f":{n}"] for n, name in enumerate(self._names, 1)}


@contextmanager
def opened(
    path: Path, temporary: Path, options: ProgramOptions | None = None
) -> Generator[PrivateDirectory]:
    """Open a repository as an inspection does."""
    program = Program(options or ProgramOptions())
    inspector = Inspector(GitRoots((path.parent,)), temporary, program)
    with inspector.open(str(path)) as private:
        yield private


def lines(*changed: tuple[int, str], count: int = 40) -> str:
    """Return a text of numbered lines, in which some have another content."""
    content = [f"line {number}" for number in range(count)]
    for number, text in changed:
        content[number] = text
    return "".join(f"{line}\n" for line in content)
