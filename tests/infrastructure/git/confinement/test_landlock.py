"""A confined thread reads and changes what its work needs, and nothing else."""

import errno
import os
import pwd
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.support.git_repository import Repository
from symphony.application.ports import Overloaded
from symphony.domain.git.status import RepoState
from symphony.infrastructure.git.confinement.confinement import Confinement, ConfinementFailed
from symphony.infrastructure.git.confinement.landlock import Landlock, detect_landlock
from symphony.infrastructure.git.status.local_git import LocalGit
from tests.support.checkout import TOP
from tests.support.inspections import needs_landlock
from tests.support.repositories import USER

pytestmark = needs_landlock


@pytest.fixture
def confinement(root: Path) -> Confinement:
    return Confinement([root], os.environ["PATH"])


def error_of(work: Callable[[], object]) -> str | None:
    """Return the name of the system's error; None when the work succeeds."""
    try:
        work()
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    return None


def test_work_in_the_roots_reads_them_and_changes_only_its_own_directory(
    confinement: Confinement, root: Path, outside: Path, tmp_path: Path
) -> None:
    for directory in (root, outside):
        (directory / "file").write_text("content")
    (root / "link").symlink_to(outside)
    own = tmp_path / "own"
    own.mkdir()

    def work() -> dict[str, str | None]:
        (own / "directory").mkdir()
        (own / "directory/file").write_text("content")
        (own / "directory/file").rename(own / "file")
        (own / "directory").rmdir()
        return {
            "read": error_of((root / "file").read_bytes),
            "list": error_of(lambda: os.listdir(root)),
            "write": error_of(lambda: (root / "file").write_text("")),
            "create": error_of((root / "new").touch),
            "remove": error_of((root / "file").unlink),
            "read outside": error_of((outside / "file").read_bytes),
            "list outside": error_of(lambda: os.listdir(outside)),
            "follow a link": error_of((root / "link/file").read_bytes),
            "read the environment": error_of(Path("/proc/self/environ").read_bytes),
            "execute what it wrote": error_of(lambda: os.execv(own / "file", ["file"])),  # noqa: S606
        }

    (root / "file").chmod(0o755)
    allowed = {"read", "list"}
    errors = confinement.run_in_roots(work, writable=own)
    assert {name: error for name, error in errors.items() if error != "EACCES"} == dict.fromkeys(
        allowed
    )
    assert (outside / "file").read_text() == "content"  # this thread is free


def test_work_in_the_roots_reaches_no_network_and_work_with_it_reads_no_root(
    confinement: Confinement, root: Path, tmp_path: Path
) -> None:
    landlock = detect_landlock()
    if landlock is None or landlock.abi < 4:
        pytest.skip("Landlock refuses TCP from ABI 4 on")
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()

        def connect() -> None:
            socket.create_connection(address).close()

        def work() -> tuple[str | None, str | None]:
            return error_of(connect), error_of(lambda: os.listdir(root))

        assert confinement.run_in_roots(work) == ("EACCES", None)
        assert confinement.run_with_network(work, writable=[tmp_path / "none"]) == (None, "EACCES")


def test_the_home_of_a_user_is_known_in_a_confined_thread(confinement: Confinement) -> None:
    name = pwd.getpwuid(0).pw_name
    home = confinement.run_in_roots(lambda: os.path.expanduser(f"~{name}"))
    assert home == pwd.getpwuid(0).pw_dir


def test_no_confined_thread_outlives_its_work(confinement: Confinement) -> None:
    started = confinement.run_in_roots(threading.current_thread)
    started.join(10)
    assert not started.is_alive()
    assert os.listdir("/")  # neither the caller nor the next threads are confined
    free = list[str]()
    thread = threading.Thread(target=lambda: free.extend(os.listdir("/")))
    thread.start()
    thread.join()
    assert free


def test_a_root_that_is_replaced_by_the_operator_is_read(
    confinement: Confinement, root: Path
) -> None:
    root.rename(root.with_name("old"))
    root.mkdir()
    assert confinement.run_in_roots(lambda: os.listdir(root)) == []


def test_a_root_that_is_replaced_by_a_link_is_not_read(
    confinement: Confinement, root: Path, outside: Path
) -> None:
    root.rmdir()
    root.symlink_to(outside)
    assert confinement.run_in_roots(lambda: error_of(lambda: os.listdir(root))) == "EACCES"


def test_a_root_that_others_can_replace_is_read_only_while_it_is_the_same(
    root: Path, outside: Path
) -> None:
    root.parent.chmod(0o777)
    confinement = Confinement([root], os.environ["PATH"])
    assert confinement.run_in_roots(lambda: os.listdir(root)) == []
    root.rename(root.with_name("old"))
    outside.rename(root)
    assert confinement.run_in_roots(lambda: error_of(lambda: os.listdir(root))) == "EACCES"


async def test_an_inspection_that_cannot_be_confined_is_not_done(
    root: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = Repository.with_commits(root / "repo", "file")
    git = LocalGit([root], detect=lambda: Landlock(abi=1))

    def restrict(*_: object, **__: object) -> None:
        raise OSError(errno.E2BIG, "Argument list too long")

    monkeypatch.setattr(Landlock, "restrict", restrict)
    status = await git.status(USER, str(repo.path))
    git.close()
    assert status.state == RepoState.ERROR
    assert status.reason == "The confinement failed: Argument list too long."


@pytest.mark.parametrize("failing", ["create", "prctl", "restrict"])
def test_each_step_of_the_confinement_that_fails_is_an_error(
    failing: str, confinement: Confinement, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A seventeenth restriction fails in the kernel; the other steps fail by wrong arguments."""
    module = sys.modules[Landlock.__module__]
    names = {"create": "_CREATE_RULESET", "prctl": "_NO_NEW_PRIVS", "restrict": "_RESTRICT_SELF"}
    monkeypatch.setattr(module, names[failing], 10_000)
    done = list[str]()
    with pytest.raises(ConfinementFailed):
        confinement.run_in_roots(lambda: done.append("work"))
    assert done == []


def test_a_system_that_starts_no_more_threads_is_an_overload(
    confinement: Confinement, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    with pytest.raises(Overloaded):
        confinement.run_in_roots(lambda: None)


_AS_ORDINARY_USER = """
import asyncio, os, sys, threading
from pathlib import Path
from uuid import UUID
from symphony.infrastructure.git.confinement.landlock import detect_landlock
from symphony.infrastructure.git.discovery.finder import LocalFinder
from symphony.infrastructure.git.status.local_git import LocalGit
from tests.infrastructure.git.confinement.imports import recorded_imports
root, repo = map(Path, sys.argv[1:])
if os.geteuid() == 0:
    os.setgroups([]); os.setresgid(1502, 1502, 1502); os.setresuid(1502, 1502, 1502)
assert detect_landlock() is not None
async def main():
    git, finder = LocalGit([root]), LocalFinder([root])
    status = await git.status(UUID(int=1), str(repo))
    found = await finder.find(UUID(int=1), str(root), 5, [])
    missing = await git.status(UUID(int=1), str(repo) + "-missing")
    git.close(); finder.close()
    print(status.state, status.head.subject, len(found.found), missing.state)
    print("imported:", *sorted(recorded_imports))
asyncio.run(main())
"""


@pytest.mark.long
def test_an_ordinary_user_is_confined_and_no_module_is_imported_in_a_confined_thread(
    root: Path, temporary: Path
) -> None:
    repo = Repository.with_commits(root / "repo", "file")
    repo.git("update-index", "--refresh")
    for directory in (root, *root.parents):
        if directory.stat().st_uid == os.geteuid() and directory != Path("/"):
            directory.chmod(directory.stat().st_mode | 0o055)
    temporary.chmod(0o777)
    done = subprocess.run(  # noqa: S603 - this Python
        [sys.executable, "-c", _AS_ORDINARY_USER, str(root), str(repo.path)],
        env={**os.environ, "TMPDIR": str(temporary)},
        cwd=TOP,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "clean Change file 1 missing\nimported:\n", done.stderr


_DETECT = """
import sys
from symphony.infrastructure.git.confinement.landlock import detect_landlock
from scripts.support.without_landlock import refuse_landlock
refuse_landlock(int(sys.argv[1]), tuple(map(int, sys.argv[2].split(","))))
print(detect_landlock())
"""


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM])
@pytest.mark.parametrize("calls", ["444,445,446", "446"])
@pytest.mark.long
def test_a_kernel_or_container_that_refuses_landlock_is_detected(number: int, calls: str) -> None:
    done = subprocess.run(  # noqa: S603 - this Python
        [sys.executable, "-c", _DETECT, str(number), calls],
        cwd=TOP,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "None\n"
