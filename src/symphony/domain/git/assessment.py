"""The assessment of a disposal: what an inspection found becomes evidence."""

from collections.abc import Sequence
from dataclasses import dataclass

from symphony.domain.git.disposal import (
    Disposal,
    Evidence,
    EvidenceKind,
    Verdict,
    unknown_disposal,
)
from symphony.domain.git.status import RepoState, RepoStatus
from symphony.domain.git.work import Work, WorkItem, WorkKind

_MAX_NAMES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class DisposalFindings:
    """What an inspection for a disposal finds beside the status.

    `files_at_risk` says whether something exists only in the files of this worktree, None when that
    could not be determined. `detached_commits` are those that only the detached HEAD of this linked
    worktree reaches, None when unknown. `inner_remotes` and `outer_remotes` are the remotes inside
    the directory and all others. `unchecked` has a sentence for everything that could not be
    checked.
    """

    work: Work
    files_at_risk: bool | None
    detached_commits: int | None = 0
    inner_remotes: Sequence[str] = ()
    outer_remotes: Sequence[str] = ()
    submodules: Sequence[str] = ()
    secrets: Sequence[str] = ()
    nested: Sequence[str] = ()
    outdated: Sequence[str] = ()
    large_files: Sequence[str] = ()
    shallow: Sequence[str] = ()
    partial: Sequence[str] = ()
    unchecked: Sequence[str] = ()


def assess(status: RepoStatus, findings: DisposalFindings | None) -> Disposal:
    """Return whether the directory of an inspected repository can be deleted without a loss.

    With a linked worktree, only its files and the commits of its detached HEAD are deleted: the
    branches, tags and stashes are in its repository.
    """
    if findings is None or status.state not in {RepoState.CLEAN, RepoState.DIRTY}:
        return unknown_disposal(status.reason or "It was not inspected.", status.observed_at)
    evidence = _of_files(status, findings)
    if status.main_repository is None:
        evidence += _of_commits(status, findings)
        evidence += _of_worktrees(status)
    else:
        evidence += _of_detached_head(findings)
    evidence += _of_findings(findings)
    found = Disposal(evidence, status.observed_at)
    is_main = status.main_repository is None
    at_risk = status.at_risk if is_main else findings.files_at_risk
    evidence += _of_status(status, found.verdict, at_risk=at_risk)
    return found


def _of_files(status: RepoStatus, findings: DisposalFindings) -> list[Evidence]:
    evidence = list[Evidence]()
    changes = status.staged + status.modified + status.conflicted
    if changes:
        detail = (
            f"Staged: {status.staged:,}; modified: {status.modified:,};"
            f" in conflict: {status.conflicted:,}."
        )
        evidence.append(Evidence(EvidenceKind.UNCOMMITTED, detail, changes))
    if status.untracked:
        detail = f"Files and directories that git does not track: {status.untracked:,}."
        evidence.append(Evidence(EvidenceKind.UNTRACKED, detail, status.untracked))
    if status.operation is not None:
        detail = f"The operation in progress may keep work in its files: {status.operation}."
        evidence.append(Evidence(EvidenceKind.OPERATION, detail))
    elif findings.files_at_risk is None:
        detail = "Not all files were compared: the configuration or the index excludes some."
        evidence.append(Evidence(EvidenceKind.NOT_CHECKED, detail))
    return evidence


def _of_commits(status: RepoStatus, findings: DisposalFindings) -> list[Evidence]:
    evidence, work = list[Evidence](), findings.work
    if status.stashes:
        detail = f"Stashes: {status.stashes:,}."
        evidence.append(Evidence(EvidenceKind.STASH, detail, status.stashes))
    if not findings.outer_remotes:
        if status.head is not None or work.items:
            detail = "The commits exist only here: the repository has no remote elsewhere."
            count = work.unpushed_commits or 1
            evidence.append(Evidence(EvidenceKind.NO_REMOTE, detail, count))
    elif work.at_risk:
        names = [_shown(each) for each in work.items if _is_at_risk(each)]
        detail = f"Commits that are on no remote, of {_joined(names)}."
        evidence.append(Evidence(EvidenceKind.UNPUSHED, detail, work.at_risk))
    elif work.at_risk is None:
        detail = work.reason or "Whether the unpushed commits exist elsewhere is unknown."
        evidence.append(Evidence(EvidenceKind.NOT_CHECKED, detail))
    if work.reason is not None and work.at_risk is not None:
        evidence.append(Evidence(EvidenceKind.NOT_CHECKED, work.reason))
    if findings.outer_remotes and findings.inner_remotes:
        detail = f"Remotes that are in this directory: {_joined(findings.inner_remotes)}."
        evidence.append(Evidence(EvidenceKind.NOT_CHECKED, detail, len(findings.inner_remotes)))
    return evidence


def _of_detached_head(findings: DisposalFindings) -> list[Evidence]:
    if findings.detached_commits is None:
        detail = "Whether the commits of the detached HEAD are elsewhere is unknown."
        return [Evidence(EvidenceKind.NOT_CHECKED, detail)]
    if findings.detached_commits:
        detail = "Commits that only the detached HEAD of this worktree reaches."
        return [Evidence(EvidenceKind.UNPUSHED, detail, findings.detached_commits)]
    return []


def _of_worktrees(status: RepoStatus) -> list[Evidence]:
    """A worktree needs its repository; one whose directory is missing may have been moved."""
    evidence = list[Evidence]()
    existing = [each.path for each in status.worktrees if each.state != RepoState.MISSING]
    missing = [each.path for each in status.worktrees if each.state == RepoState.MISSING]
    if existing:
        detail = f"Linked worktrees that need this repository: {_joined(existing)}."
        evidence.append(Evidence(EvidenceKind.WORKTREE, detail, len(existing)))
    if missing:
        detail = f"Linked worktrees that are missing, or were moved: {_joined(missing)}."
        evidence.append(Evidence(EvidenceKind.NOT_CHECKED, detail, len(missing)))
    return evidence


def _of_findings(findings: DisposalFindings) -> list[Evidence]:
    named = (
        (EvidenceKind.SUBMODULE, "Submodules with something that exists only here", "submodules"),
        (
            EvidenceKind.IGNORED_SECRETS,
            "Files that look like configuration or secrets, and are not in git",
            "secrets",
        ),
        (EvidenceKind.NESTED_REPOSITORY, "Repositories inside, not inspected", "nested"),
        (
            EvidenceKind.OUTDATED_REMOTE,
            "Remote-tracking branches that differ from what the last sync saw, until the next"
            " `git fetch --prune`",
            "outdated",
        ),
        (
            EvidenceKind.LARGE_FILES,
            "Files outside of the history, which may not be at the remote",
            "large_files",
        ),
        (EvidenceKind.SHALLOW_CLONE, "Without a part of the history", "shallow"),
        (EvidenceKind.PARTIAL_CLONE, "Without a part of the objects", "partial"),
    )
    evidence = list[Evidence]()
    for kind, text, attribute in named:
        names: Sequence[str] = getattr(findings, attribute)
        if names:
            evidence.append(Evidence(kind, f"{text}: {_joined(names)}.", len(names)))
    return evidence + [Evidence(EvidenceKind.NOT_CHECKED, each) for each in findings.unchecked]


def _of_status(status: RepoStatus, verdict: Verdict, *, at_risk: bool | None) -> list[Evidence]:
    """Return evidence for what the status knows and nothing else does."""
    if at_risk and verdict != Verdict.UNSAFE:
        detail = "Something exists only here, according to the status."
        return [Evidence(EvidenceKind.AT_RISK, detail)]
    if at_risk is None and verdict == Verdict.SAFE:
        detail = status.reason or "Whether something exists only here could not be determined."
        return [Evidence(EvidenceKind.NOT_CHECKED, detail)]
    return []


def _is_at_risk(item: WorkItem) -> bool:
    return bool(item.unpushed_commits) and not item.integrated.is_proved


def _shown(item: WorkItem) -> str:
    if item.kind == WorkKind.DETACHED:
        return "a detached HEAD"
    return f"{item.kind} {item.name}"


def _joined(names: Sequence[str]) -> str:
    others = len(names) - _MAX_NAMES
    more = [f"and {others:,} more"] if others > 0 else []
    return ", ".join([*names[:_MAX_NAMES], *more])
