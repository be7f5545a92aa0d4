"""The configuration of a repository, read as data.

git's configuration can name programs to run, files to read and addresses to contact. Therefore only
the settings listed here reach git; all others are only read.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from symphony.infrastructure.git.files.config_files import Values, read_values_with_included
from symphony.infrastructure.git.files.decoding import printable
from symphony.infrastructure.git.files.location import Location
from symphony.infrastructure.git.files.unreadable import broken
from symphony.infrastructure.git.files.user_config import UserConfig

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
_HASHES = {"sha1": 20, "sha256": 32}  # and the sizes of ids in bytes


class Config:
    """The settings of a repository.

    A setting is named by its section and its name, `remote.origin.url`. Both are in lower case; the
    subsection between them has its original case. If git uses one value, it is usually the last.

    `common` has those that all worktrees share, `user_lists` the contents of files that the
    configuration of the service's user names.
    """

    def __init__(
        self,
        values: Values,
        common: Values | None = None,
        user_lists: Mapping[str, bytes | None] | None = None,
    ) -> None:
        self._values = values
        self.common = values if common is None else common
        self.user_lists = user_lists or {}

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
        prefix = f"{section}."
        for (full_section, setting), values in self._values.items():
            # The cheap comparison first: thousands of settings may share one very long section.
            if setting == name and full_section.startswith(prefix) and full_section != prefix:
                yield full_section.removeprefix(prefix), values[0]

    def is_partial_clone(self) -> bool:
        """Return whether objects were left at a remote (git-clone(1), `--filter`)."""
        of_remotes = ("promisor", "partialclonefilter")
        return bool(self.all("extensions.partialclone")) or any(
            True for name in of_remotes for _ in self.subsections("remote", name)
        )

    def hash_name(self) -> str:
        """Return the object format.

        Raises: Unreadable when the repository format is not supported.
        """
        version = self.last("core.repositoryformatversion") or "0"
        if version not in {"0", "1"}:
            raise broken("The repository format is newer than the formats this service supports.")
        hash_name = "sha1"
        for (section, name), values in self._values.items() if version == "1" else ():
            if section != "extensions" and not section.startswith("extensions."):
                continue
            subsection = section.removeprefix("extensions").removeprefix(".")
            extension = f"{subsection}.{name}" if subsection else name
            value = values[-1]
            if extension in _IRRELEVANT_EXTENSIONS:
                continue
            if extension == "objectformat" and value in _HASHES:
                hash_name = value
            elif extension == "refstorage" and value == "reftable":
                raise broken("The repository stores its refs as reftable, which is not supported.")
            elif (extension, value) != ("refstorage", "files"):
                shown = printable(extension)[:50]
                raise broken(f"The repository uses an unsupported extension: {shown}.")
        return hash_name

    def id_size(self) -> int:
        """Return the size of an object id in bytes. Raises: Unreadable like `hash_name`."""
        return _HASHES[self.hash_name()]

    def passed_on(self) -> list[tuple[str, str]]:
        """Return the settings that are passed on to git, with harmless values."""
        settings = ((setting, self.last(setting)) for setting in _PASSED_ON)
        return [
            (setting, value)
            for setting, value in settings
            if value is not None and _HARMLESS_VALUE.fullmatch(value)
        ]


def read_config(
    location: Location, user: UserConfig | None = None, shared: Config | None = None
) -> Config:
    """Read the configuration of a repository, and what it takes from that of the service's user.

    `shared` is that of another worktree of the repository.

    Raises: Unreadable, Stopped.
    """
    roots = location.roots
    common = values = (
        read_values_with_included(location.common_directory, "config", roots)
        if shared is None
        else shared.common
    )
    if location.is_linked:
        # These describe the main working tree (git-worktree(1), "Configuration file").
        values = _without(values, (("core", "bare"), ("core", "worktree")))
    if Config(values).is_true("extensions.worktreeconfig"):
        own = read_values_with_included(location.git_directory, "config.worktree", roots)
        values = {**values, **own}
    if user is None:
        return Config(values, common)
    of_user = user.values(location.git_directory.path)
    return Config({**of_user, **values}, common, user.lists)


def _without(values: Values, unwanted: Iterable[tuple[str, str]]) -> Values:
    return {setting: value for setting, value in values.items() if setting not in unwanted}
