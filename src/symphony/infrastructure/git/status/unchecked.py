"""What an inspection of a working tree does not see, and stashes that git does not list."""

import re
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path

from symphony.domain.base import utc_now
from symphony.domain.git.since import earliest, plausible
from symphony.infrastructure.git.files.operations import current_operation
from symphony.infrastructure.git.files.untrusted_directory import overlapping_chunks
from symphony.infrastructure.git.history.commits import to_time
from symphony.infrastructure.git.process.private_directory import PrivateDirectory
from symphony.infrastructure.git.status.findings import Findings
from symphony.infrastructure.git.status.porcelain import parse_porcelain

# With these, and without the setting, git looks for untracked files (git-config(1)).
_UNTRACKED_FILES_SHOWN = {"normal", "all", "true", "yes", "on", "1"}
# What git prints when it cannot read a directory or a file: the end is the system's message.
_UNREADABLE = re.compile(r"^(?:warning: could not open directory |(?!warning: )\S.*: [A-Z])", re.M)
_MAX_STASH_LOG = 16 << 20  # bytes
_MAX_STASHES_DATED = 100  # the oldest ones
# Its identity can contain anything but a line feed, the message begins with a tab.
_STASHED_AT = re.compile(rb"^[^\n\t]*> (\d{1,15}) [+-]\d{4}(?:\t|$)", re.M)
_HEAD = "HEAD"
_STASH = "refs/stash"
_PACKED_STASH = re.compile(rb"(?:^|\n)[0-9a-f]{40,64} refs/stash\n")
_LONGEST_PACKED_STASH = 128  # bytes, with what is around it


def find_unchecked(private: PrivateDirectory) -> Findings:
    """Say why `git status` may not report all that exists only in a working tree.

    An operation may keep patches (`git am`), changes (`--autostash`) or the commits that it started
    from in files, which are on no branch.

    Raises: Unreadable.
    """
    findings = Findings()
    untracked = private.config.last("status.showuntrackedfiles")
    if untracked is not None and untracked.lower() not in _UNTRACKED_FILES_SHOWN:
        findings.unknown.append("status.showUntrackedFiles keeps git from finding untracked files.")
    own = private.location.git_directory
    operation = current_operation(own)
    if operation is not None:
        findings.unknown.append(f"The operation in progress ({operation}) may keep work in files.")
    elif own.mode("MERGE_AUTOSTASH") is not None:
        findings.unknown.append("A merge has left changes in MERGE_AUTOSTASH.")
    return findings


def find_other_case(private: PrivateDirectory) -> Findings:
    """Say whether git takes an untracked file for a tracked one whose name differs in case.

    It does so with `core.ignoreCase`, as in a repository that was copied from a system that does
    not distinguish case. Ignored files may match as well, so it is not certain.

    Raises: Unreadable, Stopped.
    """
    findings = Findings()
    config, own = private.config, private.location.git_directory
    if config.is_true("core.ignorecase") and own.mode(_HEAD.lower()) is None:
        output = private.git(
            *("-c", "core.ignoreCase=false"),
            *("status", "--porcelain=v2", "-z", "--ignore-submodules=all"),
        )
        if parse_porcelain(output, private.program.check_stopped).untracked:
            findings.unknown.append("core.ignoreCase keeps git from finding untracked files.")
    return findings


def find_unreadable(error_output: str) -> Findings:
    """Say whether git could not read a part of the working tree, which it only warns of."""
    findings = Findings()
    if _UNREADABLE.search(error_output):
        findings.unknown.append("git cannot read a part of the working tree.")
    return findings


@dataclass(frozen=True, slots=True)
class Stashes:
    """How many stashes there are, and the earliest known time of one."""

    count: int
    since: datetime | None = None


def find_stashes(private: PrivateDirectory) -> Stashes:
    """As in git, each line of the log is a stash; without the log, the ref is one.

    Raises: Unreadable, Stopped.
    """
    common = private.location.common_directory
    log = common.read(f"logs/{_STASH}", _MAX_STASH_LOG) or b""
    if not log:
        exists = common.mode(_STASH) is not None
        return Stashes(int(exists or _is_packed(private.path / "packed-refs", private)))
    now = utc_now()
    oldest = islice(_STASHED_AT.finditer(log), _MAX_STASHES_DATED)
    since = earliest(plausible(to_time(int(each[1])), now) for each in oldest)
    return Stashes(log.count(b"\n"), since)


def _is_packed(packed_refs: Path, private: PrivateDirectory) -> bool:
    if not packed_refs.exists():
        return False
    for chunk in overlapping_chunks(packed_refs, overlap=_LONGEST_PACKED_STASH):
        private.program.check_stopped()
        if _PACKED_STASH.search(chunk):
            return True
    return False
