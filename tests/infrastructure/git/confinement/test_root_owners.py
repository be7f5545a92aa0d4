"""A root counts as writable by others for its owner, its mode, and the directories above it."""

import os
from pathlib import Path

import pytest

from symphony.infrastructure.git.confinement.root_owners import others_who_may_write

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A directory that only this user may write to."""
    tmp_path.chmod(0o755)
    return tmp_path


@pytest.mark.parametrize("mode", [0o700, 0o755, 0o555])
def test_a_root_that_only_its_owner_may_write_to_is_accepted(base: Path, mode: int) -> None:
    root = base / "root"
    root.mkdir()
    root.chmod(mode)
    assert others_who_may_write(root) is None
    root.chmod(0o700)


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o775, 0o702, 0o2770])
def test_a_root_that_others_may_write_to_is_named_with_its_mode(base: Path, mode: int) -> None:
    root = base / "root"
    root.mkdir()
    root.chmod(mode)
    reason = others_who_may_write(root) or ""
    assert f"{str(root)!r} (owner " in reason
    assert f"mode {mode:04o}) is writable by other users" in reason


@needs_root
def test_a_root_of_another_user_is_named_with_its_owner(base: Path) -> None:
    root = base / "root"
    root.mkdir()
    os.chown(root, 1501, 1501)
    reason = others_who_may_write(root) or ""
    assert "(owner 1501, mode 0755) is owned by another user" in reason


def test_a_root_in_a_directory_that_others_may_write_to_is_refused(base: Path) -> None:
    root = base / "shared/deep/root"
    root.mkdir(parents=True)
    (base / "shared").chmod(0o777)
    reason = others_who_may_write(root) or ""
    assert f"{str(root)!r} can be replaced by other users, who may write to" in reason
    assert f"{str(base / 'shared')!r} (owner " in reason
    (base / "shared").chmod(0o1777)  # sticky, as /tmp
    assert others_who_may_write(root) is None


@needs_root
def test_in_a_sticky_directory_the_owner_of_the_entry_counts(base: Path) -> None:
    root = base / "shared/theirs/root"
    root.mkdir(parents=True)
    (base / "shared").chmod(0o1777)
    os.chown(base / "shared/theirs", 1501, 1501)
    assert "can be replaced" in (others_who_may_write(root) or "")


def test_a_link_counts_as_the_directory_to_which_it_leads(base: Path) -> None:
    root = base / "root"
    root.mkdir()
    root.chmod(0o777)
    (base / "link").symlink_to(root)
    assert str(root) in (others_who_may_write(base / "link") or "")


def test_a_root_that_does_not_exist_cannot_be_checked(base: Path) -> None:
    assert "cannot be checked" in (others_who_may_write(base / "none") or "")
