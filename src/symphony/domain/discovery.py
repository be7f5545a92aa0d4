"""Finding the repositories in a folder, and proposing how to register them."""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from symphony.domain import fields as rules
from symphony.domain.errors import RuleBroken
from symphony.domain.fields import MAX_NAME, comparison_key
from symphony.domain.repos import RegisteredRepo, Repo

_FORBIDDEN = re.compile(r'[\\<>:"|?*]')
_LONGEST_NUMBER = "-1000000"
_LONGEST_NUMBERED = MAX_NAME - len(_LONGEST_NUMBER)
_NAMELESS = "repo"
# Control characters, and what stands for bytes that are no UTF-8 (PEP 383).
_NO_TEXT = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_SHOWN_INSTEAD = "\ufffd"
_BAD_PATH = "Its path cannot be registered: it is too long, or has characters that no text has."


class RepoKind(StrEnum):
    """What a repository is to others."""

    REPOSITORY = "repository"
    WORKTREE = "worktree"
    SUBMODULE = "submodule"
    BARE = "bare"


@dataclass(frozen=True, slots=True)
class FoundRepository:
    """A repository on the disk: `path` is absolute, has no links in it, and may be no text.

    `remote_url` is one that a repo may have, or None; `reason` says why there is none although the
    repository has remotes, or why it cannot be read. `registered_as` is its name in the workspace.
    """

    path: str
    kind: RepoKind
    remote_url: str | None = None
    reason: str | None = None
    registered_as: str | None = None


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What was found; `truncated` when there was more to look at than is allowed."""

    found: Sequence[FoundRepository]
    truncated: bool


@dataclass(frozen=True, slots=True)
class Proposal:
    """A repository, as it could be registered, or is: None is the name of one that cannot be."""

    name: str | None
    path: str
    remote_url: str | None
    kind: RepoKind
    registered: bool
    reason: str | None


class Finder(ABC):
    """Looks for repositories on a disk, and neither changes nor runs anything there."""

    @abstractmethod
    async def find(
        self, user_id: UUID, root: str, max_depth: int, registered: Sequence[RegisteredRepo]
    ) -> SearchResult:
        """The repositories in a folder and, to a depth, in those below it; sorted by path.

        Links are not followed below the folder. It is absolute, or `~/…` for the service's own
        home, and so are the paths of what is `registered`. One search of a user is done at a time.

        Raises: Invalid for a folder in which nobody may look or which cannot be read, Overloaded.
        """


def proposals(
    found: Iterable[FoundRepository], registered: Iterable[RegisteredRepo]
) -> Iterator[Proposal]:
    """How to register what was found: with names that are legal, and free in the workspace."""
    names = _FreeNames(each.name for each in registered)
    for each in found:
        path, name, reason = each.path, each.registered_as, each.reason
        if not Repo.is_valid(path=path):
            path, name, reason = _NO_TEXT.sub(_SHOWN_INSTEAD, path), None, _BAD_PATH
        elif name is None:
            name = names.take(path.rpartition("/")[2])
        is_registered = each.registered_as is not None
        yield Proposal(name, path, each.remote_url, each.kind, is_registered, reason)


class _FreeNames:
    """Names that nobody has, each given once."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = {comparison_key(name) for name in taken}
        self._numbers = dict[str, int]()

    def take(self, folder: str) -> str:
        """The folder's name where it is legal and free, else one that is like it."""
        name = _legal(folder)
        key = comparison_key(name)
        number = self._numbers.get(key, 1)
        free = name
        while comparison_key(free) in self._taken:
            number += 1
            free = f"{name[:_LONGEST_NUMBERED]}-{number}"
        self._numbers[key] = number
        self._taken.add(comparison_key(free))
        return free


def _legal(folder: str) -> str:
    try:
        name = rules.folder_name(_FORBIDDEN.sub("-", folder))
        rules.folder_name(name[:_LONGEST_NUMBERED] + _LONGEST_NUMBER)
    except RuleBroken:  # nothing but spaces, say, or longer than its key may be
        return _NAMELESS
    return name
