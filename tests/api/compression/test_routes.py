"""Which routes may compress their answers: every route is declared here or there."""

from fastapi.routing import APIRoute

from symphony.api.compression import is_compressible
from symphony.config.settings import Settings
from symphony.main import create_app

# A secret in a compressed answer can be guessed from the size of the answer (the BREACH attack).
SECRET = {
    "create_access_token",  # an access token
    "create_api_token",  # an API token
    "list_api_tokens",
    "get_current_api_token",
    "rotate_api_token",
    "revoke_api_token",
    "unlock_vault",  # a session
    "update_passphrase",
    "put_entry",
    "get_entry",
    "list_entries",
    "list_entry_versions",
    "delete_entry",
    "restore_entry",
}
# Always short, or without a content.
SHORT = {
    "live",
    "ready",
    "delete_user_profile",
    "delete_workspace",
    "delete_repo",
    "delete_vault",
    "delete_machine",
}
REDIRECTS = {
    "docs_with_slash",
    "redoc_with_slash",
    "problems_with_slash",
    "guides_with_slash",
}
PRECOMPRESSED = {"openapi"}


def test_exactly_the_routes_without_a_secret_may_compress_their_answers() -> None:
    app = create_app(Settings.model_validate({"demo_mode": True}))
    routes = [route for route in app.routes if isinstance(route, APIRoute)]
    assert len(routes) > 40
    never = {route.name for route in routes if not is_compressible({"route": route})}
    assert never == SECRET | SHORT | REDIRECTS | PRECOMPRESSED, (
        "a new route returns a secret, or is declared as compressible"
    )


def test_a_request_without_a_route_is_not_compressible() -> None:
    assert not is_compressible({})
