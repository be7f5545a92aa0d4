"""The git repositories on this machine: read as data, without running git or its hooks."""

import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from symphony.client.documents import Document, text
from symphony.client.errors import ClientError
from symphony.client.paths import real_path
from symphony.console.usage import shortened
from symphony.domain.discovery import FoundRepository, RepoKind
from symphony.domain.git.status import RepoState
from symphony.infrastructure.git.discovery.classification import (
    ClassifiedRepository,
    classify,
    kind_of,
)
from symphony.infrastructure.git.discovery.walk import Walk
from symphony.infrastructure.git.files.config import read_config
from symphony.infrastructure.git.files.location import locate
from symphony.infrastructure.git.files.roots import GitRoots, OpenedRoots
from symphony.infrastructure.git.files.stopping import StopSignal
from symphony.infrastructure.git.files.unreadable import Unreadable
from symphony.infrastructure.git.files.untrusted_directory import UntrustedDirectory

MAX_DEPTH = 4  # levels below the directory, as in a discovery of the server
_SEARCHED_WITHIN = 60.0  # seconds
_MAX_FOUND = 5_000
_NO_REPOSITORY = {RepoState.MISSING, RepoState.NOT_A_REPOSITORY}


@dataclass(frozen=True, slots=True)
class LocalRepository:
    """A repository around a directory: its top directory, and the addresses of its remotes.

    `main` is the main directory of a linked worktree. All worktrees of a repository have the same
    `common_directory`, in which git has its objects.
    """

    path: Path
    kind: RepoKind
    remotes: Sequence[str]
    main: Path | None
    common_directory: Path


def repositories_below(directory: str) -> tuple[Sequence[FoundRepository], bool]:
    """Return the repositories in and below a directory by path, and whether a limit left some out.

    Raises: ClientError when the directory cannot be read.
    """
    found: list[ClassifiedRepository] = []
    walk = Walk(MAX_DEPTH, time.monotonic() + _SEARCHED_WITHIN)
    with _everywhere().opened(StopSignal().check) as roots:

        def visit(place: UntrustedDirectory) -> bool:
            repository = classify(place, roots)
            if repository is None:
                return True
            if len(found) == _MAX_FOUND:
                walk.stop()
            else:
                found.append(repository)
            return repository.git_directory != place.path

        try:
            with roots.open(_absolute(directory), "The directory") as top:
                walk.run(top, visit)
        except Unreadable as error:
            raise ClientError(f"{directory}: {error.reason}") from None
        except OSError as error:
            raise ClientError(f"{directory}: {error.strerror or 'cannot be read'}.") from None
    # A bare repository that is the git directory of another one is not a second one.
    owned = {each.git_directory for each in found if each.git_directory != each.directory}
    repositories = [
        FoundRepository(str(each.directory), each.kind, each.remote_url, each.reason)
        for each in sorted(found, key=lambda each: each.directory)
        if each.directory not in owned
    ]
    return repositories, walk.truncated


def repository_around(directory: str) -> LocalRepository:
    """Return the repository that contains a directory or file. Raises: ClientError."""
    start = Path(os.path.realpath(_absolute(directory)))
    with _everywhere().opened(StopSignal().check) as roots:
        for place in (start, *start.parents):
            try:
                with roots.open(place, "The directory") as top, locate(top, roots) as location:
                    config = read_config(location)
                    urls = [url for _, url in config.subsections("remote", "url")]
                    return LocalRepository(
                        place,
                        kind_of(location, config),
                        list(dict.fromkeys(urls)),
                        location.main_directory,
                        location.common_directory.path,
                    )
            except Unreadable as error:
                if error.state in _NO_REPOSITORY:
                    continue
                raise ClientError(f"{place}: {error.reason}") from None
            except OSError:  # a file, or a directory that the user may not read
                continue
    raise ClientError(f"{directory} is not inside a git repository that can be read.")


def of_same_repository(local: LocalRepository, items: Iterable[Document]) -> Sequence[Document]:
    """Return those documents of a server whose `path` is a worktree of the same repository here."""
    with _everywhere().opened(StopSignal().check) as roots:
        return [
            each
            for each in items
            if _common_directory(text(each, "path"), roots) == local.common_directory
        ]


def _common_directory(path: str, roots: OpenedRoots) -> Path | None:
    real = real_path(path)
    if real is None:
        return None
    try:
        with roots.open(Path(real), "The directory") as top, locate(top, roots) as location:
            return location.common_directory.path
    except (Unreadable, OSError):
        return None


def _everywhere() -> GitRoots:
    """Everything that the user can read: there is no operator who limits it."""
    return GitRoots([Path("/")])


def _absolute(directory: str) -> str:
    """Return the path of what exists. Raises: ClientError."""
    path = os.path.abspath(os.path.expanduser(directory))
    try:
        os.stat(path)
    except OSError as error:
        raise ClientError(f"{shortened(directory)}: {error.strerror}.") from None
    return path
