"""A git directory of the service's own, through which git reads an untrusted repository."""

import os
import re
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from symphony.infrastructure.git.files.config import Config
from symphony.infrastructure.git.files.location import Location
from symphony.infrastructure.git.files.objects import check_loose_object
from symphony.infrastructure.git.files.unreadable import Unreadable, broken
from symphony.infrastructure.git.files.untrusted_directory import (
    CopyBudget,
    Place,
    UntrustedDirectory,
)
from symphony.infrastructure.git.files.upstream import tracking_settings, upstream_ref
from symphony.infrastructure.git.files.user_config import ATTRIBUTES, EXCLUDES
from symphony.infrastructure.git.process.copies import (
    MAX_RULES,
    copy_head,
    copy_index,
    copy_ref,
    copy_rule_list,
)
from symphony.infrastructure.git.process.program import (
    MEMORY_SETTINGS,
    GitFailed,
    Program,
    config_text,
    config_variables,
)
from symphony.infrastructure.git.process.small_index import read_small_index

_MAX_REF_LIST = 64 << 20  # bytes
_MAX_SETTINGS = 1 << 16  # bytes; Linux refuses a variable of 128 KiB
_MAX_REASON = 300  # characters
_OBJECT_ID = re.compile(r"\b[0-9a-f]{40}(?:[0-9a-f]{24})?\b")
_MAX_CHECKED = 10  # objects that one message names
# git resolves links before it fails, so a message may have the name of a place outside the roots.
_ABSOLUTE_PATH = re.compile(r"(?<![^\s'\":=(])/[^:'\"]+")
# Nothing in a private git directory requests these; they make sure that git never does them.
_DISABLED = (
    ("core.fsmonitor", "false"),
    ("core.hookspath", os.devnull),
    ("core.untrackedcache", "false"),
    ("protocol.allow", "never"),
)
_FORMAT = (("core.repositoryFormatVersion", "1"), ("core.bare", "false"))
_OWN_CONFIG = config_text((*_FORMAT, *_DISABLED, *MEMORY_SETTINGS))


@dataclass(frozen=True, slots=True)
class PrivateDirectory:
    """Everything that git reads of a repository, except its objects and working tree.

    `path` is git's `$GIT_DIR`, `common_path` its `$GIT_COMMON_DIR`; they differ when it shares that
    of another worktree. `branch` is None when HEAD is on no branch. `object_directories` begins
    with the repository's own. `location` is open while the inspection runs. `unread` says why a
    list of ignored files or of attributes that a setting names is missing.
    """

    path: Path
    common_path: Path
    location: Location
    config: Config
    program: Program
    branch: str | None
    object_directories: list[Place]
    variables: Mapping[str, str]
    unread: Mapping[str, Unreadable]

    def require_list(self, setting: str) -> None:
        """Raises: Unreadable when the list that this setting names could not be read."""
        if setting in self.unread:
            raise self.unread[setting]

    def with_objects(self, object_directory: Path) -> "PrivateDirectory":
        """Return the same directory with additional objects, which belong to the service."""
        name = "GIT_ALTERNATE_OBJECT_DIRECTORIES"
        paths = f"{self.variables[name]}{os.pathsep}{_quote(object_directory)}"
        return replace(self, variables={**self.variables, name: paths})

    def with_index(self, file: Path) -> "PrivateDirectory":
        """Return the same directory with another index, which need not exist yet."""
        return replace(self, variables={**self.variables, "GIT_INDEX_FILE": str(file)})

    def git(self, *arguments: str) -> bytes:
        """Run git for the repository and return its output. Raises: Unreadable, Stopped."""
        return self._run(*arguments, variables=self.variables)

    def git_with_input(self, *arguments: str, data: bytes) -> bytes:
        """Run git with `data` as its input and return its output. Raises: Unreadable, Stopped."""
        return self._run(*arguments, variables=self.variables, input_file=self._input(data))

    def stream_with_input(
        self, *arguments: str, data: bytes, consume: Callable[[bytes], None], deadline: float
    ) -> None:
        """Run git with `data` as its input and pass its output to `consume` in chunks.

        `deadline` is a time of the monotonic clock.

        Raises: Unreadable, Stopped, OutOfTime, and what `consume` raises, which kills git.
        """
        try:
            with self._translated_errors():
                self.program.stream(
                    *arguments,
                    directory=self.path,
                    variables=self.variables,
                    input_file=self._input(data),
                    consume=consume,
                    deadline=deadline,
                )
        finally:
            self._check_places()  # what was read before git was killed is used as well

    def list_index_entries(self, consume: Callable[[bytes], None]) -> None:
        """Pass the entries of the index, as git prints them, to `consume` in chunks.

        Raises: Unreadable, Stopped, and what `consume` raises.
        """
        file = self.path / "index"
        if file.exists():
            entries = read_small_index(file, self.config.id_size())
            if entries is None:
                self._list_index("-v", "--stage", consume=consume)
            else:
                consume(entries)

    def list_index_sizes(self, consume: Callable[[bytes], None]) -> None:
        """Pass the entries of the index with the sizes of the files to `consume` in chunks.

        Raises: Unreadable, Stopped, and what `consume` raises.
        """
        self._list_index("--debug", consume=consume)

    def _list_index(self, *options: str, consume: Callable[[bytes], None]) -> None:
        # Without this, git checks whether files exist that the index marks as left out.
        as_recorded = ("-c", "sparse.expectFilesOutsideOfPatterns=true")
        # Without --sparse, git expands the directories of a sparse index and reads objects for it.
        sparse = ["--sparse"] if self.config.is_true("index.sparse") else []
        with self._translated_errors():
            self.program.stream(
                *(*as_recorded, "ls-files", "-z", *sparse, *options),
                directory=self.path,
                variables=self.variables,
                consume=consume,
            )

    def attributes(self, paths: list[bytes], attribute: str) -> list[tuple[bytes, bytes]]:
        """Return each path with the value of the attribute. Raises: Unreadable, Stopped."""
        input_file = self.path / "paths"
        input_file.write_bytes(b"".join(path + b"\0" for path in paths))
        # git reads .gitattributes from the files. It needs the index only to expand a sparse one.
        variables = self.with_index(self.path / "no-index").variables
        arguments = ("check-attr", "-z", "--stdin", attribute)
        fields = self._run(*arguments, variables=variables, input_file=input_file).split(b"\0")
        return list(zip(fields[0::3], fields[2::3], strict=False))

    def _input(self, data: bytes) -> Path:
        input_file = self.path / "input"
        input_file.write_bytes(data)
        return input_file

    def _run(
        self, *arguments: str, variables: Mapping[str, str], input_file: Path | None = None
    ) -> bytes:
        with self._translated_errors():
            return self.program.run(
                *arguments, directory=self.path, variables=variables, input_file=input_file
            )

    @contextmanager
    def _translated_errors(self) -> Generator[None]:
        try:
            yield
        except GitFailed as failed:
            self._check_places()
            self._check_named_objects(failed.error_output)
            raise broken(self._reason(failed.error_output)) from None
        self._check_places()

    def _check_places(self) -> None:
        """Check the directories that git opened by their paths, after it did.

        Raises: Unreadable (refused) when one of them is another directory now.
        """
        if self.location.work_tree is not None:
            self.location.work_tree.place.check()
        for place in self.object_directories:
            place.check()

    def _check_named_objects(self, error_output: str) -> None:
        """Check the objects that git could not read: it calls those outside the roots corrupt.

        Raises: Unreadable (refused) when one of them is a symbolic link.
        """
        for object_id in _OBJECT_ID.findall(error_output)[:_MAX_CHECKED]:
            check_loose_object(self.object_directories, object_id, self.location.roots)

    def _reason(self, error_output: str) -> str:
        """Return git's own message, with paths relative to the repository."""
        lines = error_output.splitlines()
        messages = (line for line in lines if line.startswith(("fatal: ", "error: ")))
        message = next(messages, "git failed without a message").split(": ", 1)[-1]
        location, work_tree = self.location, self.location.work_tree
        names = [
            (self.path, ".git"),
            (self.common_path, ".git"),
            (location.git_directory.path, ".git"),
            (location.common_directory.path, ".git"),
            *([] if work_tree is None else [(work_tree.path, ".")]),
        ]
        for path, name in names:
            message = message.replace(str(path), name)
        message = _ABSOLUTE_PATH.sub("…", message)
        return f"{message[:1].upper()}{message[1:_MAX_REASON]}."


def create_private_directory(
    location: Location,
    config: Config,
    object_directories: list[Place],
    program: Program,
    path: Path,
    budget: CopyBudget,
    shared: PrivateDirectory | None = None,
) -> PrivateDirectory:
    """Copy what git needs into the empty directory `path`.

    `shared` is that of another worktree of the repository, which has what both share
    (gitrepository-layout(5), `commondir`); it must exist as long.

    Raises: Unreadable, OSError.
    """
    hash_name = config.hash_name()
    own, common = location.git_directory, location.common_directory
    common_path = path if shared is None else shared.common_path
    if shared is None:
        os.mkdir(path / "refs")
        os.mkdir(path / "objects")
    branch = copy_head(own, common, path, common_path)
    lists, unread = _copy_lists(location, config, path, budget)
    settings = [*config.passed_on(), *lists, *tracking_settings(config, branch)]
    if sum(len(os.fsencode(text)) for setting in settings for text in setting) > _MAX_SETTINGS:
        raise broken(f"The settings of the branch and its remote exceed {_MAX_SETTINGS:,} bytes.")
    upstream = upstream_ref(config, branch)
    if upstream is not None:
        copy_ref(upstream, own, common, path, common_path)
    if shared is None:
        _copy_common(common, hash_name, path, budget)
    else:
        # With a variable instead, git 2.39 does not find packed refs with SHA-256.
        (path / "commondir").write_text(f"{common_path}\n")
    own.copy("info/sparse-checkout", path / "info/sparse-checkout", MAX_RULES, budget)
    copy_index(own, path, budget)
    variables = {
        "GIT_DIR": str(path),
        # The repository's objects are alternates, because git writes to the first directory, for
        # example when it expands a sparse index.
        "GIT_OBJECT_DIRECTORY": str(common_path / "objects"),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": _quote(object_directories[0].path),
        "GIT_WORK_TREE": str(path if location.work_tree is None else location.work_tree.path),
        **config_variables(settings),
    }
    return PrivateDirectory(
        path,
        common_path,
        location,
        config,
        program,
        branch,
        object_directories,
        variables,
        unread,
    )


def _copy_common(
    common: UntrustedDirectory, hash_name: str, path: Path, budget: CopyBudget
) -> None:
    """Copy what all worktrees share, without the single refs.

    Those are copied before: git packs a ref by adding it to the list before removing its file.
    """
    for name in ("packed-refs", "shallow"):
        common.copy(name, path / name, _MAX_REF_LIST, budget)
    for name in ("info/exclude", "info/attributes"):
        common.copy(name, path / name, MAX_RULES, budget)
    # Those of the repository are passed in the environment, where no value can become another one.
    object_format = config_text([("extensions.objectFormat", hash_name)])
    (path / "config").write_text(_OWN_CONFIG + object_format)


def _copy_lists(
    location: Location, config: Config, path: Path, budget: CopyBudget
) -> tuple[list[tuple[str, str]], dict[str, Unreadable]]:
    """Return the settings that name the copies, and why others could not be copied."""
    settings = list[tuple[str, str]]()
    unread = dict[str, Unreadable]()
    for setting in (EXCLUDES, ATTRIBUTES):
        copy = path / setting
        try:
            if copy_rule_list(setting, location, config, copy, budget):
                settings.append((setting, str(copy)))
        except Unreadable as unreadable:
            unread[setting] = unreadable
    return settings, unread


def _quote(path: Path) -> str:
    """Quote a path as git expects it in a list of paths."""
    quoted = str(path).replace("\\", r"\\").replace('"', r"\"")
    return f'"{quoted}"'
