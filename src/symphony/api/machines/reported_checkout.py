"""The schema of a checkout in a report."""

from typing import Annotated, Any

from pydantic import Field

from symphony.api.machines.reported_status import (
    MAX_PATH,
    MAX_REMOTES,
    MAX_URL,
    Reported,
    ReportedStatus,
    commit,
    text,
)
from symphony.api.problems.validation_errors import PATH_PATTERN
from symphony.domain.git.credentials import without_credentials
from symphony.domain.git.status import Head, LinkedWorktree, RepoStatus
from symphony.domain.git.work import RemoteKnowledge, WorkItem
from symphony.domain.machines.checkouts import (
    MAX_REMOTE_HEADS,
    MAX_ROOT_COMMITS,
    Checkout,
    CheckoutRemote,
    RemoteHead,
)


class ReportedRemote(Reported):
    """A remote of a checkout."""

    name: Annotated[str, text("Its name.", "origin")]
    url: Annotated[
        str,
        text(
            "Its address; a password in it is removed.",
            "git@git.example.org:ada/engine.git",
            MAX_URL,
        ),
    ]


class ReportedRemoteHead(Reported):
    """A remote-tracking branch of a checkout."""

    remote: Annotated[str, text("The name of the remote.", "origin")]
    branch: Annotated[str, text("The name of the branch there.", "main")]
    head: Annotated[str, commit("The id of its commit.")]


class ReportedCheckout(Reported):
    """A directory with a git repository, or a linked worktree of one."""

    path: Annotated[
        str,
        Field(
            description="Its absolute path on the machine, unique in the report.",
            examples=["/home/ada/dev/engine"],
            max_length=MAX_PATH,
            pattern=PATH_PATTERN,
        ),
    ]
    remotes: Annotated[
        list[ReportedRemote],
        Field(max_length=MAX_REMOTES, fail_fast=True, description="Its remotes; at most 100."),
    ]
    root_commits: Annotated[
        list[Annotated[str, commit("The id of a commit without parents.")]],
        Field(
            max_length=MAX_ROOT_COMMITS,
            fail_fast=True,
            description="The ids of commits without parents; at most 20.",
            examples=[["3b18e512dba79e4c8300dd08aeb37f8e728b8dad"]],
        ),
    ]
    remote_heads: Annotated[
        list[ReportedRemoteHead],
        Field(
            max_length=MAX_REMOTE_HEADS,
            fail_fast=True,
            description="Its remote-tracking branches; at most 2,000.",
        ),
    ]
    status: Annotated[ReportedStatus, Field(description="The result of its inspection.")]

    def checkout(self) -> Checkout:
        """Return the checkout, without the credentials in addresses of remotes."""
        return Checkout(
            path=self.path,
            remotes=[
                CheckoutRemote(each.name, without_credentials(each.url)) for each in self.remotes
            ],
            root_commits=self.root_commits,
            remote_heads=[
                RemoteHead(each.remote, each.branch, each.head) for each in self.remote_heads
            ],
            status=_status(self.status),
        )


def _status(sent: ReportedStatus) -> RepoStatus:
    others: dict[str, Any] = {
        "head": sent.head and Head(**sent.head.__dict__),
        "remotes": {name: without_credentials(url) for name, url in sent.remotes.items()},
        "work": [WorkItem(**each.__dict__) for each in sent.work],
        "worktrees": [LinkedWorktree(**each.__dict__) for each in sent.worktrees],
        "as_of": sent.as_of and RemoteKnowledge(sent.as_of.source, sent.as_of.at),
    }
    return RepoStatus(**(sent.__dict__ | others))
