"""What the contract says of tokens, by method and path.

Nothing in here is taken from the service or its OpenAPI document, which are compared with it.
"""

import re

Scopes = frozenset[str]

READ, WRITE, SECRETS, REPORT = (
    frozenset({each}) for each in ("read", "write", "secrets", "report")
)
SETS: tuple[Scopes, ...] = (
    READ,
    WRITE,
    READ | WRITE,
    READ | SECRETS,
    WRITE | SECRETS,
    READ | WRITE | SECRETS,
)
"""The sets that a token may have, except `report`, which stands alone and needs a machine."""
ACCESS = READ | WRITE | SECRETS

# What stands below these concerns the user as a whole.
_OF_USER = re.compile("/(user-profiles|api-tokens|machines)(/|$)")
# Except these: lists of what is in workspaces, and what a token may do with itself.
_LISTS = {
    ("GET", "/user-profiles/{user_profile_id}/workspaces"),
    ("GET", "/user-profiles/{user_profile_id}/repos"),
    ("GET", "/user-profiles/{user_profile_id}/attention"),
}
_OF_TOKEN_ITSELF = {
    ("GET", "/api-tokens/current"),
    ("POST", "/api-tokens/{api_token_id}/rotate"),
    ("DELETE", "/api-tokens/{api_token_id}"),
}
_SECRET = re.compile(r"/vaults/\{vault_id\}/(entries|versions|restore|passphrase)(/|$)")


def needed(method: str, path: str) -> frozenset[Scopes]:
    """The sets of scopes of which a token needs one; GET includes HEAD."""
    base = READ if method == "GET" else WRITE
    if path == "/api-tokens/current":
        return frozenset({READ, WRITE, REPORT})
    if path.endswith("/unlock"):
        return frozenset({READ | SECRETS, WRITE | SECRETS})
    if _SECRET.match(path):
        return frozenset({base | SECRETS})
    if (method, path) in {
        ("GET", "/machines/{machine_id}"),
        ("PUT", "/machines/{machine_id}/report"),
    }:
        return frozenset({base, REPORT})
    return frozenset({base})


def concerns_whole_user(method: str, path: str) -> bool:
    """Whether it is refused to a confined token, whatever the id in the path is."""
    return _OF_USER.match(path) is not None and (method, path) not in _LISTS | _OF_TOKEN_ITSELF


def is_of_token_itself(method: str, path: str) -> bool:
    """Whether a confined token may do it, with itself alone."""
    return (method, path) in _OF_TOKEN_ITSELF
