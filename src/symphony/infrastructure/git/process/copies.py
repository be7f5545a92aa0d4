"""Copies of HEAD, refs, the index and lists of a repository, for a private git directory."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from symphony.infrastructure.git.files.config import Config
from symphony.infrastructure.git.files.location import Location
from symphony.infrastructure.git.files.roots import real_path
from symphony.infrastructure.git.files.stopping import CheckStopped
from symphony.infrastructure.git.files.unreadable import broken, refused
from symphony.infrastructure.git.files.untrusted_directory import (
    CopyBudget,
    UntrustedDirectory,
    overlapping_chunks,
)

MAX_RULES = 1 << 20  # bytes
_MAX_REF = 4096  # bytes
_MAX_INDEX = 256 << 20  # bytes
_MAX_SYMBOLIC_REFS = 5  # in a chain, as in git itself
_REF_NAME = rb"refs/[^\x00-\x20\x7f~^:?*\[\\]+"
_SYMBOLIC_REF = re.compile(rb"ref:[ \t]*(" + _REF_NAME + rb")\s*")
# What git-check-ref-format(1) refuses beyond that.
_MALFORMED_REF = re.compile(r"(?:^|/)(?:\.|/|$)|\.\.|@\{|\.lock(?:/|$)|\.$")
_WHOLE_REF_NAME = re.compile(_REF_NAME)
_BRANCHES = "refs/heads/"
_OF_ONE_WORKTREE = ("refs/bisect/", "refs/rewritten/", "refs/worktree/")  # gitrepository-layout(5)
_OBJECT_ID = re.compile(rb"(?:[0-9a-f]{40}|[0-9a-f]{64})\s*")
_SHARED_INDEX = re.compile(r"sharedindex\.([0-9a-f]{40}|[0-9a-f]{64})")
# The extension of a split index (gitformat-index(5)): its size, then the hash of the shared index.
_LINK = re.compile(rb"link(?=\0.{3}(?P<sha1>.{20})(?P<sha256_rest>.{12})?)", re.DOTALL)
_LINK_SIZE = 4 + 4 + 32
_MAX_SHARED_INDEXES = 10_000  # git removes those that it did not use for two weeks
_MAX_LINKS = 100_000  # paths in an index may resemble the extension


def is_ref_name(name: str) -> bool:
    """Return whether a ref can have this full name (git-check-ref-format(1))."""
    is_plain = _WHOLE_REF_NAME.fullmatch(os.fsencode(name)) is not None
    return is_plain and not _MALFORMED_REF.search(name)


def copy_head(
    own: UntrustedDirectory, common: UntrustedDirectory, target: Path, common_target: Path
) -> str | None:
    """Copy HEAD and the refs that it refers to; return the branch that is checked out.

    None when HEAD is detached, or refers to a ref that is no branch (`refs/foo`): git itself prints
    the branch `(null)` then. A branch that is another name of one counts as the latter, as in git.

    Raises: Unreadable.
    """
    content = own.read("HEAD", _MAX_REF) or b""
    symbolic = _SYMBOLIC_REF.fullmatch(content)
    if symbolic is None and not _OBJECT_ID.fullmatch(content):
        raise broken("HEAD is damaged.")
    (target / "HEAD").write_bytes(content)
    if symbolic is None:
        return None
    name = os.fsdecode(symbolic[1])
    ref = copy_ref(name, own, common, target, common_target, _MAX_SYMBOLIC_REFS - 1)  # after HEAD
    if _MALFORMED_REF.search(ref):
        raise broken("HEAD is damaged.")
    return ref.removeprefix(_BRANCHES) if ref.startswith(_BRANCHES) else None


def copy_ref(
    name: str,
    own: UntrustedDirectory,
    common: UntrustedDirectory,
    target: Path,
    common_target: Path,
    longest_chain: int = _MAX_SYMBOLIC_REFS,
) -> str:
    """Copy a ref that is a file of its own, and the refs that it refers to; return the last name.

    Raises: Unreadable.
    """
    for _ in range(longest_chain):
        is_own = name.startswith(_OF_ONE_WORKTREE)
        directory, copy = (own, target / name) if is_own else (common, common_target / name)
        # git leaves a directory when the branches in it are deleted; a packed ref may then have its
        # name.
        content = None if directory.has_directory(name) else directory.read(name, _MAX_REF)
        if content is None:
            return name
        symbolic = _SYMBOLIC_REF.fullmatch(content)
        if symbolic is None and not _OBJECT_ID.fullmatch(content):
            break
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(content)
        if symbolic is None:
            return name
        name = os.fsdecode(symbolic[1])
    raise broken("A ref of the branch or of its upstream is damaged.")


def copy_rule_list(
    setting: str, location: Location, config: Config, target: Path, budget: CopyBudget
) -> bool:
    """Copy the list that a setting names; return False when there is none.

    As in git, a relative path starts in the working tree. A list of the service's user may be
    outside the git roots; it was read before.

    Raises: Unreadable, Stopped, OSError.
    """
    value = config.last(setting)
    if not value:
        return False
    path = os.path.expanduser(value)
    if path in config.user_lists:
        content = config.user_lists[path]
        if content is not None:
            target.write_bytes(content)
        return content is not None
    subject = f"The file that {setting} names"
    top = location.work_tree or location.git_directory
    # git searches these in the directory of its own installation.
    real = None if path.startswith("%(prefix)") else real_path(top.path / path)
    if real is None:
        raise refused(f"{subject} is outside the git roots of this service.")
    try:
        parent = location.roots.open(real.parent, subject)
    except (FileNotFoundError, NotADirectoryError):
        return False
    with parent:
        return parent.copy(real.name, target, MAX_RULES, budget)


def copy_index(own: UntrustedDirectory, target: Path, budget: CopyBudget) -> None:
    """Copy the index, and its shared index when it is split (git-update-index(1), "Split index").

    The copy keeps the modification time: git compares the content of files that are as new as the
    index.

    Raises: Unreadable.
    """
    if not own.copy("index", target / "index", _MAX_INDEX, budget):
        return
    existing = _existing_shared_indexes(own)
    if existing:
        names = existing.intersection(_shared_index_names(target / "index", own.check_stopped))
        if len(names) > 1:
            raise broken("The index refers to more than one shared index.")
        for name in names:
            own.copy(name, target / name, _MAX_INDEX, budget)


def _existing_shared_indexes(own: UntrustedDirectory) -> set[str]:
    existing = set[str]()
    for entry in own.entries():
        if _SHARED_INDEX.fullmatch(entry.name):
            existing.add(entry.name)
            if len(existing) > _MAX_SHARED_INDEXES:
                raise broken(
                    f"The git directory has more than {_MAX_SHARED_INDEXES:,} shared indexes."
                )
    return existing


def _shared_index_names(index: Path, check_stopped: CheckStopped) -> Iterator[str]:
    """Yield all possible names of the shared index: from all bytes that match the extension."""
    found = 0
    for chunk in overlapping_chunks(index, overlap=_LINK_SIZE):
        check_stopped()
        for link in _LINK.finditer(chunk):
            found += 1
            if found > _MAX_LINKS:
                raise broken(
                    f"The index has more than {_MAX_LINKS:,} references to shared indexes."
                )
            yield f"sharedindex.{link['sha1'].hex()}"
            yield f"sharedindex.{link['sha1'].hex()}{(link['sha256_rest'] or b'').hex()}"
