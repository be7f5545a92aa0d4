"""A remote repository, which git reads from a git directory that contains nothing else."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from symphony.domain.sync import RemoteFailed
from symphony.infrastructure.git.files.decoding import printable
from symphony.infrastructure.git.files.unreadable import Unreadable
from symphony.infrastructure.git.process.program import (
    MEMORY_SETTINGS,
    GitFailed,
    Program,
    config_variables,
)
from symphony.infrastructure.git.remotes.address import RemoteAddress
from symphony.infrastructure.git.remotes.messages import failure_reason
from symphony.infrastructure.git.remotes.mirrors import Mirror
from symphony.infrastructure.git.remotes.public_addresses import IpAddress

MAX_BRANCHES = 10_000
_MAX_TAGS = 10_000
_HEADS = "refs/heads/"
_BRANCH = re.compile(
    rb"(?P<id>[0-9a-f]{40}|[0-9a-f]{64})\t(?P<ref>refs/heads/[^\x00-\x20\x7f~^:?*\[\\]+)"
)
# Behind an annotated tag, git lists the object that it refers to, as `<tag>^{}`.
_TAG = re.compile(
    rb"(?P<id>[0-9a-f]{40}|[0-9a-f]{64})\t(?P<ref>refs/tags/[^\x00-\x20\x7f~^:?*\[\\]+)(?:\^\{\})?"
)
_LINE = re.compile(rb"[^\n]+")
_LINES_PER_CHECK = 1000
_DEFAULT = re.compile(rb"ref: (?P<ref>refs/heads/\S+)\tHEAD")
_VERSION = re.compile(rb"git version (\d+)\.(\d+)")
# The first version with http.curloptResolve, which sets the IP address of a host name; an older git
# would resolve the name again.
_MIN_VERSION = (2, 37)


@dataclass(frozen=True, slots=True)
class BranchList:
    """The branches of a remote: commits by full ref names; `default` is one of these names. `tags`
    has the objects of the first 10,000 tags, by full ref names."""

    commits: Mapping[str, str]
    default: str | None
    tags: Mapping[str, str] = field(default_factory=dict[str, str])


def branch_name(ref: str) -> str:
    """Return the name of a branch as text."""
    return printable(ref.removeprefix(_HEADS))


class RemoteRepository:
    """The repository at one IP address of a remote; git works in the empty directory `path`."""

    def __init__(
        self,
        remote: RemoteAddress,
        address: IpAddress,
        mirror: Mirror,
        program: Program,
        path: Path,
        max_branches: int = MAX_BRANCHES,
    ) -> None:
        self._mirror = mirror
        self._program = program
        self._path = path
        self._max_branches = max_branches
        settings = {
            **remote.settings(address),
            # git gets the URL as a setting, so no list of processes shows it, and git cannot
            # interpret it as an option.
            "remote.origin.url": remote.url(address),
            # Only commits are needed. A remote that cannot filter sends everything.
            "remote.origin.promisor": "true",
            "remote.origin.partialclonefilter": "tree:0",
            "fetch.unpackLimit": "1",
            # A remote that sends files nevertheless: git writes large ones in pieces.
            "core.bigFileThreshold": "16m",
            "core.hooksPath": os.devnull,
        }
        self._variables = {
            **remote.variables(address),
            "GIT_DIR": str(path),
            "GIT_OBJECT_DIRECTORY": str(mirror.objects),
            "GIT_ALLOC_LIMIT": "256m",
            # Without it, libcurl and ssh look up the user's home directory, and a .netrc there.
            "HOME": os.devnull,
            **config_variables([*settings.items(), *MEMORY_SETTINGS]),
        }

    def list_branches(self) -> BranchList:
        """Raises: RemoteFailed, Stopped."""
        self._check_version()
        self._prepare(hash_name="sha1")
        commits: dict[str, str] = {}
        tags: dict[str, str] = {}
        default = None
        patterns = ("HEAD", "refs/heads/*", "refs/tags/*")
        output = self._git("ls-remote", "--symref", "origin", *patterns)
        for number, line in enumerate(_LINE.finditer(output)):
            if number % _LINES_PER_CHECK == 0:
                self._program.check_stopped()
            if branch := _BRANCH.fullmatch(line[0]):
                commits[os.fsdecode(branch["ref"])] = branch["id"].decode()
                if len(commits) > self._max_branches:
                    raise RemoteFailed(f"The remote has more than {self._max_branches:,} branches.")
            elif (tag := _TAG.fullmatch(line[0])) and len(tags) < _MAX_TAGS:
                tags[os.fsdecode(tag["ref"])] = tag["id"].decode()
            elif symbolic := _DEFAULT.fullmatch(line[0]):
                default = os.fsdecode(symbolic["ref"])
        return BranchList(commits, default if default in commits else None, tags)

    def fetch(self, branch: str, branches: BranchList) -> str:
        """Fetch the commits of a branch into the mirror; return its newest commit.

        Raises: RemoteFailed, Stopped.
        """
        commit = branches.commits[branch]
        hash_name = "sha1" if len(commit) == 40 else "sha256"
        self._prepare(hash_name)
        fetched = _parse_refs(self._mirror.branches())
        if fetched.get(branch) == commit:
            return commit
        try:
            self._fetch(branch)
        except RemoteFailed:
            if not fetched:
                raise
            # The mirror may be damaged. It only saves time, so fetch everything again.
            self._mirror.clear()
            self._prepare(hash_name)
            self._fetch(branch)
            fetched = {}
        existing = {name: known for name, known in fetched.items() if name in branches.commits}
        newest = self._git("rev-parse", "--verify", branch).decode().strip()
        self._mirror.save_branches({**existing, branch: newest})
        return newest

    def _fetch(self, branch: str) -> None:
        self._git(
            "fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-auto-maintenance",
            "--no-write-fetch-head", "--no-show-forced-updates", "--filter=tree:0",
            "--update-shallow",
            "origin", f"+{branch}:{branch}",
        )  # fmt: skip

    def _prepare(self, hash_name: str) -> None:
        """Turn the directory into a bare repository with the branches of the mirror."""
        (self._path / "refs").mkdir(exist_ok=True)
        (self._path / "HEAD").write_text("ref: refs/none\n")
        (self._path / "packed-refs").write_bytes(self._mirror.branches())
        (self._path / "config").write_text(
            "[core]\n\trepositoryformatversion = 1\n\tbare = true\n"
            f"[extensions]\n\tobjectFormat = {hash_name}\n\tpartialClone = origin\n"
        )

    def _check_version(self) -> None:
        version = _VERSION.match(self._git("version"))
        if version is None or tuple(map(int, version.groups())) < _MIN_VERSION:
            minimum = ".".join(map(str, _MIN_VERSION))
            raise RemoteFailed(f"The git of this service is older than {minimum}.")

    def _git(self, *arguments: str) -> bytes:
        try:
            return self._program.run(*arguments, directory=self._path, variables=self._variables)
        except GitFailed as failed:
            raise RemoteFailed(failure_reason(failed.error_output)) from None
        except Unreadable as unreadable:
            raise RemoteFailed(unreadable.reason) from None


def _parse_refs(packed_refs: bytes) -> dict[str, str]:
    lines = (os.fsdecode(line).partition(" ") for line in packed_refs.splitlines())
    return {name: commit for commit, _, name in lines}
