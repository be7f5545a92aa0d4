"""The configuration of a repository, read as data.

git's configuration can name programs to run, files to read and addresses to contact. Therefore only
the settings listed here reach git; all others are only read.
"""

import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import nullcontext

from symphony.infrastructure.git.files.config_syntax import InvalidSyntax, parse_settings
from symphony.infrastructure.git.files.decoding import printable
from symphony.infrastructure.git.files.location import Location
from symphony.infrastructure.git.files.roots import real_path
from symphony.infrastructure.git.files.unreadable import broken, refused
from symphony.infrastructure.git.files.untrusted_directory import UntrustedDirectory

_MAX_CONFIG = 1 << 20  # bytes
_LARGE_CONFIG = 1 << 16  # bytes
# Python needs a second to parse the largest file. Several threads at the same time are not faster,
# and together they would block the event loop.
_large_config_lock = threading.Lock()
# These decide how git compares files with the index, and which files it counts.
_PASSED_ON = (
    "core.autocrlf",
    "core.checkstat",
    "core.eol",
    "core.filemode",
    "core.ignorecase",
    "core.precomposeunicode",
    "core.sparsecheckout",
    "core.sparsecheckoutcone",
    "core.symlinks",
    "core.trustctime",
    "diff.renames",
    "index.sparse",
    "status.renames",
    "status.showuntrackedfiles",
)
_HARMLESS_VALUE = re.compile(r"[A-Za-z0-9]{0,16}")
# Extensions that a reader need not know, or that concern only what the service does not read.
_IRRELEVANT_EXTENSIONS = {
    "noop",
    "partialclone",
    "preciousobjects",
    "relativeworktrees",
    "worktreeconfig",
}
_HASHES = {"sha1", "sha256"}

Values = dict[tuple[str, str], tuple[str, ...]]
"""The values of each setting, in order, by section and name."""


class Config:
    """The settings of a repository.

    A setting is named by its section and its name, `remote.origin.url`. Both are in lower case; the
    subsection between them has its original case. If git uses one value, it is usually the last.
    """

    def __init__(self, values: Values) -> None:
        self._values = values

    def last(self, setting: str) -> str | None:
        values = self.all(setting)
        return values[-1] if values else None

    def first(self, setting: str) -> str | None:
        return next(iter(self.all(setting)), None)

    def all(self, setting: str) -> tuple[str, ...]:
        section, _, name = setting.rpartition(".")
        return self._values.get((section, name), ())

    def is_true(self, setting: str) -> bool:
        return (self.last(setting) or "").lower() in {"true", "yes", "on", "1"}

    def subsections(self, section: str, name: str) -> Iterator[tuple[str, str]]:
        """Yield each subsection that has the setting `name`, with its first value."""
        for (full_section, setting), values in self._values.items():
            main_section, _, subsection = full_section.partition(".")
            if (main_section, setting) == (section, name) and subsection:
                yield subsection, values[0]

    def hash_name(self) -> str:
        """Return the object format.

        Raises: Unreadable when the repository format is not supported.
        """
        version = self.last("core.repositoryformatversion") or "0"
        if version not in {"0", "1"}:
            raise broken("The repository format is newer than the formats this service supports.")
        hash_name = "sha1"
        for (section, name), values in self._values.items() if version == "1" else ():
            main_section, _, subsection = section.partition(".")
            extension = f"{subsection}.{name}" if subsection else name
            value = values[-1]
            if main_section != "extensions" or extension in _IRRELEVANT_EXTENSIONS:
                continue
            if extension == "objectformat" and value in _HASHES:
                hash_name = value
            elif (extension, value) != ("refstorage", "files"):
                shown = printable(extension)[:50]
                raise broken(f"The repository uses an unsupported extension: {shown}.")
        return hash_name

    def passed_on(self) -> list[tuple[str, str]]:
        """Return the settings that are passed on to git, with harmless values."""
        settings = ((setting, self.last(setting)) for setting in _PASSED_ON)
        return [
            (setting, value)
            for setting, value in settings
            if value is not None and _HARMLESS_VALUE.fullmatch(value)
        ]


def read_config(location: Location) -> Config:
    """Read the configuration of a repository, without that of the user or the machine.

    Raises: Unreadable.
    """
    with (
        UntrustedDirectory(location.common_directory) as common,
        UntrustedDirectory(location.git_directory) as own,
    ):
        values = read_values(common, "config")
        if location.is_linked:
            # These describe the main working tree (git-worktree(1), "Configuration file").
            values = _without(values, (("core", "bare"), ("core", "worktree")))
        config = Config(values)
        if config.is_true("extensions.worktreeconfig"):
            config = Config({**values, **read_values(own, "config.worktree")})
    return config


def read_values(directory: UntrustedDirectory, name: str) -> Values:
    """Read a file in git's configuration syntax, without the files it includes.

    Raises: Unreadable.
    """
    values: dict[tuple[str, str], list[str]] = {}
    content = directory.read(name, _MAX_CONFIG) or b""
    try:
        with _large_config_lock if len(content) > _LARGE_CONFIG else nullcontext():
            for section, setting, value in parse_settings(content):
                values.setdefault((section, setting), []).append("true" if value is None else value)
    except InvalidSyntax:
        raise broken(f"{name} is not a valid git configuration file.") from None
    return {setting: tuple(each) for setting, each in values.items()}


def check_work_tree(config: Config, location: Location) -> None:
    """Raises: Unreadable (refused) when core.worktree names a directory other than this one."""
    work_tree = config.last("core.worktree")
    if work_tree is None or location.work_tree is None:
        return
    if real_path(location.git_directory / work_tree) != location.work_tree:
        raise refused("The setting core.worktree names another directory.")


def _without(values: Values, unwanted: Iterable[tuple[str, str]]) -> Values:
    return {setting: value for setting, value in values.items() if setting not in unwanted}
