"""Mirrors: commits of remotes that are kept between syncs, so a sync fetches only new ones."""

import os
import shutil
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from symphony.domain.sync import SyncInProgress
from symphony.infrastructure.file_ownership import create_directory
from symphony.infrastructure.git.files.directory_lock import lock_directory


@dataclass(frozen=True, slots=True)
class MirrorLimits:
    """The limits of mirrors: `max_size` and `max_packs` of one mirror, `max_total` of all.

    Sizes are in bytes. A mirror is removed `max_age` seconds after its last sync.
    """

    max_size: int = 1 << 30
    max_packs: int = 50
    max_total: int = 10 << 30
    max_age: int = 7 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Mirror:
    """Commits of one remote, and the branches for which they were fetched.

    Objects are only ever added, and the list of branches is replaced in one step. So git or this
    process may be killed at any time: nothing in a mirror can be incomplete or stay locked.
    """

    path: Path

    @property
    def objects(self) -> Path:
        return self.path / "objects"

    def branches(self) -> bytes:
        """Return the list of branches, in the format of `packed-refs`."""
        try:
            return (self.path / "packed-refs").read_bytes()
        except FileNotFoundError:
            return b""

    def save_branches(self, branches: Mapping[str, str]) -> None:
        """Replace the list; `branches` has the commit of each ref."""
        lines = (f"{branches[name]} {name}\n" for name in sorted(branches, key=os.fsencode))
        new = self.path / "packed-refs.new"
        new.write_bytes(os.fsencode("".join(lines)))
        new.replace(self.path / "packed-refs")

    def size(self) -> int:
        """Return the size of the objects in bytes, including those of a running fetch."""
        total = 0
        for directory, _, names in os.walk(self.objects):
            for name in names:
                with suppress(FileNotFoundError):  # git renames a pack when it is complete
                    total += os.stat(os.path.join(directory, name)).st_size
        return total

    def prepare(self, limits: MirrorLimits) -> None:
        """Remove files of a killed fetch, and all objects when they exceed the limits."""
        self.remove_temporary_files()
        packs = len(list(self.objects.glob("pack/*.pack")))
        if packs > limits.max_packs or self.size() > limits.max_size:
            self.clear()
        (self.objects / "pack").mkdir(parents=True, exist_ok=True)

    def remove_temporary_files(self) -> None:
        """Remove the files of an interrupted fetch, and store the time of the last use."""
        for file in self.objects.glob("**/tmp_*"):
            file.unlink(missing_ok=True)
        os.utime(self.path)  # `remove_unused` reads it

    def clear(self) -> None:
        (self.path / "packed-refs").unlink(missing_ok=True)
        shutil.rmtree(self.objects, ignore_errors=True)
        (self.objects / "pack").mkdir(parents=True, exist_ok=True)


class Mirrors:
    """The mirrors of all repos, in a directory that the processes of this machine share."""

    def __init__(self, directory: Path, limits: MirrorLimits | None = None) -> None:
        self._directory = directory
        self._limits = limits or MirrorLimits()
        self._sizes = dict[Path, tuple[int, int]]()

    def mirror(self, repo_id: UUID) -> Mirror:
        return Mirror(self._directory / str(repo_id))

    @contextmanager
    def lock(self, repo_id: UUID) -> Generator[Mirror]:
        """Lock a repo's mirror until the block is left, or the process terminates.

        When the block is left, in whatever way, all mirrors together are within the limits again.

        Raises: SyncInProgress when it is locked, OSError when it cannot be stored.
        """
        mirror = self.mirror(repo_id)
        lock = _create_locked(mirror.path)
        try:
            mirror.prepare(self._limits)
            yield mirror
        finally:
            with suppress(OSError):
                mirror.remove_temporary_files()
            os.close(lock)
            self.remove_unused()

    def remove(self, repo_id: UUID) -> None:
        """Remove a repo's mirror unless it is locked, by a sync that will find the repo deleted."""
        _remove(self.mirror(repo_id).path)

    def remove_unused(self) -> None:
        """Remove mirrors without a recent sync, because their repo may be deleted.

        While all mirrors together are too large, the least recently used ones are removed as well.
        """
        now = time.time_ns()
        oldest = now - self._limits.max_age * 10**9
        total = 0
        sizes = dict[Path, tuple[int, int]]()
        for used_at, path in sorted(self._all(), reverse=True):
            known = self._sizes.get(path)
            sizes[path] = known if known and known[0] == used_at else (used_at, Mirror(path).size())
            total += sizes[path][1]
            if used_at > now:  # by a clock that was ahead: from now on it grows old as the others
                with suppress(OSError):
                    os.utime(path)
            if used_at < oldest or total > self._limits.max_total:
                _remove(path)
        self._sizes = sizes

    def _all(self) -> Iterator[tuple[int, Path]]:
        """Yield the time of the last use and the path of each mirror."""
        with suppress(FileNotFoundError), os.scandir(self._directory) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):  # removed by another process
                    yield entry.stat(follow_symlinks=False).st_mtime_ns, Path(entry.path)


def _create_locked(path: Path) -> int:
    """Create a mirror's directory if needed, and lock it. Raises: SyncInProgress, OSError."""
    while True:
        create_directory(path)
        try:
            return lock_directory(path)
        except BlockingIOError:
            raise SyncInProgress from None
        except FileNotFoundError:
            pass  # another process removed it before it was locked


def _remove(path: Path) -> None:
    """Remove a mirror unless it is locked, or does not exist."""
    with suppress(OSError):
        lock = lock_directory(path)
        try:
            shutil.rmtree(path, ignore_errors=True)
        finally:
            os.close(lock)
