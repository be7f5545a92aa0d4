"""The disposal of a repo, over HTTP."""

from pathlib import Path

import pytest

from scripts.support.git_repository import Repository
from symphony.config.settings import Settings
from symphony.infrastructure.git.status.limits import InspectionLimits
from symphony.main import GitLimits
from tests.support.api import User, code, running_api, sign_up, utc

pytestmark = pytest.mark.usefixtures("git_root")


async def registered(user: User, path: Path) -> str:
    """The path of the disposal of a repo."""
    repo = await user.repo((await user.workspace())["id"], path=str(path))
    return f"/repos/{repo['id']}/disposal"


async def test_a_verdict_with_its_evidence_is_returned(
    ada: User, folder: Path, upstream: Repository
) -> None:
    clone = upstream.clone(folder / "engine")
    address = await registered(ada, clone.path)
    answer = await ada.get(address)
    assert answer.status_code == 200
    disposal = answer.json()
    assert utc(disposal.pop("observed_at"))
    assert disposal == {"verdict": "safe", "evidence": []}
    assert "etag" not in answer.headers
    clone.write(".git/info/exclude", ".env\n")
    clone.write(".env", "TOKEN=not-for-the-answer\n")
    answer = await ada.get(address)
    disposal = answer.json()
    assert (disposal["verdict"], len(disposal["evidence"])) == ("unsafe", 1)
    assert disposal["evidence"][0] == {
        "kind": "ignored-secrets",
        "detail": "Files that look like configuration or secrets, and are not in git: .env.",
        "count": 1,
    }
    assert "not-for-the-answer" not in answer.text


async def test_a_repo_that_cannot_be_read_is_unknown_with_a_reason(ada: User, folder: Path) -> None:
    workspace = (await ada.workspace())["id"]
    (folder / "plain").mkdir()
    for name, path, reason in (
        ("missing", folder / "nothing", "Nothing exists at this path."),
        ("plain", folder / "plain", "The directory has no .git."),
        ("outside", folder.parent, "The directory is outside the git roots of this service."),
    ):
        repo = await ada.repo(workspace, name, path=str(path))
        answer = await ada.get(f"/repos/{repo['id']}/disposal")
        assert answer.status_code == 200
        assert answer.json()["verdict"] == "unknown"
        assert answer.json()["evidence"] == [{"kind": "not-checked", "detail": reason, "count": 1}]


async def test_the_disposal_of_another_users_repo_is_a_404(
    ada: User, eve: User, folder: Path
) -> None:
    assert code(await eve.get(await registered(ada, folder))) == "404 repo-not-found"


async def test_without_git_roots_a_disposal_is_refused(settings: Settings) -> None:
    async with running_api(settings.model_copy(update={"git_roots": ()})) as client:
        ada = await sign_up(client, "ada")
        assert code(await ada.get(await registered(ada, Path("/srv/x")))) == "403 git-disabled"


@pytest.mark.parametrize("git_limits", [GitLimits(inspection=InspectionLimits(max_queued=0))])
async def test_a_disposal_is_a_503_when_the_queue_is_full(ada: User, folder: Path) -> None:
    answer = await ada.get(await registered(ada, folder))
    assert code(answer) == "503 service-unavailable"
    assert answer.headers["retry-after"]
