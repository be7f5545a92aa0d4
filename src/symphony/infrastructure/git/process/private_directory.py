"""A git directory of our own, in which git looks at somebody else's repository."""

import os
import re
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from symphony.infrastructure.git.files.config import Config
from symphony.infrastructure.git.files.folder import Folder, Room, pieces
from symphony.infrastructure.git.files.location import Location
from symphony.infrastructure.git.files.unreadable import broken
from symphony.infrastructure.git.process.program import GitFailed, Program, config_variables

_MAX_REF = 4096  # bytes, as are the following
_MAX_INDEX = 256 << 20
_MAX_LIST = 64 << 20
_MAX_RULES = 1 << 20
_MAX_TOLD = 1 << 16  # characters of settings, for an environment has an end
_MAX_REASON = 300  # characters
_LONGEST_CHAIN = 5  # of symbolic refs, as in git itself
_REF_NAME = rb"refs/[^\x00-\x20\x7f~^:?*\[\\]+"
_SYMBOLIC = re.compile(rb"ref:[ \t]*(" + _REF_NAME + rb")\s*")
_OBJECT_ID = re.compile(rb"(?:[0-9a-f]{40}|[0-9a-f]{64})\s*")
_SHARED_INDEX = re.compile(r"sharedindex\.([0-9a-f]{40}|[0-9a-f]{64})")
# The extension of an index by which it is split (gitformat-index(5)): its size, then a hash.
_LINK = re.compile(rb"link(?=\0.{3}(?P<sha1>.{20})(?P<rest>.{12})?)", re.DOTALL)
_LINK_SIZE = 4 + 4 + 32
_MAX_LINKS = 100_000  # paths may end like that
# Nothing asks for these here; should a git ever find something that does, it is told no.
_NEVER = (
    ("core.fsmonitor", "false"),
    ("core.hookspath", os.devnull),
    ("core.untrackedcache", "false"),
    ("protocol.allow", "never"),
)


@dataclass(frozen=True, slots=True)
class PrivateDirectory:
    """What git reads of a repository beside its objects and its files."""

    path: Path
    location: Location
    config: Config
    program: Program
    branch: str | None
    objects: list[Path]
    variables: Mapping[str, str]

    def beside(self, objects: Path) -> "PrivateDirectory":
        """The same with the objects of another place of ours as well."""
        name = "GIT_ALTERNATE_OBJECT_DIRECTORIES"
        places = f"{self.variables[name]}{os.pathsep}{_quoted(objects)}"
        return replace(self, variables={**self.variables, name: places})

    def git(self, *arguments: str) -> bytes:
        """What git says of the repository. Raises: Unreadable, Stopped."""
        return self._run(*arguments, variables=self.variables)

    def list_files(self, *arguments: str) -> bytes:
        """What `git ls-files` says. Raises: Unreadable, Stopped."""
        return self.git(*self._to_list_files(), *arguments)

    def list_entries(self, take: Callable[[bytes], None]) -> None:
        """Hands what git says of each entry of the index to `take`, piece by piece.

        Raises: Unreadable, Stopped, and what `take` raises.
        """
        # As they are written: git would look whether what is marked as left out is there.
        as_written = ("-c", "sparse.expectFilesOutsideOfPatterns=true")
        arguments = (*as_written, *self._to_list_files(), "-t", "--stage")
        with self._reasons():
            self.program.stream(*arguments, folder=self.path, variables=self.variables, take=take)

    def _to_list_files(self) -> list[str]:
        # Otherwise it would fill in what a sparse index leaves out, and touch objects with that.
        sparse = ["--sparse"] if self.config.is_true("index.sparse") else []
        return ["ls-files", "-z", *sparse]

    def attributes(self, paths: list[bytes], attribute: str) -> list[tuple[bytes, bytes]]:
        """Each path with the value of its attribute. Raises: Unreadable, Stopped."""
        asked = self.path / "to-ask"
        asked.write_bytes(b"".join(path + b"\0" for path in paths))
        # It looks into .gitattributes, and needs the index for nothing but to fill that in as well.
        variables = {**self.variables, "GIT_INDEX_FILE": str(self.path / "no-index")}
        arguments = ("check-attr", "-z", "--stdin", attribute)
        told = self._run(*arguments, variables=variables, given=asked).split(b"\0")
        return list(zip(told[0::3], told[2::3], strict=False))

    def _run(
        self, *arguments: str, variables: Mapping[str, str], given: Path | None = None
    ) -> bytes:
        with self._reasons():
            return self.program.run(*arguments, folder=self.path, variables=variables, given=given)

    @contextmanager
    def _reasons(self) -> Generator[None]:
        """Makes reasons of what git complains of."""
        try:
            yield
        except GitFailed as failed:
            raise broken(self._reason(failed.complaint)) from None

    def _reason(self, complaint: str) -> str:
        """git's own words, in which places have the names that the user knows."""
        lines = (line for line in complaint.splitlines() if line.startswith(("fatal: ", "error: ")))
        words = next(lines, "git has failed without a reason").split(": ", 1)[-1]
        names = ((self.path, ".git"), (self.location.own, ".git"), (self.location.common, ".git"))
        for place, name in (*names, (self.location.work_tree, ".")):
            if place is not None:
                words = words.replace(str(place), name)
        return f"{words[:1].upper()}{words[1:_MAX_REASON]}."


def make(
    location: Location,
    config: Config,
    objects: list[Path],
    program: Program,
    path: Path,
    room: Room,
) -> PrivateDirectory:
    """Copies what git needs into the empty folder `path`, as far as there is `room`.

    Raises: Unreadable, OSError.
    """
    hash_name = config.hash_name()
    (path / "refs").mkdir()
    (path / "objects").mkdir()
    with Folder(location.own) as own, Folder(location.common) as common:
        branch = _copy_head(own, common, path)
        told = [*config.obeyed(), *_tracking(config, branch), *_NEVER]
        if sum(len(name) + len(value) for name, value in told) > _MAX_TOLD:
            raise broken("Its config says too much of the branch and its remote.")
        upstream = _upstream_ref(config, branch)
        if upstream is not None:
            _copy_ref(upstream, common, path)
        # After the single refs: one that is being packed is first written here, then removed there.
        for name in ("packed-refs", "shallow"):
            common.copy(name, path / name, _MAX_LIST, room)
        for name in ("info/exclude", "info/attributes"):
            common.copy(name, path / name, _MAX_RULES, room)
        own.copy("info/sparse-checkout", path / "info/sparse-checkout", _MAX_RULES, room)
        _copy_index(own, path, room)
    # Only what a reader has to know of the format; the rest goes through the environment, where no
    # value can become another setting.
    (path / "config").write_text(
        "[core]\n\trepositoryformatversion = 1\n\tbare = false\n"
        f"[extensions]\n\tobjectFormat = {hash_name}\n"
    )
    variables = _variables(location, objects[0], path, told)
    return PrivateDirectory(path, location, config, program, branch, objects, variables)


def _variables(
    location: Location, objects: Path, path: Path, told: list[tuple[str, str]]
) -> dict[str, str]:
    return {
        "GIT_DIR": str(path),
        # Its objects are alternates, for git writes to the first place: what it works out of a
        # sparse index, for instance.
        "GIT_OBJECT_DIRECTORY": str(path / "objects"),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": _quoted(objects),
        "GIT_WORK_TREE": str(location.work_tree or path),
        **config_variables(told),
    }


def _quoted(place: Path) -> str:
    """A place as git wants it in a list of places."""
    quoted = str(place).replace("\\", r"\\").replace('"', r"\"")
    return f'"{quoted}"'


def _copy_head(own: Folder, common: Folder, path: Path) -> str | None:
    """Copies HEAD and the refs that it leads to; the branch, or None when it is detached."""
    content = own.read("HEAD", _MAX_REF) or b""
    symbolic = _SYMBOLIC.fullmatch(content)
    if symbolic is None and not _OBJECT_ID.fullmatch(content):
        raise broken("Its HEAD is damaged.")
    (path / "HEAD").write_bytes(content)
    if symbolic is None:
        return None
    ref = os.fsdecode(symbolic[1])
    _copy_ref(ref, common, path)
    return ref.removeprefix("refs/heads/") if ref.startswith("refs/heads/") else None


def _copy_ref(name: str, common: Folder, path: Path) -> None:
    """Copies a ref that is a file of its own, and those that it leads to."""
    for _ in range(_LONGEST_CHAIN):
        # A folder stays when the branches that were in it are gone, and a packed one has its name.
        content = None if common.has_folder(name) else common.read(name, _MAX_REF)
        if content is None:
            return
        symbolic = _SYMBOLIC.fullmatch(content)
        if symbolic is None and not _OBJECT_ID.fullmatch(content):
            raise broken("A ref that it needs is damaged.")
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
        if symbolic is None:
            return
        name = os.fsdecode(symbolic[1])


def _tracking(config: Config, branch: str | None) -> Iterator[tuple[str, str]]:
    """What git has to know to find the branch's upstream."""
    remote, merge = _upstream(config, branch)
    if remote is None or merge is None:
        return
    yield f"branch.{branch}.remote", remote
    yield f"branch.{branch}.merge", merge
    fetch = f"remote.{remote}.fetch"
    for refspec in config.all(fetch):
        yield fetch, refspec


def _upstream(config: Config, branch: str | None) -> tuple[str | None, str | None]:
    return config.last(f"branch.{branch}.remote"), config.first(f"branch.{branch}.merge")


def _upstream_ref(config: Config, branch: str | None) -> str | None:
    """The ref that stands here for the branch at the remote (git-fetch(1), "refspec")."""
    remote, merge = _upstream(config, branch)
    ref = None
    if remote is not None and merge is not None:
        refspecs = config.all(f"remote.{remote}.fetch")
        ref = merge if remote == "." else _mapped(merge, refspecs)
    return ref if ref is not None and ref.startswith("refs/") else None


def _mapped(ref: str, refspecs: Iterable[str]) -> str | None:
    for refspec in refspecs:
        source, _, target = refspec.removeprefix("+").partition(":")
        if not target:
            continue  # it is fetched, and kept nowhere
        begins, star, ends = source.partition("*")
        if not star and source == ref:
            return target
        if star and ref.startswith(begins) and ref.endswith(ends):
            return target.replace("*", ref[len(begins) : len(ref) - len(ends)], 1)
    return None


def _copy_index(own: Folder, path: Path, room: Room) -> None:
    """Copies the index, and the one that it is split from (git-update-index(1), "Split index").

    The time of its last change goes with it: git takes files that are as new as the index for
    possibly changed.
    """
    if not own.copy("index", path / "index", _MAX_INDEX, room):
        return
    shared = {entry.name for entry in os.scandir(own.path) if _SHARED_INDEX.fullmatch(entry.name)}
    if shared:
        named = shared.intersection(_named_indexes(path / "index"))
        if len(named) > 1:
            raise broken("Its index is split from several others.")
        for name in named:
            own.copy(name, path / name, _MAX_INDEX, room)


def _named_indexes(index: Path) -> Iterator[str]:
    """What may be the name of the one that an index is split from, by what stands before it."""
    found = 0
    for piece in pieces(index, overlap=_LINK_SIZE):
        for link in _LINK.finditer(piece):
            found += 1
            if found > _MAX_LINKS:
                raise broken("Its index names too many others.")
            yield f"sharedindex.{link['sha1'].hex()}"
            yield f"sharedindex.{link['sha1'].hex()}{(link['rest'] or b'').hex()}"
