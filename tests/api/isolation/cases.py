"""The operations of the matrix, from the OpenAPI document, and what it has to know of each."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

from tests.api.isolation import contract
from tests.support.api import API
from tests.support.machines.reports import report_body
from tests.support.openapi import Operation, operations

PLACES = {
    "user_profile_id": ("own", "stranger", "unknown"),
    "api_token_id": ("own", "other", "stranger", "unknown"),
    "machine_id": ("own", "other", "stranger", "unknown"),
    "workspace_id": ("inside", "outside", "stranger", "unknown"),
    "repo_id": ("inside", "outside", "stranger", "unknown"),
    "vault_id": ("inside", "outside", "stranger", "unknown"),
}
"""By the parameter of a path: where the thing is that a request names.

- `own`: the profile, token or machine of the caller
- `other`: another token or machine of the same user
- `inside`, `outside`: the workspaces to which the confined tokens are confined, and the others
- `stranger`: the same of another user
- `unknown`: nowhere
"""
KEY = "a/b"

Body = Callable[[str, Path], dict[str, Any]]
"""The body of a request, given a name that nothing has yet and a git root."""

_SECRET = "correct horse battery staple"
PASSPHRASE = "correct horse battery"


_sequences = count(1)


def _folder(name: str, _: Path) -> dict[str, Any]:
    return {"name": name, "path": f"/{name}"}


def _name(name: str, _: Path) -> dict[str, Any]:
    return {"name": name}


BODIES: dict[tuple[str, str], Body] = {
    ("POST", "/user-profiles/{user_profile_id}/workspaces"): _name,
    ("POST", "/workspaces/{workspace_id}/repos"): _folder,
    ("POST", "/workspaces/{workspace_id}/vaults"): _folder,
    ("POST", "/workspaces/{workspace_id}/repos/import"): lambda name, root: {
        "items": [_folder(name, root)]
    },
    ("POST", "/workspaces/{workspace_id}/discoveries"): lambda _, root: {"root": str(root)},
    ("PATCH", "/user-profiles/{user_profile_id}"): lambda name, _: {"preferences": {"new": name}},
    ("PATCH", "/workspaces/{workspace_id}"): _name,
    ("PATCH", "/repos/{repo_id}"): _name,
    ("PATCH", "/vaults/{vault_id}"): _name,
    ("PUT", "/vaults/{vault_id}/passphrase"): lambda _, __: {"old": PASSPHRASE, "new": _SECRET},
    ("PUT", "/vaults/{vault_id}/entries/{key}"): lambda name, _: {"content": name},
    ("POST", "/vaults/{vault_id}/restore/{key}"): lambda _, __: {"version": 1},
    ("POST", "/api-tokens"): lambda name, _: {"name": name, "scopes": ["write"]},
    ("POST", "/api-tokens/{api_token_id}/rotate"): lambda _, __: {"overlap_seconds": 60},
    ("POST", "/machines"): _name,
    ("PATCH", "/machines/{machine_id}"): _name,
    ("PUT", "/machines/{machine_id}/report"): lambda _, __: report_body(sequence=next(_sequences)),
}
USES_UP = {
    ("POST", "/vaults/{vault_id}/lock"),
    ("POST", "/vaults/{vault_id}/unlock"),
    ("PUT", "/vaults/{vault_id}/passphrase"),
    ("POST", "/api-tokens/{api_token_id}/rotate"),
}
"""What changes its target so that others could no longer use it, beside all DELETE."""


@dataclass(frozen=True, slots=True)
class Case:
    """An operation with one of its methods: GET answers HEAD as well."""

    method: str
    operation: Operation

    @property
    def path(self) -> str:
        """The path with parameters, without the prefix."""
        return self.operation.path.removeprefix(API)

    @property
    def key(self) -> tuple[str, str]:
        return self.operation.method, self.path

    @property
    def parameter(self) -> str | None:
        """The parameter that names the target; None if it is the caller."""
        found = re.search(r"\{(\w+)\}", self.path)
        return found and found[1]

    @property
    def places(self) -> tuple[str, ...]:
        return PLACES[self.parameter] if self.parameter else ("own",)

    @property
    def noun(self) -> str:
        return (self.parameter or "").removesuffix("_id").replace("_", "-")

    @property
    def uses_up_target(self) -> bool:
        return self.method == "DELETE" or self.key in USES_UP

    @property
    def body(self) -> Body | None:
        return BODIES.get(self.key)

    def at(self, target: str) -> str:
        """The path of a request."""
        return self.path.replace(f"{{{self.parameter}}}", target).replace("{key}", KEY)

    def is_allowed(self, scopes: contract.Scopes) -> bool:
        return any(each <= scopes for each in contract.needed(*self.key))


@cache
def cases() -> list[Case]:
    """All operations that need a token."""
    return [
        Case(method, each)
        for each in operations().values()
        if each.path.startswith(f"{API}/") and each.needs_token
        for method in (("GET", "HEAD") if each.method == "GET" else (each.method,))
    ]


def gaps(found: list[Case]) -> list[str]:
    """What has to be added here before the matrix covers these operations."""
    missing = [
        f"{' '.join(each.key)}: add the places of {{{each.parameter}}} to PLACES, and its ids to"
        " `World`"
        for each in found
        if each.parameter and each.parameter not in PLACES
    ]
    missing += [
        f"{' '.join(each.key)}: say in `Case.at` what stands for {{{name}}}"
        for each in found
        for name in re.findall(r"\{(\w+)\}", each.path)[1:]
        if name != "key"
    ]
    return missing + [
        f"{' '.join(each.key)}: add a body that it accepts to BODIES"
        for each in found
        if each.operation.described.get("requestBody", {}).get("required") and each.body is None
    ]
