"""Files with a filter are compared by their sizes, which git lists once for all of them."""

from pathlib import Path
from typing import Any

import pytest

from scripts.support.git_repository import Repository
from symphony.infrastructure.git.process.program import Program
from symphony.infrastructure.git.status.filters import SizeComparison
from symphony.infrastructure.git.status.local_git import LocalGit
from tests.support.repositories import USER, opened


@pytest.mark.parametrize("chunk_size", [1, 7, 1 << 16])
def test_sizes_are_compared_wherever_the_output_is_split(chunk_size: int, root: Path) -> None:
    repo = Repository.created(root / "repo")
    names = ["equal", "other", "gone", "not asked", "two\nlines", "  size: 7\tx", "deep/er/file"]
    for name in names:
        repo.write(name, "content")
    repo.git("add", ".")
    repo.write("other", "longer content")
    (repo.path / "gone").unlink()
    output = repo.git("ls-files", "-z", "--debug").encode() + b"\n"
    asked = {name.encode() for name in names if name != "not asked"}
    with opened(repo.path) as work_tree:
        comparison = SizeComparison(work_tree, asked)
        for start in range(0, len(output), chunk_size):
            comparison.consume(output[start : start + chunk_size])
    assert len(comparison.equal) == 4


@pytest.mark.long
async def test_git_lists_the_sizes_once_for_any_number_of_files(
    root: Path, git: LocalGit, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = Repository.created(root / "repo")
    for number in range(600):
        repo.write(f"file-{number}", "content")
    repo.git("add", ".")
    repo.write(".gitattributes", "* filter=large\n")
    for number in range(600):
        repo.write(f"file-{number}", "changed" if number else "longer")
    runs, stream = list[str](), Program.stream

    def counted(program: Program, *arguments: str, **options: Any) -> None:
        runs.append(" ".join(arguments))
        stream(program, *arguments, **options)

    monkeypatch.setattr(Program, "stream", counted)
    assert (await git.status(USER, str(repo.path))).modified == 1
    assert sum("--debug" in run for run in runs) == 1
