"""Threads that can read no more than their work needs, so no link and no race leads elsewhere."""

import os
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TypeVar

from symphony.application.ports import Overloaded
from symphony.infrastructure.git.confinement.landlock import (
    Access,
    DetectLandlock,
    Landlock,
    Rule,
    detect_landlock,
)
from symphony.infrastructure.git.confinement.root_owners import is_replaceable
from symphony.infrastructure.git.confinement.system_paths import network_rules, system_rules
from symphony.infrastructure.git.process.threads import start_thread

T = TypeVar("T")


class ConfinementFailed(Exception):
    """The kernel offers the confinement, and refused it for this thread; no work was done."""

    def __init__(self, error: OSError) -> None:
        super().__init__(f"The confinement failed: {error.strerror or 'unknown error'}.")


class Confinement:
    """Runs work in confined threads that end with it; the caller waits, and is not confined.

    git inherits the confinement. Without Landlock the work runs in the thread of the caller.

    Work must not start threads that continue after it, nor submit anything to threads that exist
    longer, and must not import modules: see `docs/decisions/git.md`.
    """

    def __init__(
        self,
        roots: Iterable[Path],
        search_path: str,
        detect: DetectLandlock = detect_landlock,
    ) -> None:
        self._landlock = detect()
        self._search_path = search_path
        self._roots = tuple(map(_root_rule, roots))

    def run_in_roots(
        self, work: Callable[[], T], *, writable: Path | None = None, readable: Path | None = None
    ) -> T:
        """Run work that may read the git roots and `readable`, change `writable`, and no more.

        Raises: ConfinementFailed, Overloaded, and what the work raises.
        """
        own = _directories(readable, Access.READ) + _directories(writable, Access.CHANGE)
        return self._run(work, (*self._roots, *own), may_connect=False)

    def run_with_network(self, work: Callable[[], T], *, writable: Iterable[Path]) -> T:
        """Run work that may open connections and change the directories; it cannot read the roots.

        Raises: ConfinementFailed, Overloaded, and what the work raises.
        """
        own = [Rule(path, Access.CHANGE) for path in writable]
        return self._run(work, (*network_rules(), *own), may_connect=True)

    def _run(self, work: Callable[[], T], rules: tuple[Rule, ...], *, may_connect: bool) -> T:
        if self._landlock is None:
            return work()
        rules = (*system_rules(self._search_path), *rules)
        confined = partial(_confined, self._landlock, rules, work, may_connect=may_connect)
        try:
            future = start_thread(confined, "confined")
        except RuntimeError:  # the system starts no more threads
            raise Overloaded from None
        return future.result()


def _confined(
    landlock: Landlock, rules: tuple[Rule, ...], work: Callable[[], T], *, may_connect: bool
) -> T:
    try:
        landlock.restrict(rules, may_connect=may_connect)
    except OSError as error:
        raise ConfinementFailed(error) from error
    return work()


def _root_rule(root: Path) -> Rule:
    """Return the rule for a root, which the operator may replace at any time.

    When others can do so, only the directory that exists now is allowed.
    """
    real = Path(os.path.realpath(root))
    inode = _inode(real) if is_replaceable(real) else None
    return Rule(real, Access.READ, follow_links=False, inode=inode)


def _inode(directory: Path) -> tuple[int, int]:
    try:
        status = os.stat(directory)
    except OSError:
        return 0, 0  # of no directory
    return status.st_dev, status.st_ino


def _directories(path: Path | None, access: Access) -> tuple[Rule, ...]:
    return () if path is None else (Rule(path, access),)
