"""Routes of vaults."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import partial
from typing import Annotated, Any

from fastapi import Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from symphony.api.compression import compressible
from symphony.api.conditions import ExpectedTags, answer_if_modified, set_etag
from symphony.api.dependencies import Actor, App
from symphony.api.fields import (
    WHOLE_NUMBER,
    FolderName,
    Metadata,
    NewWorkspaceId,
    Passphrase,
    Path,
    VaultId,
    WorkspaceId,
    merge_patch,
    optional,
)
from symphony.api.idempotency import Key, set_created_headers, with_slow_fingerprint
from symphony.api.openapi.examples import success_example
from symphony.api.openapi.problem_responses import problem_responses
from symphony.api.pagination import Paged
from symphony.api.request import ApiRequest
from symphony.api.responses import EntityRepresentation, NextCursor
from symphony.api.routing import (
    PREFIX,
    READ,
    SECRETS,
    WRITE,
    abandonable,
    needs_scopes,
    router,
)
from symphony.application.orchestrations import (
    passphrase_update,
    vault_creation,
    vault_unlocking,
)
from symphony.application.vaults import vaults as use_cases
from symphony.domain.vaults.vaults import Protection

routes = router("vaults")


VaultName = Annotated[FolderName, Field(examples=["keys"])]
VaultPath = Annotated[Path, Field(examples=["~/vaults/keys"])]


class VaultCreate(BaseModel):
    """The fields of a new vault."""

    model_config = ConfigDict(extra="forbid")

    name: VaultName
    path: VaultPath
    metadata: Metadata = Field(default_factory=dict[str, Any])
    protection: Annotated[
        Protection,
        Field(
            description="`passphrase`: the entries can be read only with the passphrase.",
            examples=["passphrase"],
        ),
    ] = Protection.NONE
    passphrase: Passphrase = optional()


class VaultUnlock(BaseModel):
    """The passphrase of a vault; a vault without one needs no fields."""

    model_config = ConfigDict(extra="forbid")

    passphrase: Passphrase = optional()
    ttl_seconds: Annotated[
        int,
        Field(
            ge=1,
            le=3600,
            description="The number of seconds until the session expires; 900 by default.",
            examples=[900],
        ),
        WHOLE_NUMBER,
    ] = optional()


_NO_BODY = VaultUnlock()


class PassphraseChange(BaseModel):
    """The current and the new passphrase."""

    model_config = ConfigDict(extra="forbid")

    old: Passphrase
    new: Annotated[Passphrase, Field(examples=["a mare, a cell and a paper clip"])]


class VaultPatch(BaseModel):
    """A merge patch (RFC 7396): replaces the given fields, merges objects; null removes."""

    model_config = merge_patch(path="~/safe/keys", metadata={"owner": "ada"})

    workspace_id: NewWorkspaceId = optional()
    name: VaultName = optional()
    path: VaultPath = optional()
    metadata: Metadata = optional()


@dataclass(slots=True)
class VaultResponse(EntityRepresentation):
    """A vault."""

    id: VaultId
    workspace_id: WorkspaceId
    name: VaultName
    path: VaultPath
    metadata: Metadata
    is_locked: Annotated[
        bool,
        Field(
            description="Whether the vault refuses updates and access to its entries.",
            examples=[True],
        ),
    ]
    protection: Annotated[
        Protection,
        Field(
            description="Protects the entries: the service's key (`none`), or a passphrase.",
            examples=["passphrase"],
        ),
    ]


@dataclass(slots=True)
class UnlockedVaultResponse(VaultResponse):
    """An unlocked vault, with a session if it has a passphrase."""

    session: Annotated[
        str | None,
        Field(
            description="Send it as `Vault-Session`. It is returned only in this response; null"
            " without a passphrase.",
            examples=["symv_mV1Jm7yD0cXw3bq9ZkT5uR8sLhPgNfEaYtIoC2WxQ4"],
        ),
    ] = field(repr=False)
    unlocked_until: Annotated[
        datetime | None,
        Field(
            description="When the session expires; null without a passphrase.",
            examples=["2026-11-16T08:45:00.125000Z"],
        ),
    ]


@dataclass(slots=True)
class VaultList:
    """A page of vaults."""

    items: Annotated[list[VaultResponse], Field(description="The vaults of this page.")]
    next_cursor: NextCursor


@routes.post(
    "/workspaces/{workspace_id}/vaults",
    status_code=201,
    summary="Create a vault",
    responses=problem_responses(
        "workspace-not-found", "vault-name-taken", "vault-limit-reached", "too-many-attempts"
    ),
)
@compressible
@abandonable
async def create_vault(
    workspace_id: WorkspaceId,
    body: VaultCreate,
    key: Key,
    request: ApiRequest,
    response: Response,
    actor: Actor,
    app: App,
) -> VaultResponse:
    """Creates a vault in a workspace: unlocked without a passphrase, locked with one."""
    command = use_cases.CreateVault(
        actor=actor.reach,
        workspace_id=workspace_id,
        name=body.name,
        path=body.path,
        metadata=body.metadata,
    )
    if body.protection is Protection.PASSPHRASE or "passphrase" in body.model_fields_set:
        slow = key and vault_creation.SlowKey(
            key, partial(with_slow_fingerprint, key, request, app)
        )
        created = await vault_creation.create_protected_vault(
            vault_creation.CreateProtectedVault(command, body.protection, body.passphrase, slow),
            app,
        )
    else:
        created = await app.run_once(use_cases.create_vault, command, key)
    set_created_headers(response, f"{PREFIX}/vaults", created)
    return VaultResponse.of(created.result)


@routes.get(
    "/workspaces/{workspace_id}/vaults",
    summary="List vaults",
    responses=problem_responses("workspace-not-found"),
)
@compressible
async def list_vaults(
    workspace_id: WorkspaceId,
    listing: Paged,
    actor: Actor,
    app: App,
    is_locked: Annotated[
        bool | None, Query(description="`true`: only locked vaults; `false`: only unlocked vaults.")
    ] = None,
) -> VaultList:
    """Returns a page of the vaults of a workspace."""
    page = await app.ask(
        use_cases.list_vaults,
        use_cases.ListVaults(actor.reach, workspace_id, listing.page(is_locked=is_locked)),
    )
    return VaultList(
        items=VaultResponse.of_each(page.items),
        next_cursor=listing.next_cursor(page),
    )


@routes.get(
    "/vaults/{vault_id}", summary="Get a vault", responses=problem_responses("vault-not-found")
)
@compressible
async def get_vault(
    vault_id: VaultId, request: Request, response: Response, actor: Actor, app: App
) -> VaultResponse:
    """Returns a vault."""
    vault = await app.ask(use_cases.get_vault, use_cases.GetVault(actor.reach, vault_id))
    answer_if_modified(request, response, vault.tag)
    return VaultResponse.of(vault)


@routes.patch(
    "/vaults/{vault_id}",
    summary="Update a vault",
    responses=problem_responses(
        "vault-not-found", "vault-name-taken", "vault-limit-reached", "vault-locked"
    ),
)
@compressible
async def update_vault(
    vault_id: VaultId,
    body: VaultPatch,
    expected: ExpectedTags,
    response: Response,
    actor: Actor,
    app: App,
) -> VaultResponse:
    """Updates the given fields of an unlocked vault. Members of `metadata` are merged.

    Another `workspace_id` moves the vault, with its entries, to that workspace of the same user.
    """
    vault = await app.run(
        use_cases.update_vault,
        use_cases.UpdateVault(
            actor=actor.reach,
            vault_id=vault_id,
            changes=body.model_dump(exclude_unset=True),  # pyright: ignore[reportArgumentType] - the schema's fields are its keys
            expected_tags=expected,
        ),
    )
    set_etag(response, vault)
    return VaultResponse.of(vault)


@routes.delete(
    "/vaults/{vault_id}",
    status_code=204,
    summary="Delete a vault",
    responses=problem_responses("vault-not-found", "vault-locked"),
)
async def delete_vault(
    vault_id: VaultId,
    expected: ExpectedTags,
    actor: Actor,
    app: App,
    force: Annotated[  # noqa: FBT002 - a query parameter
        bool, Query(description="Also delete a locked vault.")
    ] = False,
) -> None:
    """Deletes a vault with all its entries and their versions. This cannot be undone.

    The directory at `path` is not changed.
    """
    await app.run(
        use_cases.delete_vault, use_cases.DeleteVault(actor.reach, vault_id, force, expected)
    )


@routes.post(
    "/vaults/{vault_id}/lock",
    summary="Lock a vault",
    responses=problem_responses("vault-not-found") | success_example(is_locked=True, version=2),
)
@compressible
async def lock_vault(
    vault_id: VaultId, expected: ExpectedTags, response: Response, actor: Actor, app: App
) -> VaultResponse:
    """Locks a vault and revokes all its sessions. A locked vault stays as it is."""
    vault = await app.run(
        use_cases.lock_vault, use_cases.LockVault(actor.reach, vault_id, expected)
    )
    set_etag(response, vault)
    return VaultResponse.of(vault)


@routes.post(
    "/vaults/{vault_id}/unlock",
    summary="Unlock a vault",
    responses=problem_responses(
        "vault-not-found", "vault-damaged", "wrong-passphrase", "too-many-attempts"
    )
    | success_example(is_locked=False, version=3),
)
@abandonable
@needs_scopes(READ | SECRETS, WRITE | SECRETS)
async def unlock_vault(
    vault_id: VaultId,
    expected: ExpectedTags,
    response: Response,
    actor: Actor,
    app: App,
    body: VaultUnlock = _NO_BODY,
) -> UnlockedVaultResponse:
    """Unlocks a vault.

    With a passphrase: the response has a `session`, which gives access to the entries together with
    the token of this request, until `ttl_seconds` have passed. Without a passphrase: no body is
    needed, and an unlocked vault stays as it is.
    """
    opened = await vault_unlocking.open_vault(
        vault_unlocking.OpenVault(actor, vault_id, body.passphrase, body.ttl_seconds, expected), app
    )
    set_etag(response, opened.vault)
    response.headers["Cache-Control"] = "no-store"
    return UnlockedVaultResponse(
        **asdict(VaultResponse.of(opened.vault)),
        session=opened.session,
        unlocked_until=opened.unlocked_until,
    )


@routes.put(
    "/vaults/{vault_id}/passphrase",
    status_code=204,
    summary="Update the passphrase of a vault",
    responses=problem_responses(
        "vault-not-found",
        "vault-damaged",
        "vault-without-passphrase",
        "wrong-passphrase",
        "too-many-attempts",
    ),
)
@abandonable
@needs_scopes(WRITE | SECRETS)
async def update_passphrase(
    vault_id: VaultId, body: PassphraseChange, expected: ExpectedTags, actor: Actor, app: App
) -> None:
    """Replaces the passphrase of a locked or unlocked vault, locks it and revokes its sessions."""
    await passphrase_update.update_passphrase(
        passphrase_update.UpdatePassphrase(actor.reach, vault_id, body.old, body.new, expected),
        app,
    )
