"""Another user of the machine swaps directories, with Landlock and without."""

import errno
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from scripts.demos.support.demo_server import running_server
from scripts.demos.support.stage import Stage
from scripts.demos.support.user import sign_up
from scripts.demos.support.workspace import Workspace
from scripts.support.co_user import give_to_co_user, passable, swapping
from scripts.support.git_repository import Repository
from scripts.support.service_process import SYMPHONY

TOP = Path(__file__).parents[3]
SWAPPED_FOR = 4  # seconds
PAUSE = 0.2  # seconds at most between two swaps


def swapped_directories(stage: Stage, base: Path) -> None:
    stage.step("Another user of the machine swaps a directory while the service reads it")
    base.mkdir()
    shared, private = base / "shared", base / "private"
    Repository.with_commits(shared / "team/project", "a")
    private.mkdir(mode=0o700)
    diary = Repository.created(private / "project")
    diary.commit("diary")
    diary.git("branch", "--move", "secret-plans")
    (shared / "spare").symlink_to(private)
    git_link = shared / "team/git-spare"
    git_link.symlink_to(diary.git_directory)
    give_to_co_user(shared)
    shared.chmod(0o777)
    stage.run(
        "ls -ld private shared shared/spare",
        "drwx------ private\ndrwxrwxrwx shared\nlrwxrwxrwx shared/spare -> /…/private",
    )
    stage.say(
        "The other user exchanges shared/team and the link shared/spare, and shared/team/project/"
        ".git and a link to the private one, many times a second, with renameat2(2). Each path is"
        " inside the git root when it is checked, and may lead outside when it is opened."
    )
    swaps = [(shared / "team", shared / "spare"), (shared / "team/project/.git", git_link)]
    with (
        passable(shared),
        running_server("--git-root", str(shared)) as server,
        server.client() as client,
    ):
        ready = stage.exchange(client.get("/health/ready"))
        ada = sign_up(client, "ada")
        team = Workspace(ada, ada.create_workspace("Team"))
        team.register(shared / "team/project")
        states = Counter[str]()
        leaks = 0
        with swapping(swaps, PAUSE):
            deadline = time.monotonic() + SWAPPED_FOR
            while time.monotonic() < deadline:
                status = team.status(shared / "team/project")
                states[f"{status['state']}: {status['reason'] or status['branch']}"] += 1
                leaks += "secret-plans" in str(status) or "diary" in str(status)
    stage.table("status", "how often", rows=[(each, states[each]) for each in sorted(states)])
    stage.why(
        "the service may read more than its users: its own keys, other homes, a mount. The kernel"
        " (Landlock) holds each inspection, and the git that it starts, inside the git roots, so"
        " it does not matter what a path leads to when it is opened."
    )
    stage.expect(
        "the kernel confines inspections",
        ready.json()["details"]["git_confinement"] == "landlock",
    )
    stage.expect(f"of {states.total()} answers, none tells of the private repository", leaks == 0)
    stage.expect("some swaps were in time", len(states) > 1)


def without_landlock(stage: Stage, base: Path) -> None:
    shared = base / "shared"
    shared.mkdir(parents=True)
    shared.chmod(0o777)
    stage.step("Without Landlock, the service refuses a root that other users may write to")
    command = [SYMPHONY, "serve", "--port", "0", "--git-root", str(shared)]
    refused = subprocess.run(  # noqa: S603 - our own programs
        [sys.executable, "-m", "scripts.support.without_landlock", str(errno.ENOSYS), *command],
        env={**os.environ, "SYMPHONY_DATA_DIR": str(base / "data")},
        cwd=TOP,
        capture_output=True,
        text=True,
        check=False,
    )
    stage.run(
        "symphony serve --git-root /…/shared    # older kernel, macOS, some containers",
        refused.stderr.replace(str(base), "/…"),
    )
    stage.why(
        "there, nothing can hold git inside the roots while others swap its directories. An"
        " operator who trusts these people sets SYMPHONY_GIT_TRUST_ROOTS=true."
    )
    stage.expect("the start ends with status 2", refused.returncode == 2)
    stage.expect("one line names the root, its mode and the remedy",
                 "mode 0777" in refused.stderr and refused.stderr.count("\n") == 1)  # fmt: skip
