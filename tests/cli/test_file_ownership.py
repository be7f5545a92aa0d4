"""No command uses a key, a database or a directory that another user can have planted."""

import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from symphony import logs
from tests.cli.conftest import Symphony, refusal
from tests.infrastructure.owners import give_away

DATABASE = "symphony.sqlite3"
KEY = f"{DATABASE}.key"
MASTER_KEY = f"{DATABASE}.master-key"
LOCKS = (f"{DATABASE}.migration-lock", f"{DATABASE}.master-key.lock")
BESIDE = tuple(f"{DATABASE}{ending}" for ending in ("", "-wal", "-shm", "-journal"))
KNOWN = b"a key that the other user knows, too"

DB_COMMANDS = (("db", "upgrade"), ("db", "check"))
COMMANDS = (
    ("serve", "--workers", "2"),
    ("user", "create", "eve", "--email", "eve@example.org", "--password-stdin"),
    ("user", "list"),
    ("token", "create", "ada", "--name", "laptop", "--scope", "read"),
    ("vault", "rewrap"),
)


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A place for a data directory that a service has used."""
    return tmp_path_factory.mktemp("used") / "data"


@pytest.fixture
def directory(used: Path, data_dir: Path, symphony: Symphony) -> Path:
    """The data directory of these commands, with a database and keys."""
    if not used.exists():
        assert symphony("user", "list", DATA_DIR=str(used)).status == 0
    shutil.copytree(used, data_dir)
    data_dir.chmod(0o700)
    return data_dir


def modes(directory: Path) -> dict[str, int]:
    return {each.name: stat.S_IMODE(each.stat().st_mode) for each in directory.iterdir()}


def planted(file: Path) -> None:
    file.write_bytes(KNOWN)
    file.chmod(0o644)


def test_a_key_that_another_user_planted_before_the_first_start_is_not_used(
    symphony: Symphony, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data_dir.mkdir(mode=0o700)
    planted(data_dir / KEY)
    give_away(data_dir / KEY, monkeypatch)
    if os.geteuid() != 0:
        give_away(data_dir, monkeypatch)
    for command in COMMANDS:
        line = refusal(symphony(*command, stdin="a long password\n"))
        assert str(data_dir) in line
        assert "is owned by another user" in line
    assert (data_dir / KEY).read_bytes() == KNOWN


@pytest.mark.parametrize("name", [KEY, pytest.param(MASTER_KEY, marks=pytest.mark.long)])
def test_a_key_that_others_can_write_or_a_link_in_its_place_is_refused_by_every_command(
    name: str, symphony: Symphony, directory: Path, tmp_path: Path
) -> None:
    key = directory / name
    key.chmod(0o660)
    for command in COMMANDS:
        line = refusal(symphony(*command, stdin="a long password\n"))
        assert f"{key} is writable by other users" in line
        assert f"`chmod go-w {key}`" in line
    key.chmod(0o600)
    key.rename(tmp_path / "elsewhere")
    key.symlink_to(tmp_path / "elsewhere")
    line = refusal(symphony(*COMMANDS[0]))
    assert f"{key} is a symbolic link" in line


def loose(file: Path, _directory: Path) -> None:
    file.touch()
    file.chmod(0o666)


def linked(file: Path, directory: Path) -> None:
    file.unlink(missing_ok=True)
    file.symlink_to(directory / "elsewhere")


@pytest.mark.parametrize(
    ("spoil", "name"),
    [
        *[(loose, name) for name in BESIDE],
        *[(linked, name) for name in (*BESIDE[1:], *LOCKS)],  # the database itself may be a link
    ],
)
def test_a_database_file_or_a_lock_that_others_can_change_is_refused(
    spoil: Callable[[Path, Path], None], name: str, symphony: Symphony, directory: Path
) -> None:
    spoil(directory / name, directory)
    assert refusal(symphony("db", "check")).startswith(f"{directory / name} is ")


@pytest.mark.long
@pytest.mark.parametrize("mode", [0o777, 0o770, 0o2775, 0o1777])
def test_a_data_directory_that_others_can_write_is_refused_by_every_command(
    mode: int, symphony: Symphony, directory: Path
) -> None:
    directory.chmod(mode)
    for command in (*COMMANDS, *DB_COMMANDS) if mode == 0o777 else COMMANDS[:1]:
        line = refusal(symphony(*command, stdin="a long password\n"))
        assert line.startswith(f"{directory} is writable by other users (")
        assert f"mode {mode:04o}" in line


@pytest.mark.long
def test_a_database_in_a_directory_that_everyone_shares_is_refused(
    symphony: Symphony, tmp_path: Path
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    line = refusal(symphony("serve", DATABASE_URL=f"sqlite:///{shared}/own.db"))
    assert f"Use a directory of its own, such as {shared}/symphony." in line
    assert list(shared.iterdir()) == []
    assert symphony("db", "upgrade", DATABASE_URL=f"sqlite:///{shared}/own/own.db").status == 0


def test_files_from_before_get_the_mode_of_new_ones(
    symphony: Symphony, directory: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in (*BESIDE, *LOCKS, KEY, MASTER_KEY):
        (directory / name).touch()
        (directory / name).chmod(0o664 if name in LOCKS else 0o644)
    for expected in ({*BESIDE, KEY, MASTER_KEY}, set[str]()):
        assert symphony("user", "list").status == 0
        logs.finish()
        lines = capfd.readouterr().err.splitlines()
        assert all("was readable by other users (owner " in line for line in lines)
        assert {line.split()[2].rpartition("/")[2] for line in lines} == expected
    assert set(modes(directory).values()) == {0o600}


def test_all_files_are_created_for_their_owner_only_whatever_the_umask(
    symphony: Symphony, data_dir: Path
) -> None:
    former = os.umask(0)
    try:
        directory = data_dir / "in" / "new"
        assert symphony("vault", "rewrap", DATA_DIR=str(directory)).status == 0
    finally:
        os.umask(former)
    assert {LOCKS[0], LOCKS[1], KEY, MASTER_KEY, DATABASE} <= modes(directory).keys()
    assert set(modes(directory).values()) == {0o600}
    assert set(modes(data_dir).values()) == {0o700}


def test_a_database_may_be_a_link_into_another_directory_of_the_same_user(
    symphony: Symphony, directory: Path, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir(mode=0o700)
    (directory / DATABASE).rename(disk / "large.sqlite3")
    (directory / DATABASE).symlink_to(disk / "large.sqlite3")
    assert symphony("db", "check").status == 0
    disk.chmod(0o777)
    assert str(disk) in refusal(symphony("db", "check"))
    disk.chmod(0o700)
    (disk / "large.sqlite3-wal").touch()
    (disk / "large.sqlite3-wal").chmod(0o666)
    assert "large.sqlite3-wal is writable" in refusal(symphony("db", "check"))
    (directory / DATABASE).unlink()
    (directory / DATABASE).symlink_to(directory / DATABASE)
    assert "is a symbolic link" in refusal(symphony("db", "check"))


def test_the_commits_that_syncs_have_fetched_are_closed_or_refused(
    symphony: Symphony, directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dev").mkdir()
    roots = {"GIT_ROOTS": str(tmp_path / "dev")}
    mirrors = directory / "mirrors"
    mirrors.mkdir()
    mirrors.chmod(0o775)  # as by an earlier version with the umask 002
    assert symphony("user", "list", **roots).status == 0
    assert stat.S_IMODE(mirrors.stat().st_mode) == 0o700
    (mirrors / "planted").mkdir(mode=0o777)
    (mirrors / "planted").chmod(0o777)
    assert str(mirrors / "planted") in refusal(symphony("user", "list", **roots))
    (mirrors / "planted").chmod(0o700)
    if os.geteuid() == 0:
        give_away(mirrors / "planted", monkeypatch)
        assert str(mirrors / "planted") in refusal(symphony("user", "list", **roots))
