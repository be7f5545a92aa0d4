"""The git configuration of the service's own user: what of it decides what `git status` prints.

Only the owner and root may write to these files: a list of ignored files hides files. They are
read in a thread that is not confined to the git roots.
"""

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from symphony.infrastructure.file_ownership import (
    is_trusted_owner,
    is_writable_by_others,
    owner_and_mode,
    replaceable_in,
)
from symphony.infrastructure.git.files.conditions import Condition
from symphony.infrastructure.git.files.config_syntax import InvalidSyntax, parse_settings
from symphony.infrastructure.git.files.unreadable import broken

EXCLUDES = "core.excludesfile"
ATTRIBUTES = "core.attributesfile"
_USED = {
    *(EXCLUDES, ATTRIBUTES),
    *("core.autocrlf", "core.checkstat", "core.eol", "core.filemode", "core.ignorecase"),
    *("core.precomposeunicode", "core.symlinks", "core.trustctime"),
    *("diff.ignoresubmodules", "diff.renames", "status.renames", "status.showuntrackedfiles"),
}
_SYSTEM = Path("/etc/gitconfig")
_MAX_FILES = 100
_MAX_SIZE = 1 << 20  # bytes
# Non-blocking, in case it is a FIFO.
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY


class UserConfigUnusable(Exception):
    """A file cannot be used; the message is one clause that names it."""


@dataclass(frozen=True, slots=True)
class _Setting:
    name: str
    value: str
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class UserConfig:
    """Settings in the order in which git reads them, and the lists of ignored files and of
    attributes that they name: `lists` has the contents by absolute path, None when there is none.
    """

    _settings: tuple[_Setting, ...] = ()
    lists: Mapping[str, bytes | None] = field(default_factory=dict[str, "bytes | None"])

    def values(self, git_directory: Path) -> dict[tuple[str, str], tuple[str, ...]]:
        """Return the settings that hold for a repository, by section and name.

        Raises: Unreadable when they depend on a condition that is not evaluated.
        """
        values = dict[tuple[str, str], tuple[str, ...]]()
        for setting in self._settings:
            holds = [condition.holds(git_directory) for condition in setting.conditions]
            if False in holds:
                continue
            if None in holds:
                raise broken(
                    f"The git configuration of the service's user sets {setting.name} under a"
                    " condition (includeIf) that this service does not evaluate."
                )
            section, _, name = setting.name.partition(".")
            values[section, name] = (setting.value,)
        return values


def read_user_config() -> UserConfig:
    """Read the files of the machine and of the user, with those that they include, as git does.

    Raises: UserConfigUnusable.
    """
    home = _home()
    directory = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config").absolute() / "git"
    settings = [
        _Setting(EXCLUDES, str(directory / "ignore")),
        _Setting(ATTRIBUTES, str(directory / "attributes")),
    ]
    files = _Files()
    for file in (_SYSTEM, directory / "config", home / ".gitconfig"):
        settings += files.settings_of(file)
    named = {s.value for s in settings if s.name in {EXCLUDES, ATTRIBUTES} and s.value}
    paths = {os.path.expanduser(value) for value in named}
    lists = {path: _read(Path(path)) for path in sorted(paths) if os.path.isabs(path)}
    return UserConfig(tuple(settings), lists)


class _Files:
    """The files of one configuration; a cycle ends at the limit of files."""

    def __init__(self) -> None:
        self._left = _MAX_FILES

    def settings_of(self, file: Path, conditions: tuple[Condition, ...] = ()) -> Iterator[_Setting]:
        """Raises: UserConfigUnusable."""
        if self._left == 0:
            raise UserConfigUnusable(f"more than {_MAX_FILES} files are included")
        self._left -= 1
        try:
            for section, name, value in parse_settings(_read(file) or b""):
                text = "true" if value is None else value
                if f"{section}.{name}" in _USED:
                    yield _Setting(f"{section}.{name}", text, conditions)
                elif name == "path" and (section == "include" or section.startswith("includeif.")):
                    included = file.parent / os.path.expanduser(text)
                    keyword, _, condition = section.partition(".")
                    real = Path(os.path.realpath(file))
                    own = (Condition(condition, real.parent),) if keyword != "include" else ()
                    yield from self.settings_of(included, conditions + own)
        except InvalidSyntax:
            raise UserConfigUnusable(f"{file} is not a valid git configuration file") from None


def _home() -> Path:
    home = os.path.expanduser("~")
    if not os.path.isabs(home):
        raise UserConfigUnusable("the home directory of this user is unknown")
    return Path(home)


def _read(file: Path) -> bytes | None:
    """Read a file that nobody but this user and root can have written, or put there.

    Symbolic links are followed, which programs that manage dotfiles create. Returns None when
    nothing exists there.

    Raises: UserConfigUnusable.
    """
    if str(file) == os.devnull:
        return b""
    real = Path(os.path.realpath(file))
    try:
        descriptor = os.open(real, _FLAGS)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise _unreadable(file, error) from None
    with open(descriptor, "rb") as opened:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise UserConfigUnusable(f"{file} is not a file")
        if not is_trusted_owner(status) or is_writable_by_others(status):
            raise UserConfigUnusable(f"other users may write to {file} ({owner_and_mode(status)})")
        if status.st_size > _MAX_SIZE:
            raise UserConfigUnusable(f"{file} is larger than {_MAX_SIZE:,} bytes")
        try:
            parent = replaceable_in(real) or (replaceable_in(file) if file != real else None)
            content = opened.read(_MAX_SIZE + 1)
        except OSError as error:
            raise _unreadable(file, error) from None
    if parent is not None:
        raise UserConfigUnusable(
            f"other users may replace {file}, since they may write to {parent}"
        )
    return content


def _unreadable(file: Path, error: OSError) -> UserConfigUnusable:
    return UserConfigUnusable(f"{file} cannot be read ({error.strerror})")
