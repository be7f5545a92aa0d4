"""Hooks with facts that schemathesis cannot know; it loads this file (SCHEMATHESIS_HOOKS)."""

from typing import Any, cast
from uuid import uuid4

import schemathesis
from hypothesis import strategies as st

PASSWORDS = {"password", "current_password"}
ENTRY = "/api/v1/vaults/{vault_id}/entries/{key}"
VAULTS = "/api/v1/workspaces/{workspace_id}/vaults"
_HOST = r"[a-z][a-z0-9\-]{0,20}[a-z0-9]\.example"
schemathesis.openapi.format(
    "git-remote",
    st.one_of(
        st.from_regex(
            rf"(https?|git)://{_HOST}(:[1-9][0-9]{{0,3}})?/[!-~]{{0,50}}", fullmatch=True
        ),
        st.from_regex(rf"ssh://([a-z]+@)?{_HOST}/[!-~]{{1,50}}", fullmatch=True),
        st.from_regex(rf"[a-z]+@{_HOST}:[a-z~][!-~]{{0,50}}", fullmatch=True),
    ),
)
_ETAG = r'(W/)?"[!#-~]{0,40}"'
schemathesis.openapi.format(
    "etags", st.from_regex(rf"(\*|{_ETAG}( *, *{_ETAG}){{0,3}})", fullmatch=True)
)


@schemathesis.hook  # pyright: ignore[reportUnknownMemberType] - its type is left open
def before_call(_context: Any, case: Any, _kwargs: Any) -> None:
    """Replace values that fit the schema but are refused because of others.

    An Idempotency-Key must not have been used for another request, the current password must be
    right, base64 content must decode, a passphrase requires the protection by one, and a resource
    can only be moved to a workspace that exists.
    """
    if case.meta is not None and not case.meta.generation.mode.is_positive:
        return
    if case.headers and "Idempotency-Key" in case.headers:
        case.headers["Idempotency-Key"] = str(uuid4())
    body: object = case.body
    if case.method == "PATCH" and isinstance(body, dict):
        given = cast("dict[str, Any]", body)
        left_out = PASSWORDS | {"workspace_id"}
        case.body = {name: given[name] for name in given if name not in left_out}
    if case.path == ENTRY and isinstance(body, dict):
        case.body = cast("dict[str, Any]", body) | {"encoding": "utf-8"}
    if case.path == VAULTS and isinstance(body, dict):
        given = cast("dict[str, Any]", body)
        if given.get("protection") == "passphrase":
            case.body = {"passphrase": "a horse, a battery"} | given
        else:
            case.body = {name: given[name] for name in given if name != "passphrase"}
