"""The symbolic links of a path are resolved as Linux does, up to its limit."""

import os
from pathlib import Path

import pytest

from symphony.infrastructure.git.files.roots import GitRoots, real_path


@pytest.mark.parametrize(
    "path",
    ["", ".", "a", "a/b", "a/../a/b", "link", "link/b", "link/..", "link/../link/b", "up/a",
     "nothing", "nothing/../a", "nothing/b/../..", "a/./b//", "..", "../../..", "absolute/b",
     "file", "file/b", "file/../a", "x" * 300, "loop", "loop/a", "dangling", "dangling/../a"],
)  # fmt: skip
def test_the_real_path_is_that_of_the_standard_library(path: str, tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "file").touch()
    for name, target in {
        "link": "a", "up": "a/..", "absolute": str(tmp_path / "a"), "loop": "loop",
        "dangling": "no/where",
    }.items():  # fmt: skip
        (tmp_path / name).symlink_to(target)
    expected = None if path.startswith("loop") else Path(os.path.realpath(tmp_path / path))
    assert real_path(tmp_path / path) == expected
    assert real_path(os.path.relpath(tmp_path)) == tmp_path


def test_a_path_has_at_most_40_links(tmp_path: Path) -> None:
    tmp_path = Path(os.path.realpath(tmp_path))
    (tmp_path / "0").mkdir()
    for number in range(1, 42):
        (tmp_path / str(number)).symlink_to(str(number - 1))
    assert real_path(tmp_path / "40") == tmp_path / "0"
    assert real_path(tmp_path / "41") is None


def test_links_make_no_path_longer_than_linux_opens(tmp_path: Path) -> None:
    """Each link adds names in which nothing exists; all of them together take seconds."""
    rest = "/x" * 1_900
    for number in range(39):
        (tmp_path / str(number)).symlink_to(f"{tmp_path}/{number + 1}{rest}")
    assert real_path(tmp_path / "38") == Path(f"{os.path.realpath(tmp_path)}/39{rest}")
    assert real_path(tmp_path / "0") is None


def test_a_root_in_another_root_is_not_opened_by_its_own_path(tmp_path: Path) -> None:
    real = Path(os.path.realpath(tmp_path))
    (tmp_path / "inner").mkdir()
    (tmp_path / "link").symlink_to("inner")
    given = [tmp_path / "inner", tmp_path, tmp_path / "link", real.with_name(f"{real.name}2")]
    assert GitRoots(given).directories == (real, real.with_name(f"{real.name}2"))
