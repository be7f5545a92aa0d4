"""The repositories found in a directory, and proposals for registering them."""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from symphony.domain import fields as rules
from symphony.domain.errors import RuleBroken
from symphony.domain.fields import MAX_NAME, comparison_key
from symphony.domain.git.credentials import without_credentials
from symphony.domain.repos import RegisteredRepo, Repo

_NOT_IN_FOLDER_NAMES = re.compile(r'[\\<>:"|?*]')
_LONGEST_NUMBER = "-1000000"
_LONGEST_NUMBERED = MAX_NAME - len(_LONGEST_NUMBER)
_FALLBACK_NAME = "repo"
# Control characters, and the stand-ins for bytes that are not UTF-8 (PEP 383).
_NOT_TEXT = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_REPLACEMENT = "\ufffd"
_DEFAULT_REMOTE = "origin"
_SEVERAL_REMOTES = "The repository has several remotes, and none of them is named origin."
_UNSUPPORTED_URL = "The URL of the remote is not a valid `remote_url`."
_CREDENTIALS_REMOVED = "The credentials in the URL of the remote were removed."
_INVALID_PATH = "The path cannot be registered: it is too long, or is not valid text."


class RepoKind(StrEnum):
    """The relation of a git repository to others."""

    REPOSITORY = "repository"
    WORKTREE = "worktree"
    SUBMODULE = "submodule"
    BARE = "bare"


@dataclass(frozen=True, slots=True)
class FoundRepository:
    """A repository on disk: `path` is absolute, contains no links, and may be invalid as text.

    `remote_url` is valid for a repo, or None; `reason` says why there is none although the
    repository has remotes, or why it cannot be read. `registered_as` is its name in the workspace.
    """

    path: str
    kind: RepoKind
    remote_url: str | None = None
    reason: str | None = None
    registered_as: str | None = None


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The result of a search; `truncated` when a limit stopped it before it was complete."""

    found: Sequence[FoundRepository]
    truncated: bool


@dataclass(frozen=True, slots=True)
class Proposal:
    """The fields to register a repository with, or of its repo; no name if neither is possible."""

    name: str | None
    path: str
    remote_url: str | None
    kind: RepoKind
    registered: bool
    reason: str | None


class Finder(ABC):
    """The port to search for repositories on disk: it changes nothing, and runs nothing."""

    @abstractmethod
    async def find(
        self, user_id: UUID, root: str, max_depth: int, registered: Sequence[RegisteredRepo]
    ) -> SearchResult:
        """The repositories in and below a directory, down to a depth; sorted by path.

        Links below the directory are not followed. `root` and the paths of `registered` are
        absolute, or `~/…` for the service's own home. Searches of one user run one at a time.

        Raises: Invalid for a directory that is not allowed or cannot be read, Overloaded.
        """


def remote_to_register(urls: Mapping[str, str]) -> tuple[str | None, str | None]:
    """Return the URL to register a repository with, given those of its remotes by name, and why it
    is missing or changed."""
    if not urls:
        return None, None
    if _DEFAULT_REMOTE not in urls and len(urls) > 1:
        return None, _SEVERAL_REMOTES
    url = urls[_DEFAULT_REMOTE] if _DEFAULT_REMOTE in urls else next(iter(urls.values()))
    try:
        shown = rules.remote_url(without_credentials(rules.text(url)))
    except RuleBroken:
        return None, _UNSUPPORTED_URL
    return shown, None if shown == url else _CREDENTIALS_REMOVED


def proposals(
    found: Iterable[FoundRepository], registered: Iterable[RegisteredRepo]
) -> Iterator[Proposal]:
    """Propose how to register repositories, under valid names that none of the repos has."""
    names = _FreeNames(each.name for each in registered)
    for each in found:
        path, name, reason = each.path, each.registered_as, each.reason
        if not Repo.is_valid(path=path):
            path, name, reason = _NOT_TEXT.sub(_REPLACEMENT, path), None, _INVALID_PATH
        elif name is None:
            name = names.take(path.rpartition("/")[2])
        is_registered = each.registered_as is not None
        yield Proposal(name, path, each.remote_url, each.kind, is_registered, reason)


class _FreeNames:
    """Names that no repo of the workspace has; each is returned once."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = {comparison_key(name) for name in taken}
        self._numbers = dict[str, int]()

    def take(self, directory: str) -> str:
        """Return the directory's name if it is valid and free, otherwise a similar one."""
        name = _valid(directory)
        key = comparison_key(name)
        number = self._numbers.get(key, 1)
        free = name
        while comparison_key(free) in self._taken:
            number += 1
            free = f"{name[:_LONGEST_NUMBERED]}-{number}"
        self._numbers[key] = number
        self._taken.add(comparison_key(free))
        return free


def _valid(directory: str) -> str:
    try:
        name = rules.folder_name(_NOT_IN_FOLDER_NAMES.sub("-", directory))
        rules.folder_name(name[:_LONGEST_NUMBERED] + _LONGEST_NUMBER)
    except RuleBroken:  # only spaces, for instance, or too long
        return _FALLBACK_NAME
    return name
