"""The route of a repo's disposal, with its response schema."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from symphony.api.compression import compressible
from symphony.api.dependencies import Actor, App
from symphony.api.fields import RepoId
from symphony.api.openapi.problem_responses import problem_responses
from symphony.api.responses import Observation, Representation
from symphony.api.routing import router
from symphony.application.orchestrations import repo_disposal
from symphony.domain.git.disposal import EvidenceKind, Verdict

routes = router("repos")


@dataclass(slots=True)
class EvidenceResponse(Representation):
    """What would be lost, or what could not be checked."""

    kind: Annotated[
        EvidenceKind, Field(description="What it is about.", examples=["ignored-secrets"])
    ]
    detail: Annotated[
        str,
        Field(
            description="A sentence, with up to five names.",
            examples=[
                "Files that look like configuration or secrets, and are not in git: .env, api.pem."
            ],
        ),
    ]
    count: Annotated[
        int,
        Field(description="How many there are, at least: commits, files, branches.", examples=[2]),
    ]


@dataclass(slots=True)
class DisposalResponse(Observation):
    """Whether a repo's directory can be deleted without a loss, from an inspection."""

    verdict: Annotated[
        Verdict,
        Field(
            description="`unsafe` if something would be lost, `unknown` if not everything could be"
            " checked, otherwise `safe`.",
            examples=["unsafe"],
        ),
    ]
    evidence: Annotated[
        list[EvidenceResponse],
        Field(description="The reasons for the verdict; none if it is `safe`."),
    ]


@routes.get(
    "/repos/{repo_id}/disposal",
    summary="Check whether a repo's directory can be deleted",
    responses=problem_responses("git-disabled", "repo-not-found"),
)
@compressible
async def get_repo_disposal(repo_id: RepoId, actor: Actor, app: App) -> DisposalResponse:
    """Inspects the repo's directory now, without changing it: would its deletion lose anything?

    A directory that cannot be inspected is not an error: the verdict is `unknown`.
    """
    disposal = await repo_disposal.get_repo_disposal(
        repo_disposal.GetRepoDisposal(actor.reach, repo_id), app
    )
    shown = DisposalResponse.of(disposal)
    shown.evidence = EvidenceResponse.of_each(disposal.evidence)
    return shown
