"""Pages of other origins may use the API only if the settings name the origin."""

from symphony.config.settings import Settings
from tests.support.api import API, running_api

PAGE = "https://app.example.org"
PREFLIGHT = {"Origin": PAGE, "Access-Control-Request-Method": "PATCH"}


async def test_by_default_no_other_origin_is_allowed(settings: Settings) -> None:
    async with running_api(settings) as client:
        for answer in (
            await client.options(f"{API}/user-profiles/me", headers=PREFLIGHT),
            await client.get("/", headers={"Origin": PAGE}),
        ):
            assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_only_a_configured_origin_is_allowed(settings: Settings) -> None:
    named = settings.model_copy(update={"cors_origins": (PAGE,)})
    async with running_api(named) as client:
        preflight = await client.options(f"{API}/user-profiles/me", headers=PREFLIGHT)
        assert preflight.status_code == 200
        assert preflight.headers["access-control-allow-origin"] == PAGE
        assert "Vault-Session" in preflight.headers["access-control-allow-headers"]
        other = await client.get("/", headers={"Origin": "https://evil.example.org"})
        assert "access-control-allow-origin" not in other.headers
