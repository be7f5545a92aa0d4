"""Bodies of reports, as reporters send them."""

import gzip
import json
from hashlib import sha1
from typing import Any

import httpx

from symphony.domain.base import utc_now
from tests.support.api import User

TIME = "2026-11-15T17:02:11.000250Z"
URL = "https://git.example.org/ada/engine.git"


def commit(name: str) -> str:
    """The id of a commit."""
    return sha1(name.encode()).hexdigest()  # noqa: S324 - as git names commits


def work_item(**fields: Any) -> dict[str, Any]:
    """A branch with one commit that is on no remote."""
    return {
        "kind": "branch",
        "name": "main",
        "worktree": None,
        "head": commit("tip"),
        "upstream": "origin/main",
        "ahead": 1,
        "behind": 0,
        "unpushed_commits": 1,
        "integrated": "no",
        "committed_at": TIME,
        "unpushed_since": None,
    } | fields


def status_body(**fields: Any) -> dict[str, Any]:
    """A clean status without anything that exists only there."""
    return {
        "observed_at": utc_now().isoformat().replace("+00:00", "Z"),
        "state": "clean",
        "reason": None,
        "branch": "main",
        "head": {"id": commit("tip"), "subject": "Note G", "author": "Ada", "authored_at": TIME},
        "upstream": "origin/main",
        "ahead": 0,
        "behind": 0,
        "staged": 0,
        "modified": 0,
        "untracked": 0,
        "conflicted": 0,
        "stashes": 0,
        "operation": None,
        "remotes": {"origin": URL},
        "unpushed_commits": 0,
        "work": [work_item(ahead=0, unpushed_commits=0, integrated="merged")],
        "work_truncated": False,
        "worktrees": [],
        "at_risk": False,
        "as_of": {"source": "fetch", "at": TIME},
        "main_repository": None,
        "changed_since": None,
        "stashed_since": None,
    } | fields


def checkout_body(path: str = "/home/ada/dev/engine", **fields: Any) -> dict[str, Any]:
    """A checkout with one remote; `status` has the fields that differ from `status_body`."""
    status = status_body(**fields.pop("status", {}))
    return {
        "path": path,
        "remotes": [{"name": "origin", "url": URL}],
        "root_commits": [commit("root")],
        "remote_heads": [{"remote": "origin", "branch": "main", "head": commit("tip")}],
        "status": status,
    } | fields


def report_body(*checkouts: dict[str, Any], sequence: int = 1) -> dict[str, Any]:
    return {"sequence": sequence, "roots": ["/home/ada/dev"], "checkouts": list(checkouts)}


async def put_report(user: User, machine_id: str, body: Any, **headers: str) -> httpx.Response:
    return await user.put(f"/machines/{machine_id}/report", body, headers=headers)


async def put_bytes(
    user: User, machine_id: str, content: bytes, encoding: str | None = None, **headers: str
) -> httpx.Response:
    """Send a body as it is."""
    if encoding is not None:
        headers["Content-Encoding"] = encoding
    return await user.request(
        "PUT",
        f"/machines/{machine_id}/report",
        content=content,
        headers={"Content-Type": "application/json"} | headers,
    )


def compressed(body: Any) -> bytes:
    return gzip.compress(json.dumps(body).encode())
