"""What is kept of remotes between two syncs, so that only what is new has to be fetched."""

import os
import shutil
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from symphony.domain.sync import SyncInProgress
from symphony.infrastructure.git.process.temporary_directory import locked

MAX_SIZE = 1 << 30  # bytes
MAX_TOTAL = 10 << 30  # bytes of all together
_MAX_PACKS = 50
_KEPT = 7 * 24 * 3600  # seconds since the last sync


@dataclass(frozen=True, slots=True)
class Mirror:
    """Commits of one remote, and which branches they were fetched for.

    Only objects are ever added to it, and the list of branches is replaced in one step. So it does
    not matter when git, or this process, is killed: nothing in it can be half done or stay locked.
    """

    path: Path

    @property
    def objects(self) -> Path:
        return self.path / "objects"

    def branches(self) -> bytes:
        """The list that was kept, in the form of `packed-refs`."""
        try:
            return (self.path / "packed-refs").read_bytes()
        except FileNotFoundError:
            return b""

    def keep(self, branches: Mapping[str, str]) -> None:
        lines = (f"{branches[name]} {name}\n" for name in sorted(branches, key=os.fsencode))
        new = self.path / "packed-refs.new"
        new.write_bytes(os.fsencode("".join(lines)))
        new.replace(self.path / "packed-refs")

    def size(self) -> int:
        """Bytes, with what is just being fetched."""
        total = 0
        for folder, _, names in os.walk(self.objects):
            for name in names:
                with suppress(FileNotFoundError):  # git gives a pack its name when it is whole
                    total += os.stat(os.path.join(folder, name)).st_size
        return total

    def prepare(self) -> None:
        """Removes what a fetch that was killed has left, and everything if that is too much."""
        self.tidy()
        packs = len(list(self.objects.glob("pack/*.pack")))
        if packs > _MAX_PACKS or self.size() > MAX_SIZE:
            self.empty()
        (self.objects / "pack").mkdir(parents=True, exist_ok=True)

    def tidy(self) -> None:
        """Removes what a fetch that was cut off has left."""
        for rest in self.objects.glob("**/tmp_*"):
            rest.unlink(missing_ok=True)
        os.utime(self.path)  # by which `sweep` knows when it was used

    def empty(self) -> None:
        (self.path / "packed-refs").unlink(missing_ok=True)
        shutil.rmtree(self.objects, ignore_errors=True)
        (self.objects / "pack").mkdir(parents=True, exist_ok=True)


class Mirrors:
    """The mirrors of all repos, in a folder that the processes of this machine share."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._sizes = dict[Path, tuple[int, int]]()

    def of(self, repo_id: UUID) -> Mirror:
        return Mirror(self._folder / str(repo_id))

    @contextmanager
    def held(self, repo_id: UUID) -> Generator[Mirror]:
        """A repo's mirror, which nobody else has until the block ends, or the process does.

        However it ends, there is no more of all mirrors then than is allowed.

        Raises: SyncInProgress when somebody has it, OSError when it cannot be kept.
        """
        mirror = self.of(repo_id)
        lock = _made(mirror.path)
        try:
            mirror.prepare()
            yield mirror
        finally:
            with suppress(OSError):
                mirror.tidy()
            os.close(lock)
            self.sweep()

    def remove(self, repo_id: UUID) -> None:
        """Removes a repo's mirror, unless somebody uses it, who will find the repo gone."""
        _remove(self.of(repo_id).path)

    def sweep(self) -> None:
        """Removes the mirrors that nobody uses any more, for their repo is gone or forgotten, and
        those that were used longest ago, if all together have become too large."""
        before = time.time_ns() - _KEPT * 10**9
        total = 0
        sizes = dict[Path, tuple[int, int]]()
        for used, path in sorted(self._all(), reverse=True):
            known = self._sizes.get(path)
            sizes[path] = known if known and known[0] == used else (used, Mirror(path).size())
            total += sizes[path][1]
            if used < before or total > MAX_TOTAL:
                _remove(path)
        self._sizes = sizes

    def _all(self) -> Iterator[tuple[int, Path]]:
        """Each mirror, with when it was used."""
        with suppress(FileNotFoundError), os.scandir(self._folder) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):  # others sweep as well
                    yield entry.stat(follow_symlinks=False).st_mtime_ns, Path(entry.path)


def _made(path: Path) -> int:
    """A lock on a mirror's folder, which is there then. Raises: SyncInProgress, OSError."""
    while True:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            return locked(path)
        except BlockingIOError:
            raise SyncInProgress from None
        except FileNotFoundError:
            pass  # somebody has swept it away before it was locked


def _remove(path: Path) -> None:
    """Unless it is in use, or gone."""
    with suppress(OSError):
        lock = locked(path)
        try:
            shutil.rmtree(path, ignore_errors=True)
        finally:
            os.close(lock)
