"""Paths of a server that this system cannot express are no failure of a command."""

from pathlib import Path

import pytest

from symphony.client.importing import choose_new
from symphony.client.paths import expanded, real_path


@pytest.mark.parametrize("path", ["/a\x00b", "~a\x00b", "/a\ud800b"])
def test_a_path_that_cannot_be_expressed_is_no_path_of_this_machine(path: str) -> None:
    assert real_path(path) is None
    assert expanded(path) == path
    assert choose_new([], [{"path": path}]).registered == 0


def test_a_path_is_expanded_and_without_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "engine").mkdir()
    (tmp_path / "link").symlink_to("engine")
    assert real_path("~/link") == str((tmp_path / "engine").resolve())
    assert expanded("~/link") == str(tmp_path / "link")
