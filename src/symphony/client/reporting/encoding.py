"""The JSON of a report. A status has the form in which the server returns one."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from symphony.domain.git.status import Head, LinkedWorktree, RepoStatus
from symphony.domain.git.work import RemoteKnowledge, WorkItem
from symphony.domain.machines.checkouts import Checkout, Report


def encode_report(report: Report) -> dict[str, Any]:
    return {
        "sequence": report.sequence,
        "roots": list(report.roots),
        "checkouts": [encode_checkout(each) for each in report.checkouts],
    }


def encode_checkout(checkout: Checkout) -> dict[str, Any]:
    return {
        "path": checkout.path,
        "remotes": [{"name": each.name, "url": each.url} for each in checkout.remotes],
        "root_commits": list(checkout.root_commits),
        "remote_heads": [
            {"remote": each.remote, "branch": each.branch, "head": each.head}
            for each in checkout.remote_heads
        ],
        "status": encode_status(checkout.status),
    }


def encode_status(status: RepoStatus) -> dict[str, Any]:
    """Encode what GET /repos/{id}/status returns; the rest of a status is derived from it."""
    return {
        "observed_at": _time(status.observed_at),
        "state": status.state,
        "reason": status.reason,
        "branch": status.branch,
        "head": None if status.head is None else _head(status.head),
        "upstream": status.upstream,
        "ahead": status.ahead,
        "behind": status.behind,
        "staged": status.staged,
        "modified": status.modified,
        "untracked": status.untracked,
        "conflicted": status.conflicted,
        "stashes": status.stashes,
        "operation": status.operation,
        "remotes": dict(status.remotes),
        "unpushed_commits": status.unpushed_commits,
        "work": [_work_item(each) for each in status.work],
        "work_truncated": status.work_truncated,
        "worktrees": [_worktree(each) for each in status.worktrees],
        "at_risk": status.at_risk,
        "as_of": None if status.as_of is None else _knowledge(status.as_of),
        "main_repository": status.main_repository,
        "changed_since": _time(status.changed_since),
        "stashed_since": _time(status.stashed_since),
    }


def _head(head: Head) -> Mapping[str, Any]:
    return {
        "id": head.id,
        "subject": head.subject,
        "author": head.author,
        "authored_at": _time(head.authored_at),
    }


def _work_item(item: WorkItem) -> Mapping[str, Any]:
    return {
        "kind": item.kind,
        "name": item.name,
        "worktree": item.worktree,
        "head": item.head,
        "upstream": item.upstream,
        "ahead": item.ahead,
        "behind": item.behind,
        "unpushed_commits": item.unpushed_commits,
        "integrated": item.integrated,
        "committed_at": _time(item.committed_at),
        "unpushed_since": _time(item.unpushed_since),
    }


def _worktree(worktree: LinkedWorktree) -> Mapping[str, Any]:
    return {
        "path": worktree.path,
        "branch": worktree.branch,
        "head": worktree.head,
        "state": worktree.state,
        "reason": worktree.reason,
        "changed_since": _time(worktree.changed_since),
    }


def _knowledge(knowledge: RemoteKnowledge) -> Mapping[str, Any]:
    return {"source": knowledge.source, "at": _time(knowledge.at)}


def _time(time: datetime | None) -> str | None:
    """Encode a time in UTC (RFC 3339), as the server does."""
    return None if time is None else time.astimezone(UTC).isoformat().replace("+00:00", "Z")
