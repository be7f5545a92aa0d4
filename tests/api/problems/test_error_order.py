"""Which error is reported if a request has several."""

from symphony.config.settings import Settings
from tests.support.api import code, running_api, sign_up

JSON = {"Content-Type": "application/json"}
LIMIT = 1024


async def test_of_several_errors_the_first_in_order_is_reported(settings: Settings) -> None:
    """Route, size, identity, media type, syntax, scope, content, existence, condition, lock,
    conflict: each request has one error less than the one before."""
    async with running_api(settings.model_copy(update={"max_body_bytes": LIMIT})) as client:
        ada = await sign_up(client, "ada")
        workspace_id = (await ada.workspace())["id"]
        await ada.vault(workspace_id, "taken")
        vault = await ada.vault(workspace_id)
        await ada.post(f"/vaults/{vault['id']}/lock")
        reader = (await ada.api_token("read"))["token"]
        large, rubbish, wrong = b"{" * (LIMIT + 1), b"{", b'{"colour": 1}'
        conflict, fine = b'{"name": "taken"}', b'{"name": "free"}'
        there, nothing = f"/vaults/{vault['id']}", f"/vaults/{workspace_id}"
        text, stale = {"Content-Type": "text/plain"}, {"If-Match": '"stale"'}
        steps: list[tuple[str, str, str, bytes, dict[str, str], str]] = [
            ("PATCH", nothing + "/x", "", large, text | stale, "404 route-not-found"),
            ("PUT", nothing, "", large, text | stale, "405 method-not-allowed"),
            ("PATCH", nothing, "", large, text | stale, "413 payload-too-large"),
            ("PATCH", nothing, "", rubbish, text | stale, "401 unauthenticated"),
            ("PATCH", nothing, reader, rubbish, text | stale, "415 unsupported-media-type"),
            ("PATCH", nothing, reader, rubbish, JSON | stale, "400 malformed-request"),
            ("PATCH", nothing, reader, wrong, JSON | stale, "403 insufficient-scope"),
            ("PATCH", nothing, ada.token, wrong, JSON | stale, "422 validation-error"),
            ("PATCH", nothing, ada.token, conflict, JSON | stale, "404 vault-not-found"),
            ("PATCH", there, ada.token, conflict, JSON | stale, "412 precondition-failed"),
            ("PATCH", there, ada.token, conflict, JSON, "423 vault-locked"),
        ]
        for method, path, token, body, headers, expected in steps:
            answer = await ada.using(token).request(method, path, content=body, headers=headers)
            assert code(answer) == expected
        await ada.post(f"{there}/unlock")
        last = await ada.request("PATCH", there, content=conflict, headers=JSON)
        assert code(last) == "409 vault-name-taken"
        assert (await ada.request("PATCH", there, content=fine, headers=JSON)).status_code == 200
