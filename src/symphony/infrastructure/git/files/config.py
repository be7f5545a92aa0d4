"""A repository's configuration: read as data, of which little is obeyed.

What git's configuration can say includes programs to run, files to read and addresses to call. So
what is obeyed is listed here, and everything else is only looked at.
"""

import os
import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import nullcontext

from symphony.infrastructure.git.files.config_syntax import NotConfiguration, settings
from symphony.infrastructure.git.files.decoding import text
from symphony.infrastructure.git.files.folder import Folder
from symphony.infrastructure.git.files.location import Location
from symphony.infrastructure.git.files.roots import real_path
from symphony.infrastructure.git.files.unreadable import broken, refused

_MAX_CONFIG = 1 << 20  # bytes
_LARGE = 1 << 16
# It takes Python a second to read the largest, and several threads that do so are no quicker than
# one: all they do together is to keep the event loop waiting.
_one_at_a_time = threading.Lock()
# How files are compared with the index, and what the user wants to have counted.
_OBEYED = (
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
# Extensions that a reader need not know of, or that concern only what is not read here.
_WITHOUT_CONSEQUENCE = {
    "noop",
    "partialclone",
    "preciousobjects",
    "relativeworktrees",
    "worktreeconfig",
}
_HASHES = {"sha1", "sha256"}

Values = dict[tuple[str, str], tuple[str, ...]]


class Config:
    """The values of each setting, in order; mostly the last one counts where git wants one.

    A setting is called by its section and its key, `remote.origin.url`. These are in lower case,
    what stands between them is as it was written.
    """

    def __init__(self, values: Values) -> None:
        self._values = values

    def last(self, name: str) -> str | None:
        values = self.all(name)
        return values[-1] if values else None

    def first(self, name: str) -> str | None:
        return next(iter(self.all(name)), None)

    def all(self, name: str) -> tuple[str, ...]:
        section, _, key = name.rpartition(".")
        return self._values.get((section, key), ())

    def is_true(self, name: str) -> bool:
        return (self.last(name) or "").lower() in {"true", "yes", "on", "1"}

    def subsections(self, section: str, key: str) -> Iterator[tuple[str, str]]:
        """What stands between the section and the key, with the first value, for each that does."""
        for (of, named), values in self._values.items():
            kind, _, between = of.partition(".")
            if (kind, named) == (section, key) and between:
                yield between, values[0]

    def hash_name(self) -> str:
        """Raises: Unreadable when the repository has a format that cannot be read here."""
        version = self.last("core.repositoryformatversion") or "0"
        if version not in {"0", "1"}:
            raise broken("It has a format that is newer than this service.")
        named = "sha1"
        for (section, key), values in self._values.items() if version == "1" else ():
            kind, _, between = section.partition(".")
            extension = f"{between}.{key}" if between else key
            value = values[-1]
            if kind != "extensions" or extension in _WITHOUT_CONSEQUENCE:
                continue
            if extension == "objectformat" and value in _HASHES:
                named = value
            elif (extension, value) != ("refstorage", "files"):
                shown = text(os.fsencode(extension))[:50]
                raise broken(f"It uses an extension that cannot be read here: {shown}.")
        return named

    def obeyed(self) -> list[tuple[str, str]]:
        """The settings that are carried over into what git is told."""
        pairs = ((name, self.last(name)) for name in _OBEYED)
        return [
            (name, value)
            for name, value in pairs
            if value is not None and _HARMLESS_VALUE.fullmatch(value)
        ]


def read_config(location: Location) -> Config:
    """The repository's configuration, without that of the user or the machine.

    Raises: Unreadable.
    """
    with Folder(location.common) as common, Folder(location.own) as own:
        values = parsed(common, "config")
        if location.is_linked:
            # These are about the main working tree (git-worktree(1), "Configuration file").
            values = _without(values, (("core", "bare"), ("core", "worktree")))
        config = Config(values)
        if config.is_true("extensions.worktreeconfig"):
            config = Config({**values, **parsed(own, "config.worktree")})
    return config


def parsed(folder: Folder, name: str) -> Values:
    """A file in the form of git's configuration, its includes left out. Raises: Unreadable."""
    values: dict[tuple[str, str], list[str]] = {}
    content = folder.read(name, _MAX_CONFIG) or b""
    try:
        with _one_at_a_time if len(content) > _LARGE else nullcontext():
            for section, key, value in settings(content):
                values.setdefault((section, key), []).append("true" if value is None else value)
    except NotConfiguration:
        raise broken(f"Its {name} cannot be read.") from None
    return {setting: tuple(of_setting) for setting, of_setting in values.items()}


def check_work_tree(config: Config, location: Location) -> None:
    """Raises: Unreadable (refused) when the files are said to be in another folder than this."""
    named = config.last("core.worktree")
    if named is None or location.work_tree is None:
        return
    if real_path(location.own / named) != location.work_tree:
        raise refused("Its core.worktree leads to another folder.")


def _without(values: Values, unwanted: Iterable[tuple[str, str]]) -> Values:
    return {setting: value for setting, value in values.items() if setting not in unwanted}
