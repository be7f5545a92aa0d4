"""Reading of git's configuration files, with the files that they include."""

import os
import threading
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager, nullcontext

from symphony.infrastructure.git.files.config_syntax import InvalidSyntax, parse_settings
from symphony.infrastructure.git.files.roots import OpenedRoots, real_path
from symphony.infrastructure.git.files.stopping import CheckStopped
from symphony.infrastructure.git.files.unreadable import broken, refused
from symphony.infrastructure.git.files.untrusted_directory import UntrustedDirectory

_MAX_CONFIG = 1 << 20  # bytes
_LARGE_CONFIG = 1 << 16  # bytes
_SETTINGS_PER_CHECK = 1000
_LOCK_CHECK_INTERVAL = 0.1  # seconds
_MAX_INCLUDED = 20  # files of one configuration
_OF_THE_FORMAT = {"bare", "repositoryformatversion", "worktree"}
_INCLUDED = "A file that the configuration includes"
# Python needs a second to parse the largest file. Several threads at the same time are not faster,
# and together they would block the event loop.
_large_config_lock = threading.Lock()

Values = dict[tuple[str, str], tuple[str, ...]]
"""The values of each setting, in order, by section and name."""
_Setting = tuple[str, str, str]


def read_values(directory: UntrustedDirectory, name: str) -> Values:
    """Read a file in git's configuration syntax, without the files it includes.

    Raises: Unreadable, Stopped.
    """
    return _by_name(_read(directory, name))


def read_values_with_included(
    directory: UntrustedDirectory, name: str, roots: OpenedRoots
) -> Values:
    """Read a configuration file and those that it includes (git-config(1), "Includes").

    As in git, included settings take the place of the `include.path`, and a file that does not
    exist is none. Includes under a condition (`includeIf`) are not evaluated.

    Raises: Unreadable when a file is outside the git roots, or an include has a condition; Stopped.
    """
    return _by_name(_Included(roots).settings_of(directory, name))


class _Included:
    """The files that are included by one configuration; a cycle ends at the limit of files."""

    def __init__(self, roots: OpenedRoots) -> None:
        self._roots = roots
        self._left = _MAX_INCLUDED

    def settings_of(self, directory: UntrustedDirectory, name: str) -> Iterator[_Setting]:
        for section, setting, value in _read(directory, name):
            yield section, setting, value
            if setting != "path":
                continue
            if section == "include":
                yield from self._settings_at(directory, value)
            elif section.startswith("includeif."):
                raise broken(
                    "The configuration includes a file under a condition (includeIf), which this"
                    " service does not evaluate."
                )

    def _settings_at(self, directory: UntrustedDirectory, value: str) -> Iterator[_Setting]:
        if self._left == 0:
            raise broken(f"The configuration includes more than {_MAX_INCLUDED} files.")
        self._left -= 1
        path = os.path.expanduser(value)
        # git searches these in the directory of its own installation.
        real = None if path.startswith("%(prefix)") else real_path(directory.path / path)
        if real is None:
            raise refused(f"{_INCLUDED} is outside the git roots of this service.")
        try:
            parent = self._roots.open(real.parent, _INCLUDED)
        except (FileNotFoundError, NotADirectoryError):
            return
        with parent:
            for section, setting, included in self.settings_of(parent, real.name):
                if not _is_of_the_format(section, setting):
                    yield section, setting, included


def _is_of_the_format(section: str, setting: str) -> bool:
    """Return whether git reads a setting before it reads includes (git's setup.c)."""
    if section == "core":
        return setting in _OF_THE_FORMAT
    return section == "extensions" or section.startswith("extensions.")


def _read(directory: UntrustedDirectory, name: str) -> list[_Setting]:
    """Read the settings of one file; a setting without a value is "true"."""
    content = directory.read(name, _MAX_CONFIG) or b""
    settings: list[_Setting] = []
    check_stopped = directory.check_stopped
    try:
        with _one_at_a_time(check_stopped) if len(content) > _LARGE_CONFIG else nullcontext():
            for number, (section, setting, value) in enumerate(parse_settings(content)):
                if number % _SETTINGS_PER_CHECK == 0:
                    check_stopped()
                settings.append((section, setting, "true" if value is None else value))
    except InvalidSyntax:
        raise broken(f"{name} is not a valid git configuration file.") from None
    return settings


def _by_name(settings: Iterable[_Setting]) -> Values:
    values: dict[tuple[str, str], list[str]] = {}
    for section, setting, value in settings:
        values.setdefault((section, setting), []).append(value)
    return {setting: tuple(each) for setting, each in values.items()}


@contextmanager
def _one_at_a_time(check_stopped: CheckStopped) -> Generator[None]:
    """Hold the lock of large configurations. Raises: Stopped while it waits for the lock."""
    while not _large_config_lock.acquire(timeout=_LOCK_CHECK_INTERVAL):
        check_stopped()
    try:
        yield
    finally:
        _large_config_lock.release()
