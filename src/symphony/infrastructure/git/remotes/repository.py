"""A remote, asked by git in a git directory that knows of nothing else."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from symphony.domain.sync import RemoteFailed
from symphony.infrastructure.git.files.decoding import text
from symphony.infrastructure.git.files.unreadable import Unreadable
from symphony.infrastructure.git.process.program import GitFailed, Program, config_variables
from symphony.infrastructure.git.remotes.address import Address, RemoteAddress
from symphony.infrastructure.git.remotes.messages import reason
from symphony.infrastructure.git.remotes.mirrors import Mirror

MAX_BRANCHES = 10_000
_HEADS = "refs/heads/"
_BRANCH = re.compile(
    rb"(?P<id>[0-9a-f]{40}|[0-9a-f]{64})\t(?P<ref>refs/heads/[^\x00-\x20\x7f~^:?*\[\\]+)"
)
_DEFAULT = re.compile(rb"ref: (?P<ref>refs/heads/\S+)\tHEAD")
_VERSION = re.compile(rb"git version (\d+)\.(\d+)")
# The first one that can be told the address behind a name (http.curloptResolve); those before it
# would look it up once more.
_OLDEST = (2, 37)


@dataclass(frozen=True, slots=True)
class Listing:
    """What a remote says that it has: commits by the full names of their branches."""

    branches: Mapping[str, str]
    default: str | None


def short(ref: str) -> str:
    """A branch's name, as text."""
    return text(os.fsencode(ref.removeprefix(_HEADS)))


class RemoteRepository:
    """The remote at one address; git works in the empty folder `path`."""

    def __init__(
        self, address: RemoteAddress, asked: Address, mirror: Mirror, program: Program, path: Path
    ) -> None:
        self._mirror = mirror
        self._program = program
        self._path = path
        settings = {
            **address.settings(asked),
            # By a name: in no list of processes, and nothing that could be taken for an option.
            "remote.origin.url": address.url(asked),
            # The commits are all that is counted. Who cannot leave out the rest sends everything.
            "remote.origin.promisor": "true",
            "remote.origin.partialclonefilter": "tree:0",
            "fetch.unpackLimit": "1",
            "pack.threads": "1",
            "core.hooksPath": os.devnull,
        }
        self._variables = {
            **address.variables(asked),
            "GIT_DIR": str(path),
            "GIT_OBJECT_DIRECTORY": str(mirror.objects),
            "GIT_ALLOC_LIMIT": "256m",
            # libcurl and ssh would look for the user's own home without it, and for a .netrc there.
            "HOME": os.devnull,
            **config_variables([*settings.items()]),
        }

    def listed(self) -> Listing:
        """What it has now. Raises: RemoteFailed, Stopped."""
        self._check_version()
        self._prepare(hash_name="sha1")
        branches: dict[str, str] = {}
        default = None
        for line in self._git("ls-remote", "--symref", "origin", "HEAD", "refs/heads/*").split(
            b"\n"
        ):
            if branch := _BRANCH.fullmatch(line):
                branches[os.fsdecode(branch["ref"])] = branch["id"].decode()
            elif symbolic := _DEFAULT.fullmatch(line):
                default = os.fsdecode(symbolic["ref"])
        if len(branches) > MAX_BRANCHES:
            raise RemoteFailed(f"It has more than {MAX_BRANCHES:,} branches.")
        return Listing(branches, default if default in branches else None)

    def fetch(self, branch: str, listing: Listing) -> str:
        """Brings the commits of a branch into the mirror; the newest one.

        Raises: RemoteFailed, Stopped.
        """
        commit = listing.branches[branch]
        self._prepare("sha1" if len(commit) == 40 else "sha256")
        kept = _parsed(self._mirror.branches())
        if kept.get(branch) == commit:
            return commit
        try:
            self._fetch(branch)
        except RemoteFailed:
            if not kept:
                raise
            # Perhaps what is kept is of no use any more: it only saves time.
            self._mirror.empty()
            self._prepare("sha1" if len(commit) == 40 else "sha256")
            self._fetch(branch)
            kept = {}
        still = {name: known for name, known in kept.items() if name in listing.branches}
        fetched = self._git("rev-parse", "--verify", branch).decode().strip()
        self._mirror.keep({**still, branch: fetched})
        return fetched

    def _fetch(self, branch: str) -> None:
        self._git(
            "fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-auto-maintenance",
            "--no-write-fetch-head", "--no-show-forced-updates", "--filter=tree:0",
            "--update-shallow",
            "origin", f"+{branch}:{branch}",
        )  # fmt: skip

    def _prepare(self, hash_name: str) -> None:
        """Makes the folder a bare repository that has what the mirror has."""
        (self._path / "refs").mkdir(exist_ok=True)
        (self._path / "HEAD").write_text("ref: refs/none\n")
        (self._path / "packed-refs").write_bytes(self._mirror.branches())
        (self._path / "config").write_text(
            "[core]\n\trepositoryformatversion = 1\n\tbare = true\n"
            f"[extensions]\n\tobjectFormat = {hash_name}\n\tpartialClone = origin\n"
        )

    def _check_version(self) -> None:
        version = _VERSION.match(self._git("version"))
        if version is None or tuple(map(int, version.groups())) < _OLDEST:
            oldest = ".".join(map(str, _OLDEST))
            raise RemoteFailed(f"The git of this service is older than {oldest}.")

    def _git(self, *arguments: str) -> bytes:
        try:
            return self._program.run(*arguments, folder=self._path, variables=self._variables)
        except GitFailed as failed:
            raise RemoteFailed(reason(failed.complaint)) from None
        except Unreadable as unreadable:
            raise RemoteFailed(unreadable.reason) from None


def _parsed(packed_refs: bytes) -> dict[str, str]:
    lines = (os.fsdecode(line).partition(" ") for line in packed_refs.splitlines())
    return {name: commit for commit, _, name in lines}
