"""HEAD is supported wherever GET is."""

import pytest

from tests.support.api import API, User


@pytest.mark.long
async def test_head_has_the_response_of_get_without_a_body(ada: User) -> None:
    workspace_id = (await ada.workspace())["id"]
    repo, vault = await ada.repo(workspace_id), await ada.vault(workspace_id)
    for path in (
        "/",
        "/docs",
        "/docs/assets/docs.js",
        "/docs/assets/swagger-ui.css",
        "/health/live",
        "/health/ready",
        "/problems/vault-locked",
        f"{API}/openapi.json",
        f"{API}/api-tokens",
        f"{API}/user-profiles/me",
        f"{API}/user-profiles/{ada.id}",
        f"{API}/user-profiles/{ada.id}/workspaces",
        f"{API}/workspaces/{workspace_id}",
        f"{API}/workspaces/{workspace_id}/stats",
        f"{API}/workspaces/{workspace_id}/repos",
        f"{API}/workspaces/{workspace_id}/vaults",
        f"{API}/repos/{repo['id']}",
        f"{API}/vaults/{vault['id']}",
        f"{API}/vaults/{ada.id}",
        "/nothing",
    ):
        headers = ada.headers | {"X-Request-ID": "the-same"}
        get = await ada.client.get(path, headers=headers)
        head = await ada.client.head(path, headers=headers)
        assert head.status_code == get.status_code
        assert head.headers == get.headers, path
        assert get.content
        assert not head.content
