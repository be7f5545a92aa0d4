"""Another user of this machine, who swaps entries of a directory while a service reads them."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path

CO_USER = 1501  # a user id without an account
# Linux only: `renameat2` exchanges two names in one step, so both exist at every moment.
_SCRIPT = """
import ctypes, json, os, random, sys, time
pairs, pause, uid = json.load(sys.stdin)
libc = ctypes.CDLL(None)
if uid is not None:
    os.setgroups([]); os.setresgid(uid, uid, uid); os.setresuid(uid, uid, uid)
def exchange(one, other):
    libc.renameat2(-100, os.fsencode(one), -100, os.fsencode(other), 2)
print("swapping", flush=True)
while os.getppid() > 1:
    chosen = random.sample(pairs, min(len(pairs), random.choice((1, 1, 2))))
    time.sleep(random.random() ** 3 * pause)
    for pair in chosen:
        exchange(*pair)
    time.sleep(random.random() ** 3 * pause)
    for pair in reversed(chosen):
        exchange(*pair)
"""


def give_to_co_user(directory: Path) -> None:
    """Let the co-user own all that is in a directory. Without root, it stays our own."""
    if os.geteuid() == 0:
        for path in [directory, *directory.rglob("*")]:
            os.chown(path, CO_USER, CO_USER, follow_symlinks=False)


@contextmanager
def passable(directory: Path) -> Generator[None]:
    """Let the co-user pass through the directories above, until the block is left."""
    changed = dict[Path, int]()
    for above in directory.parents:
        status = above.stat()
        if status.st_uid == os.geteuid() and not status.st_mode & stat.S_IXOTH:
            changed[above] = stat.S_IMODE(status.st_mode)
            above.chmod(changed[above] | stat.S_IXOTH)
    try:
        yield
    finally:
        for above, mode in changed.items():
            above.chmod(mode)


@contextmanager
def swapping(pairs: Iterable[tuple[Path, Path]], pause: float) -> Generator[None]:
    """Let the co-user exchange pairs of paths, and exchange them back, until the block is left.

    It exchanges one or two pairs at a time, after up to `pause` seconds. Without root, the co-user
    is this user.
    """
    uid = CO_USER if os.geteuid() == 0 else None
    task = json.dumps([[[str(one), str(other)] for one, other in pairs], pause, uid])
    with subprocess.Popen(  # noqa: S603 - this Python, and a script of ours
        [sys.executable, "-c", _SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(task)
            process.stdin.close()
            process.stdout.readline()
            yield
        finally:
            process.kill()
